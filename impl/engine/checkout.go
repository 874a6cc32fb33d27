package engine

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/dsnet/compress/bzip2"
	"github.com/ulikunitz/xz"

	"bst/impl/cas"
	"bst/impl/element"
	"bst/impl/patient"
	"bst/impl/stream"
)

// checkout obeys bst artifact checkout.
func (s *session) checkout(ctx context.Context, o *stream.Checkout) (err error) {
	w, err := s.loadAny(ctx, []string{o.Target}, true)
	if err != nil {
		return err
	}
	target, err := w.oneTarget()
	if err != nil {
		return err
	}
	deps := o.Deps
	if deps == "" {
		deps = "run"
	}
	if err := w.noDeps(deps); err != nil {
		return err
	}
	drop := s.dropNew(o)
	defer func() { drop(err) }()
	if err := checkLocation(o); err != nil {
		return err
	}
	scope := map[string]element.Scope{"none": element.ScopeNone, "build": element.ScopeBuild,
		"all": element.ScopeAll, "run": element.ScopeRun}[deps]
	needed := withElement(w.graph.Collect(scope, target), target)
	if err := w.queryCache(ctx, needed, false); err != nil {
		return err
	}
	if err := w.pullMissing(ctx, needed, useArtifacts); err != nil {
		return err
	}
	j := s.mainJournal(target, w)
	a, err := w.stageRun(ctx, target, scope, o.Integrate, j)
	defer func() {
		if a == nil {
			return
		}
		if err := a.close(); err != nil {
			j.message(stream.TypeWarning, nil, "The sandbox could not be removed", err.Error())
		}
	}()
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		e := *asError(err)
		e.Domain = stream.DomainStream
		e.Message = "Error while staging dependencies into a sandbox: '" + e.Message + "'"
		return &e
	}
	root, err := a.Root(ctx)
	if err != nil {
		return err
	}
	done := &stream.CheckoutDone{Target: target.FullName}
	if o.Tar == "" {
		err = j.activity("Checking out files in '"+o.Directory+"'", func() error {
			d, err := root.Digest()
			if err != nil {
				return err
			}
			return checkoutTree(w.store, d, o)
		})
	} else {
		err = j.activity("Creating tarball", func() error { return writeTarball(ctx, w.store, root, o, "./") })
		if o.TarToStdout {
			done.Tar = o.Tar
		}
	}
	if err != nil {
		return err
	}
	s.emit(done)
	return nil
}

// checkoutTree fills the destination. An empty one is replaced by a folder that
// was filled beside it, so that no half checkout is left when it fails.
func checkoutTree(store *cas.Store, d cas.Digest, o *stream.Checkout) (err error) {
	options := cas.CheckoutOptions{Hardlink: o.Hardlinks}
	entries, err := os.ReadDir(o.Directory)
	if err != nil || len(entries) > 0 {
		return store.CheckoutTree(d, o.Directory, options)
	}
	beside, err := os.MkdirTemp(filepath.Dir(o.Directory), ".bst-checkout-*")
	if err != nil { // the folder is ours, its parent may not be
		return store.CheckoutTree(d, o.Directory, options)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, patient.RemoveAll(beside))
		}
	}()
	if err := os.Chmod(beside, 0o755); err != nil {
		return err
	}
	if err := store.CheckoutTree(d, beside, options); err != nil {
		return err
	}
	if err := os.Remove(o.Directory); err != nil { // os.Rename replaces no folder
		return err
	}
	return patient.Rename(beside, o.Directory)
}

