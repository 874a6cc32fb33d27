// Package gomodule is the source kind "go_module": a module of the Go language
// from its git repository, put where the go command looks for vendored modules.
//
// It knows which folder of a repository a module is. How modules are listed for
// the go command is in modules.go.
package gomodule

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"

	"bst/impl/kind"
	"bst/impl/kind/git"
	"bst/impl/node"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{
		Kind:             "go_module",
		RequiresPrevious: true,
		TracksPrevious:   true,
		Plugins:          kind.Plugins{Packages: []string{kind.Community}},
		Variant:          variant,
		New:              func() kind.Source { return &source{layout: layout} },
	}
}

// layout is the version of what is staged, as keys have it.
const layout = 1

var layoutInFile = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`"module": self\.module, "bugfix": ([0-9]+)`) })

// variant reads the layout from the plugin's file.
func variant(file string) kind.SourceTraits {
	traits := Traits()
	if m := layoutInFile().FindStringSubmatch(file); m != nil {
		if number, err := strconv.Atoi(m[1]); err == nil {
			traits.New = func() kind.Source { return &source{layout: number} }
		}
	}
	return traits
}

type source struct {
	*git.Repository
	env         kind.SourceEnv
	layout      int
	url, module string
	// resolved says that there is a ref: what follows is of it.
	resolved          bool
	gitRef, goVersion string
	// explicit says that the main module's go.mod asks for this one.
	explicit bool
	// subdirectory is where the module is in the repository; nil for its top.
	subdirectory *string
}

var keys = append([]string{"url", "module", "ref"}, kind.CommonSourceKeys...)

func (s *source) Configure(config *node.Node, env kind.SourceEnv) (err error) {
	if err := config.ValidateKeys(keys...); err != nil {
		return err
	}
	s.env = env
	if at := config.Get("ref"); at != nil && !at.IsNone() {
		ref, err := config.GetMapping("ref")
		if err != nil {
			return err
		}
		if err := s.readRef(ref); err != nil {
			return err
		}
	}
	if s.url, err = config.NeedStr("url"); err != nil {
		return err
	}
	if s.module, err = config.NeedStr("module"); err != nil {
		return err
	}
	env.Translate(s.url)
	s.Repository = git.NewRepository("go_module", env, s.url, s.gitRef)
	return nil
}

// commit ends every ref.
var commit = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:.*-[0-9]+-g)?[0-9a-f]{40}`) })

func (s *source) readRef(ref *node.Node) (err error) {
	if err := ref.ValidateKeys("go-version", "git-ref", "explicit", "subdirectory"); err != nil {
		return err
	}
	if s.goVersion, err = ref.NeedStr("go-version"); err != nil {
		return err
	}
	if s.gitRef, err = ref.NeedStr("git-ref"); err != nil {
		return err
	}
	if _, err := ref.Need("explicit"); err != nil {
		return err
	}
	if s.explicit, err = ref.GetBool("explicit", false); err != nil {
		return err
	}
	if ref.Get("subdirectory") != nil {
		text, err := ref.GetStr("subdirectory", "")
		if err != nil {
			return err
		}
		s.subdirectory = &text
	}
	if !commit().MatchString(s.gitRef) {
		return kind.SourceErrorf("go_module", s.env, "", "The git-ref '%s' has no commit of 40 hexadecimal digits", s.gitRef)
	}
	s.resolved = true
	return nil
}

func (s *source) Resolved() bool { return s.resolved }

func (s *source) UniqueKey() (any, error) {
	ref := map[string]any{"go-version": s.goVersion, "git-ref": s.gitRef, "explicit": s.explicit}
	if s.subdirectory != nil {
		ref["subdirectory"] = *s.subdirectory
	}
	return map[string]any{"ref": ref, "module": s.module, "bugfix": s.layout}, nil
}

func (s *source) SourceInfo() ([]kind.SourceInfo, error) {
	return []kind.SourceInfo{git.TaggedInfo(s.env.Translate(s.url), s.gitRef, kind.Versioning{})}, nil
}

// Fetch brings the commit. What the first releases of the plugin staged is not
// known well enough to be made under the same key.
func (s *source) Fetch(ctx context.Context, w kind.SourceWork) error {
	if s.layout != layout {
		e := kind.SourceErrorf("go_module", s.env, "fetch-not-implemented",
			"Sources of kind 'go_module' of this release of the plugin cannot be fetched")
		e.Detail = "Use release 2.3.0 of buildstream-plugins-community, or a later one."
		return e
	}
	return s.Repository.Fetch(ctx, w)
}

// Stage puts the module's files below vendor/, and lists it in
// vendor/modules.txt after the modules of the sources before.
func (s *source) Stage(ctx context.Context, w kind.SourceWork, dir string) error {
	if !filepath.IsLocal(s.module) || s.subdirectory != nil && *s.subdirectory != "" && !filepath.IsLocal(*s.subdirectory) {
		return kind.SourceErrorf("go_module", s.env, "", "The module '%s' leads out of the sources", s.module)
	}
	from, err := w.TempDir()
	if err != nil {
		return err
	}
	if err := s.Repository.Stage(ctx, w, from, ""); err != nil {
		return err
	}
	if err := s.place(from, dir); err != nil {
		return kind.SourceErrorf("go_module", s.env, "", "Failed to stage the module '%s': %s", s.module, err)
	}
	return nil
}

func (s *source) place(from, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	checkout, err := os.OpenRoot(from)
	if err != nil {
		return err
	}
	defer checkout.Close()
	// The sources before may have put a symbolic link in the module's place: a
	// root keeps that from leading out of the sources.
	folder := filepath.Join("vendor", s.module)
	if err := root.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	if err := merge(root, folder, checkout, s.folder(checkout)); err != nil {
		return err
	}
	return s.list(root, folder)
}

// released are the versions whose major number may be a folder's name.
var released = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(v([0-9]+))\.[0-9]+\.[0-9]+(-[a-z]+)?(\+[a-z]+)?$`) })

// folder is where in the repository the module is: from its second major version
// on it may be in a folder of that version's name.
func (s *source) folder(checkout *os.Root) string {
	at := "."
	if s.subdirectory != nil {
		at = filepath.Join(at, *s.subdirectory)
	}
	if m := released().FindStringSubmatch(s.goVersion); m != nil {
		major, err := strconv.Atoi(m[2])
		below := filepath.Join(at, m[1])
		if _, missing := checkout.Stat(below); err == nil && major >= 2 && missing == nil {
			return below
		}
	}
	return at
}
