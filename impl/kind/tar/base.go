package tar

import (
	"archive/tar"
	"context"
	"io"
	"strings"

	"bst/impl/split"
)

// index is what must be known of an archive before the first member of its base
// can be written.
type index struct {
	base  string
	found bool
	links []hardlink
}

// hardlink is a member that stands for another one.
type hardlink struct{ name, target string }

// readIndex looks for the base: the first folder, in the order of names, that
// the pattern matches.
//
// Names are seen without any dots and slashes that they start with: so it is
// in the reference, and the same key must stage the same files. It follows
// that an archive with an entry for its root ("./") has a folder "", which "*"
// matches before any other: nothing is stripped from it.
func readIndex(ctx context.Context, a *archive, glob *split.Glob) (index, error) {
	var (
		x index
		// named are the members, implied the folders that members lie in.
		named   = map[string]struct{}{}
		implied = map[string]struct{}{}
	)
	consider := func(dir string) {
		if dir != "." && (!x.found || dir < x.base) && glob.Match(rooted(dir)) {
			x.base, x.found = dir, true
		}
	}
	err := a.members(ctx, func(h *tar.Header, _ io.Reader) error {
		name := memberName(h.Name)
		named[name] = struct{}{}
		short := strings.TrimLeft(name, "./")
		switch h.Typeflag {
		case tar.TypeDir:
			consider(short)
			return nil
		case tar.TypeLink:
			x.links = append(x.links, hardlink{name, h.Linkname})
		}
		for i := range len(short) {
			if short[i] == '/' {
				implied[short[:i]] = struct{}{}
			}
		}
		return nil
	})
	// A folder with a member of its own name was considered above, unless that
	// member is something else than a folder.
	for dir := range implied {
		if _, ok := named[dir]; !ok {
			consider(dir)
		}
	}
	return x, err
}

// memberName is a member's name without slashes at its end.
func memberName(name string) string { return strings.TrimRight(name, "/") }

// rooted puts a slash before a path or pattern that has none: patterns match
// whether they were written with one or not.
func rooted(path string) string {
	if strings.HasPrefix(path, "/") {
		return path
	}
	return "/" + path
}
