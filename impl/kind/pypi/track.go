package pypi

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"bst/impl/kind"
	"bst/impl/kind/download"
	"bst/impl/kind/fnmatch"
	"bst/impl/kind/pypi/pep440"
	"bst/impl/node"
	"bst/impl/stream"
)

// index is where packages are looked up, by their names. Tests have their own.
var index = "https://pypi.org/simple/"

const (
	// form is that of an answer in JSON.
	form = "application/vnd.pypi.simple.v1+json"
	// maxAnswer bounds one, in bytes; the largest has some megabytes.
	maxAnswer = 256 << 20
)

// Ref is the archive's place and its checksum.
func (s *source) Ref() *node.Node {
	if !s.Resolved() {
		return nil
	}
	return ref(s.Suffix, s.Sum)
}

func ref(suffix, sum string) *node.Node {
	return kind.RefOf(kind.Texts("sha256sum", sum, "suffix", suffix))
}

// file is one that the index lists.
type file struct {
	Filename, URL string
	Hashes        struct{ SHA256 string }
	// Yanked is false, or true or a text that says why.
	Yanked any
}

// Track asks the index for the newest version that is wanted.
func (s *source) Track(ctx context.Context, w kind.SourceWork, _ string) (newest *node.Node, err error) {
	url := index + s.Name
	err = w.Activity("Tracking "+url, func() error {
		text, err := download.Get(ctx, "pypi", s.env, url, form, maxAnswer)
		if err != nil {
			return err
		}
		var answer struct{ Files []file }
		if err := json.Unmarshal(text, &answer); err != nil {
			return kind.SourceErrorf("pypi", s.env, "", "The answer of %s is not what an index says: %s", url, err)
		}
		if len(answer.Files) == 0 {
			return kind.SourceErrorf("pypi", s.env, "", "Cannot find any tracking for %s", s.Name)
		}
		best := s.choose(answer.Files)
		switch {
		case best == nil:
			w.Message(stream.TypeWarning, "No matching release found", "")
		case best.Hashes.SHA256 == "":
			return kind.SourceErrorf("pypi", s.env, "", "The index has no SHA-256 of %s", best.Filename)
		default:
			newest = ref(strings.TrimPrefix(best.URL, storage), best.Hashes.SHA256)
		}
		return nil
	})
	return newest, err
}

// choose is the source archive of the newest version that is wanted, nil for none.
func (s *source) choose(files []file) *file {
	var best *file
	var newest pep440.Version
	wanted := s.wanted()
	for i, f := range files {
		if yanked, _ := f.Yanked.(bool); yanked || f.Yanked != nil && f.Yanked != false {
			continue
		}
		name, ok := strings.CutSuffix(f.Filename, ".tar.gz")
		if !ok {
			name, ok = strings.CutSuffix(f.Filename, ".zip")
		}
		dash := strings.LastIndexByte(name, '-')
		if !ok || dash < 0 {
			continue
		}
		v, ok := pep440.Parse(name[dash+1:])
		if !ok || !wanted(v) {
			continue
		}
		if best == nil || v.Compare(newest) >= 0 {
			best, newest = &files[i], v
		}
	}
	return best
}

// wanted says which versions are.
func (s *source) wanted() func(pep440.Version) bool {
	include, exclude := compiled(s.include), compiled(s.exclude)
	return func(v pep440.Version) bool {
		if !s.prereleases && v.IsPrerelease() {
			return false
		}
		text := v.String()
		matches := func(p *regexp.Regexp) bool { return p.MatchString(text) }
		return !slices.ContainsFunc(include, func(p *regexp.Regexp) bool { return !matches(p) }) &&
			!slices.ContainsFunc(exclude, matches)
	}
}

func compiled(patterns []string) []*regexp.Regexp {
	list := make([]*regexp.Regexp, len(patterns))
	for i, p := range patterns {
		list[i] = fnmatch.Compile(p)
	}
	return list
}
