package sandbox

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"bst/impl/cas"

	"golang.org/x/sys/unix"
)

// Reading back what commands did. Only what lies in the upper layer has changed,
// so only that is hashed.

// applyUpper changes out, which is what the lower layers show, into what the
// overlay with this upper layer shows. rel is where out lies, for errors.
func applyUpper(ctx context.Context, store *cas.Store, upper string, out *cas.Dir) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := readDir(upper)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		path := filepath.Join(upper, name)
		st, err := e.Info()
		if err != nil {
			return err
		}
		old, lerr := out.Lookup(name)
		if lerr != nil && !cas.IsNotFound(lerr) {
			return lerr
		}
		existed := lerr == nil
		clear := func() error {
			if !existed {
				return nil
			}
			return out.Remove(name, true)
		}
		switch {
		case st.IsDir():
			opaque, err := isOpaque(path)
			if err != nil {
				return err
			}
			if existed && old.Type == cas.TypeDirectory && !opaque {
				sub, err := out.Sub(name, false)
				if err != nil {
					return err
				}
				if err := applyUpper(ctx, store, path, sub); err != nil {
					return err
				}
				continue
			}
			// A new directory: nothing below shines through, so it is a plain one.
			d, err := captureTree(store, path, cas.CaptureOptions{})
			if err != nil {
				return err
			}
			if err := errors.Join(clear(), out.AddDir(name, d)); err != nil {
				return err
			}
		case st.Mode().IsRegular():
			d, err := putFile(store, path, st)
			if err != nil {
				return err
			}
			if existed && old.Type == cas.TypeFile && old.Digest == d && old.Executable == executable(st) {
				continue // copied up for a change that artifacts do not hold
			}
			if err := errors.Join(clear(), out.AddFile(name, d, executable(st))); err != nil {
				return err
			}
		case st.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			if err := errors.Join(clear(), out.AddSymlink(name, target)); err != nil {
				return err
			}
		default:
			// A whiteout, or something that artifacts do not hold (a socket, a
			// pipe, a device): either way what lay below is gone.
			if err := clear(); err != nil {
				return err
			}
		}
	}
	return nil
}

func executable(st fs.FileInfo) bool { return st.Mode().Perm()&0o100 != 0 }

// readDir, putFile and captureTree read what a build wrote: its owner's
// permission to read may be missing, which artifacts do not record, so it is
// given.

func readDir(path string) ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrPermission) {
		unlock(path, 0o500)
		entries, err = os.ReadDir(path)
	}
	return entries, err
}

func putFile(store *cas.Store, path string, st fs.FileInfo) (cas.Digest, error) {
	if st.Mode().Perm()&0o400 == 0 && os.Geteuid() != 0 {
		unlock(path, 0o400)
	}
	return store.PutFile(path)
}

func captureTree(store *cas.Store, path string, opts cas.CaptureOptions) (cas.Digest, error) {
	d, err := store.CaptureTree(path, opts)
	if err != nil && os.Geteuid() != 0 {
		unlock(path, 0o500)
		d, err = store.CaptureTree(path, opts)
	}
	return d, err
}

// makeUpperDir makes the directory at the resolved sandbox path in an upper
// layer, over whatever the upper layer notes there.
func makeUpperDir(upper, path string, userXattr bool) error {
	at := upper
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if part == "" {
			continue
		}
		at = filepath.Join(at, part)
		st, err := os.Lstat(at)
		switch {
		case err == nil && st.IsDir():
			continue
		case err == nil && isWhiteout(st):
			if err := os.Remove(at); err != nil {
				return err
			}
			if err := os.Mkdir(at, 0o755); err != nil {
				return err
			}
			if err := setOpaque(at, userXattr); err != nil {
				return err
			}
		case errors.Is(err, fs.ErrNotExist):
			if err := os.Mkdir(at, 0o755); err != nil {
				return err
			}
		case err != nil:
			return err
		default:
			return &fs.PathError{Op: "mkdir", Path: at, Err: unix.ENOTDIR}
		}
	}
	return nil
}
