package tar

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"bst/impl/kind"
)

// extractor writes the members below a base into a directory.
//
// Every path goes through an os.Root, so that neither "..", nor absolute
// names, nor symbolic links that the archive has brought along can lead out.
type extractor struct {
	source *source
	a      *archive
	// base is stripped from names; "" or ends with a slash.
	base string
	dest string
	root *os.Root
	// parent is the open directory of the last member, since the next one is
	// usually in it as well; parentName is its path below root.
	parent     *os.Root
	parentName string
	// left bounds what is still written, in bytes.
	left int64
	// wanted are members outside base that hard links inside it name, and where
	// their content was kept ("" until it was).
	wanted map[string]string
	// kept counts the files with such content.
	kept   int
	buffer []byte
}

func newExtractor(s *source, a *archive, in index, dest string) (*extractor, error) {
	base := in.base
	if base != "" && !strings.HasSuffix(base, "/") {
		base += "/"
	}
	root, err := os.OpenRoot(dest)
	if err != nil {
		return nil, err
	}
	x := &extractor{
		source: s, a: a, base: base, dest: dest, root: root,
		left: a.limit, wanted: map[string]string{}, buffer: make([]byte, 128<<10),
	}
	if base != "" {
		x.want(in.links)
	}
	return x, nil
}

func (x *extractor) close() {
	x.forget()
	x.root.Close()
}

// forget closes the open directory: another one may take its name.
func (x *extractor) forget() {
	if x.parent != nil {
		x.parent.Close()
		x.parent, x.parentName = nil, ""
	}
}

func (x *extractor) run(ctx context.Context) error {
	return x.a.members(ctx, func(h *tar.Header, content io.Reader) error {
		name, inside := x.strip(memberName(h.Name))
		if !inside {
			return x.keep(h, name, content)
		}
		return x.member(ctx, h, name, content)
	})
}

// strip gives a member's name below the base. Where there is a base, a "./"
// before the name does not count.
func (x *extractor) strip(name string) (string, bool) {
	if x.base == "" {
		return name, true
	}
	name = strings.TrimPrefix(name, "./")
	return strings.CutPrefix(name, x.base)
}

// want looks for hard links that lead out of the base. They stand for content
// that the archive has once only, so it must be kept on the way.
func (x *extractor) want(links []hardlink) {
	// Backwards, for links to links: a link comes after what it names.
	for i := len(links) - 1; i >= 0; i-- {
		_, inside := x.strip(links[i].name)
		_, wanted := x.wanted[path.Clean(links[i].name)]
		if !inside && !wanted {
			continue
		}
		if _, inside := x.strip(links[i].target); !inside {
			x.wanted[path.Clean(links[i].target)] = ""
		}
	}
}

// keep puts the content of a wanted member aside.
func (x *extractor) keep(h *tar.Header, name string, content io.Reader) error {
	name = path.Clean(name)
	if _, ok := x.wanted[name]; !ok {
		return nil
	}
	switch h.Typeflag {
	case tar.TypeReg:
	case tar.TypeLink:
		if kept := x.wanted[path.Clean(h.Linkname)]; kept != "" {
			x.wanted[name] = kept
		}
		return nil
	default:
		return nil
	}
	x.kept++
	kept := filepath.Join(x.a.scratch, "kept-"+strconv.Itoa(x.kept))
	file, err := os.OpenFile(kept, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode(h))
	if err != nil {
		return err
	}
	if err := x.write(file, content); err != nil {
		return err
	}
	x.wanted[name] = kept
	return nil
}

// member writes one member. Errors of the file system name it.
func (x *extractor) member(ctx context.Context, h *tar.Header, name string, content io.Reader) error {
	clean, ok := local(name)
	if !ok {
		return kind.SourceErrorf("tar", x.source.env, "",
			"Tarfile attempts to extract outside the staging area: %s -> %s", h.Name, x.final(name))
	}
	if clean == "." {
		return nil
	}
	var err error
	switch h.Typeflag {
	case tar.TypeDir:
		err = x.directory(clean)
	case tar.TypeSymlink:
		err = x.create(clean, func(dir *os.Root, base string) error { return dir.Symlink(h.Linkname, base) })
	case tar.TypeLink:
		err = x.link(h, clean)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return nil
	default:
		err = x.file(clean, mode(h), content)
	}
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case escapes(err):
		return kind.SourceErrorf("tar", x.source.env, "",
			"Tarfile attempts to extract outside the staging area: %s leads out through a symbolic link", h.Name)
	}
	return &memberError{h.Name, err}
}

// memberError is an error of the file system about a member.
type memberError struct {
	name string
	err  error
}

