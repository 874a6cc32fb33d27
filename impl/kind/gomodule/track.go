package gomodule

import (
	"bufio"
	"context"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"bst/impl/kind"
	"bst/impl/kind/download"
	"bst/impl/node"
)

// Ref is the module's version, its commit, and where it is in its repository.
func (s *source) Ref() *node.Node {
	if !s.resolved {
		return nil
	}
	subdirectory := ""
	if s.subdirectory != nil {
		subdirectory = *s.subdirectory
	}
	return refNode(s.goVersion, s.gitRef, s.explicit, s.subdirectory != nil, subdirectory)
}

func refNode(version, ref string, explicit, below bool, subdirectory string) *node.Node {
	inner := kind.Texts("go-version", version, "git-ref", ref, "explicit", kind.Truth(explicit))
	if below {
		inner.Set("subdirectory", node.NewVerbatim(subdirectory))
	}
	return kind.RefOf(inner)
}

// Forms of versions: those that are tags, and those that name a commit.
var (
	tagged = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^((v[0-9]+)\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.-]+)?)(?:\+[0-9A-Za-z.-]+)?$`)
	})
	pseudo = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+-(?:[0-9A-Za-z.-]+\.)?(?:0\.)?[0-9]{14}-([0-9a-f]{12})(?:\+[0-9A-Za-z.-]+)?$`)
	})
)

// Track reads the module's version from the go.sum of the sources before, and finds
// its commit.
func (s *source) Track(ctx context.Context, w kind.SourceWork, previous string) (*node.Node, error) {
	mod, err := os.ReadFile(filepath.Join(previous, "go.mod"))
	if err != nil {
		return nil, s.without("go.mod", err)
	}
	explicit := strings.Contains(string(mod), s.module)
	version, err := s.lockedVersion(filepath.Join(previous, "go.sum"))
	if err != nil {
		return nil, err
	}
	subdirectory, err := s.subdirectoryOf(ctx)
	if err != nil {
		return nil, err
	}
	var ref string
	if m := pseudo().FindStringSubmatch(version); m != nil {
		if ref, err = s.Repository.FullCommit(ctx, w, m[1]); err != nil {
			return nil, err
		}
		return refNode(version, ref, explicit, subdirectory != "", subdirectory), nil
	}
	m := tagged().FindStringSubmatch(version)
	if m == nil {
		return nil, kind.SourceErrorf("go_module", s.env, "", "The version '%s' is not recognized", version)
	}
	// Whether the module is in a folder named by its major version is looked for when
	// it is staged.
	subdirectory = strings.TrimSuffix(strings.TrimSuffix(subdirectory, m[2]), "/")
	if ref, err = s.Repository.TrackRefs(ctx, w, "refs/tags/"+escape(path.Join(subdirectory, m[1])), nil, true); err != nil {
		return nil, err
	}
	return refNode(version, ref, explicit, subdirectory != "", subdirectory), nil
}

// escape takes what is special in patterns for itself.
func escape(text string) string {
	return strings.NewReplacer("[", "[[]", "*", "[*]", "?", "[?]").Replace(text)
}

func (s *source) without(name string, err error) error {
	e := kind.SourceErrorf("go_module", s.env, "", "Failed to read %s: %s", name, err)
	e.Detail = "The sources before this one must hold the go.mod and go.sum of the program that needs the module."
	return e
}

// lockedVersion is the module's version in a go.sum, without what that says of its
// go.mod alone.
func (s *source) lockedVersion(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", s.without("go.sum", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) == 3 && fields[0] == s.module && !strings.HasSuffix(fields[1], "/go.mod") {
			return fields[1], nil
		}
	}
	if err := lines.Err(); err != nil {
		return "", s.without("go.sum", err)
	}
	return "", kind.SourceErrorf("go_module", s.env, "", "go.sum does not contain %s", s.module)
}

// scheme is that of modules' addresses. Tests have their own.
var scheme = "https://"

// maxPage bounds what a module's page may have, in bytes.
const maxPage = 4 << 20

var (
	metaTag = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?is)<meta\s[^>]*name\s*=\s*["']?go-import["']?[^>]*>`)
	})
	metaText = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?is)content\s*=\s*["']([^"']*)["']`) })
)

// subdirectoryOf is where in its repository the module is: at some hosts the
// module's name tells, else its page does.
func (s *source) subdirectoryOf(ctx context.Context) (string, error) {
	if rest, ok := strings.CutPrefix(s.module, "github.com/"); ok {
		parts := strings.SplitN(rest, "/", 3)
		if len(parts) < 3 {
			return "", nil
		}
		return parts[2], nil
	}
	page, err := download.Get(ctx, "go_module", s.env, scheme+s.module+"?go-get=1", "", maxPage)
	if err != nil {
		return "", err
	}
	for _, tag := range metaTag().FindAllString(string(page), -1) {
		m := metaText().FindStringSubmatch(tag)
		if m == nil {
			continue
		}
		fields := strings.Fields(m[1])
		if len(fields) < 3 || fields[1] == "mod" {
			continue
		}
		if s.module == fields[0] {
			return "", nil
		}
		if below, ok := strings.CutPrefix(s.module, fields[0]+"/"); ok {
			return below, nil
		}
	}
	return "", nil
}