// checkLocation refuses a destination before anything is staged.
func checkLocation(o *stream.Checkout) error {
	fail := func(format string, args ...any) error {
		return &stream.Error{Domain: stream.DomainStream, Message: fmt.Sprintf(format, args...)}
	}
	if o.Tar != "" {
		if _, err := os.Lstat(o.Tar); err == nil && !o.Force && !o.TarToStdout {
			return fail("Output file '%s' already exists", o.Tar)
		}
		return nil
	}
	if err := os.MkdirAll(o.Directory, 0o755); err != nil {
		return fail("Failed to create destination directory: '%v'", err)
	}
	entries, err := os.ReadDir(o.Directory)
	if err != nil {
		return fail("Destination directory '%s' not readable: %v", o.Directory, err)
	}
	probe, err := os.CreateTemp(o.Directory, ".bst-checkout-*")
	if err != nil {
		return fail("Destination directory '%s' not writable", o.Directory)
	}
	probe.Close()
	if err := os.Remove(probe.Name()); err != nil {
		return fail("Destination directory '%s' not writable: %v", o.Directory, err)
	}
	if len(entries) > 0 && !o.Force {
		return fail("Destination directory '%s' not empty", o.Directory)
	}
	return nil
}

// dropNew gives what removes the folder of a checkout that failed, where it is not
// there yet.
func (s *session) dropNew(o *stream.Checkout) func(failed error) {
	if _, err := os.Lstat(o.Directory); o.Tar != "" || !os.IsNotExist(err) {
		return func(error) {}
	}
	return func(failed error) {
		if failed == nil {
			return
		}
		// Only a folder that is still empty goes: it was made here.
		if err := os.Remove(o.Directory); err != nil && !os.IsNotExist(err) {
			s.say(subject{}, stream.TypeWarning, nil, "The checkout's folder was left behind", err.Error())
		}
	}
}

// writeTarball writes to the side and renames, so that no half tarball is left.
// prefix begins the names in it.
func writeTarball(ctx context.Context, store *cas.Store, root *cas.Dir, o *stream.Checkout, prefix string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(o.Tar), "."+filepath.Base(o.Tar)+".*")
	if err != nil {
		return &stream.Error{Domain: stream.DomainStream, Message: fmt.Sprintf("Failed to create tarball: %v", err)}
	}
	defer func() {
		if err != nil {
			f.Close()
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	packed, err := compressor(f, o.Compression)
	if err != nil {
		return err
	}
	t := tar.NewWriter(packed)
	err = root.Walk(func(name string, e cas.Entry) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return addToTar(t, store, prefix+name, e)
	})
	for _, c := range []io.Closer{t, packed} {
		if closeErr := c.Close(); err == nil {
			err = closeErr
		}
	}
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Close()
	}
	if err == nil {
		err = patient.Rename(f.Name(), o.Tar)
	}
	if err != nil {
		var e *stream.Error
		if !errors.As(err, &e) && ctx.Err() == nil {
			err = &stream.Error{Domain: stream.DomainStream, Message: fmt.Sprintf("Failed to write tarball '%s': %v", o.Tar, err),
				Detail: "Nothing was left at that place."}
		}
	}
	return err
}

func addToTar(t *tar.Writer, store *cas.Store, name string, e cas.Entry) error {
	h := &tar.Header{Name: name, ModTime: cas.MTime, Mode: 0o644, Format: tar.FormatPAX}
	switch e.Type {
	case cas.TypeDirectory:
		h.Typeflag, h.Mode, h.Name = tar.TypeDir, 0o755, h.Name+"/"
		return t.WriteHeader(h)
	case cas.TypeSymlink:
		h.Typeflag, h.Mode, h.Linkname = tar.TypeSymlink, 0o777, e.Target
		return t.WriteHeader(h)
	}
	if e.Executable {
		h.Mode = 0o755
	}
	h.Typeflag, h.Size = tar.TypeReg, e.Digest.Size
	if err := t.WriteHeader(h); err != nil {
		return err
	}
	f, err := store.OpenFile(e.Digest)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(t, f)
	return err
}

// compressor wraps w; the result's Close ends the compression, not w.
func compressor(w io.Writer, kind string) (io.WriteCloser, error) {
	switch kind {
	case "gz":
		return gzip.NewWriter(w), nil
	case "bz2":
		return bzip2.NewWriter(w, nil)
	case "xz":
		return xz.NewWriter(w)
	case "":
		return plainWriter{w}, nil
	}
	return nil, &stream.Error{Domain: stream.DomainStream, Message: "Unknown compression '" + kind + "'",
		Detail: "Known are gz, xz and bz2."}
}

type plainWriter struct{ io.Writer }

func (plainWriter) Close() error { return nil }