func (e *memberError) Error() string { return e.name + ": " + text(e.err) }
func (e *memberError) Unwrap() error { return e.err }

// text is an error without the names of temporary files.
func text(err error) string {
	var member *memberError
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &member):
		return member.Error()
	case errors.As(err, &path):
		return path.Err.Error()
	case errors.As(err, &link):
		return link.Err.Error()
	}
	return err.Error()
}

// final is where a member would have been written.
func (x *extractor) final(name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return filepath.Join(x.dest, name)
}

// local makes a name one below the destination. "." is the destination itself.
func local(name string) (string, bool) {
	if name == "" {
		return ".", true
	}
	clean := path.Clean(name)
	return clean, filepath.IsLocal(clean)
}

// mode is what the archive may decide: whether a file can be executed. The
// rest would make the staged tree depend on who packed it.
func mode(h *tar.Header) fs.FileMode {
	if h.Mode&0o100 != 0 {
		return 0o755
	}
	return 0o644
}

func (x *extractor) directory(name string) error {
	if info, err := x.root.Lstat(name); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		// An earlier link stands for the folder; what is below it is checked
		// member by member.
		return nil
	}
	return x.root.MkdirAll(name, 0o755)
}

func (x *extractor) file(name string, mode fs.FileMode, content io.Reader) error {
	return x.create(name, func(dir *os.Root, base string) error {
		file, err := dir.OpenFile(base, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
		if err != nil {
			return err
		}
		return x.write(file, content)
	})
}

// write copies content to file and closes it.
func (x *extractor) write(file *os.File, content io.Reader) error {
	n, err := io.CopyBuffer(onlyWriter{file}, io.LimitReader(content, x.left+1), x.buffer)
	if x.left -= n; err == nil && x.left < 0 {
		err = errTooLarge
	}
	if e := file.Close(); err == nil {
		err = e
	}
	return err
}

// onlyWriter hides ReadFrom, which would allocate a buffer for each file.
type onlyWriter struct{ io.Writer }

// link makes a hard link, or a copy of a member outside the base.
func (x *extractor) link(h *tar.Header, name string) error {
	linkname := h.Linkname
	if x.base != "" {
		linkname = strings.TrimPrefix(linkname, "./")
		linkname = strings.TrimPrefix(linkname, x.base)
	}
	target, ok := local(linkname)
	if !ok {
		return kind.SourceErrorf("tar", x.source.env, "",
			"Tarfile attempts to hardlink outside the staging area: %s -> %s", h.Name, x.final(linkname))
	}
	if kept := x.wanted[target]; kept != "" {
		in, err := os.Open(kept)
		if err != nil {
			return err
		}
		defer in.Close()
		return x.file(name, mode(h), in)
	}
	if target == name {
		return nil
	}
	err := x.create(name, func(*os.Root, string) error { return x.root.Link(target, name) })
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("unable to resolve link inside archive: %s", h.Linkname)
	}
	if err != nil {
		return err
	}
	// The member that comes last says what mode both have.
	if info, err := x.root.Lstat(name); err != nil || !info.Mode().IsRegular() {
		return err
	}
	return x.root.Chmod(name, mode(h))
}

// create makes the parent of name and calls f with it. What has the name
// already gives way, unless it is a directory: an archive may hold a file
// twice, and the last one counts.
func (x *extractor) create(name string, f func(dir *os.Root, base string) error) error {
	dir, err := x.open(path.Dir(name))
	if err != nil {
		return err
	}
	base := path.Base(name)
	err = f(dir, base)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := dir.Lstat(base)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return &fs.PathError{Op: "create", Path: name, Err: errors.New("a directory of that name is there")}
	}
	if err := dir.Remove(base); err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 && dir == x.root {
		// The open directory may have been reached through it.
		x.forget()
	}
	return f(dir, base)
}

// open gives the directory name, which it makes where it is not there. It is
// good until the next call.
func (x *extractor) open(name string) (*os.Root, error) {
	if name == "." {
		return x.root, nil
	}
	if x.parent != nil && x.parentName == name {
		return x.parent, nil
	}
	dir, err := x.root.OpenRoot(name)
	if errors.Is(err, fs.ErrNotExist) {
		if err = x.root.MkdirAll(name, 0o755); err != nil {
			return nil, err
		}
		dir, err = x.root.OpenRoot(name)
	}
	if err != nil {
		return nil, err
	}
	x.forget()
	x.parent, x.parentName = dir, name
	return dir, nil
}

// escapes says that os.Root has refused a path. Package os does not export the
// error, but its text is documented by a test of ours.
func escapes(err error) bool {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error() == "path escapes from parent"
	}
	var link *os.LinkError
	return errors.As(err, &link) && link.Err.Error() == "path escapes from parent"
}
