package docker

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"bst/impl/kind"
)

// Stage unpacks the layers, lowest first, without what layers above take away.
func (s *source) Stage(ctx context.Context, w kind.SourceWork, dir string) error {
	mirror, err := w.MirrorDir()
	if err != nil {
		return err
	}
	if err := s.unpack(ctx, mirror, dir); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		e := kind.SourceErrorf("docker", s.env, "", "Error staging source: %s", err)
		e.Cause = err.Error()
		return e
	}
	return nil
}

func (s *source) unpack(ctx context.Context, mirror, dir string) error {
	manifest, err := s.load(mirror)
	if err != nil {
		return err
	}
	// What is above a layer is known after all have been read.
	kept := make([]map[string]bool, len(manifest.Layers))
	for i, layer := range manifest.Layers {
		gone, err := s.list(ctx, mirror, layer, &kept[i])
		if err != nil {
			return fmt.Errorf("the layer %s: %w", layer.Digest, err)
		}
		for _, below := range kept[:i] {
			gone.from(below)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for i, layer := range manifest.Layers {
		err := members(ctx, layerFile(mirror, layer), func(h *tar.Header, name string, r io.Reader) error {
			if !kept[i][name] {
				return nil
			}
			return put1(root, h, filepath.FromSlash(name), r)
		})
		if err != nil {
			return fmt.Errorf("the layer %s: %w", layer.Digest, err)
		}
	}
	return nil
}

// removal is what a layer takes away from those below it.
type removal struct {
	files   map[string]bool
	folders []string
}

func (r removal) from(names map[string]bool) {
	for name := range names {
		if r.files[name] {
			delete(names, name)
			continue
		}
		for _, folder := range r.folders {
			if folder == "." || strings.HasPrefix(name, folder+"/") {
				delete(names, name)
				break
			}
		}
	}
}

// Names that begin so say that something below is gone: a file of the rest of
// the name, or all that the folder held.
const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
)

// maxMembers bounds the names of one layer.
const maxMembers = 16 << 20

// list gives the names that a layer has.
func (s *source) list(ctx context.Context, mirror string, layer layer, names *map[string]bool) (removal, error) {
	gone := removal{files: map[string]bool{}}
	*names = map[string]bool{}
	err := members(ctx, layerFile(mirror, layer), func(h *tar.Header, name string, _ io.Reader) error {
		base := path.Base(name)
		switch {
		case base == opaque:
			gone.folders = append(gone.folders, path.Dir(name))
		case strings.HasPrefix(base, whiteout):
			gone.files[path.Join(path.Dir(name), strings.TrimPrefix(base, whiteout))] = true
		case strings.HasPrefix(h.Name, "dev/"):
			// A sandbox has devices of its own.
		case h.Typeflag == tar.TypeChar || h.Typeflag == tar.TypeBlock || h.Typeflag == tar.TypeFifo:
		default:
			(*names)[name] = true
		}
		if len(*names) > maxMembers {
			return fmt.Errorf("there are more than %d files", maxMembers)
		}
		return nil
	})
	return gone, err
}

// members gives each member of a layer, by its name below the image's root.
func members(ctx context.Context, file string, f func(h *tar.Header, name string, r io.Reader) error) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	unzipped, err := gzip.NewReader(in)
	if err != nil {
		return err
	}
	archive := tar.NewReader(unzipped)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
		if name == "" {
			continue
		}
		if err := f(h, name, archive); err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
	}
}

// put1 writes a member over what is there. Nothing is written outside of root,
// whatever links lead there.
func put1(root *os.Root, h *tar.Header, name string, r io.Reader) error {
	if h.Typeflag == tar.TypeDir {
		if info, err := root.Stat(name); err == nil && info.IsDir() {
			return nil
		}
		if err := clear(root, name); err != nil {
			return err
		}
		return root.MkdirAll(name, 0o755)
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if err := clear(root, name); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeReg:
		// Of the mode, BuildStream keeps whether the owner may run the file.
		mode := fs.FileMode(0o644)
		if h.Mode&0o100 != 0 {
			mode = 0o755
		}
		file, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
		if err != nil {
			return err
		}
		_, err = io.Copy(file, r)
		return errors.Join(err, file.Close())
	case tar.TypeSymlink:
		return root.Symlink(h.Linkname, name)
	case tar.TypeLink:
		return root.Link(filepath.FromSlash(strings.TrimPrefix(path.Clean("/"+h.Linkname), "/")), name)
	}
	return fmt.Errorf("members of the type %q are not known", h.Typeflag)
}

// clear removes what is in a member's place.
func clear(root *os.Root, name string) error {
	info, err := root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.IsDir():
		return root.RemoveAll(name)
	}
	return root.Remove(name)
}
