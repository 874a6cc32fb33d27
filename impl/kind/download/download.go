// Package download is what source kinds that are one downloaded file (remote,
// tar) have in common: their keys, the file's place below the source directory
// and how it gets there.
//
// It knows URLs, checksums and .netrc. It does not know what is in the file.
package download

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/patient"
	"bst/impl/stream"
)

// Keys are the keys that every downloaded file may have in its configuration.
var Keys = append([]string{"url", "ref", "version", "version-guess-pattern"}, kind.CommonSourceKeys...)

// File is a downloaded file as a source names it.
type File struct {
	// URL is as the project writes it, with its alias.
	URL string
	// Primary is the URL with its alias expanded.
	Primary string
	// Sum is the SHA-256 of the file in hexadecimal; Tracked is false where the
	// source has none.
	Sum     string
	Tracked bool
	// Version and GuessPattern are nil where they are not set. The pattern is a
	// Python regular expression.
	Version, GuessPattern *string

	kind   string
	env    kind.SourceEnv
	client *client
}

// Configure reads the keys in Keys; others are left to the caller.
func (f *File) Configure(kindName string, config *node.Node, env kind.SourceEnv) error {
	f.kind, f.env, f.client = kindName, env, shared()
	var err error
	if f.URL, err = config.NeedStr("url"); err != nil {
		return err
	}
	f.Primary = env.Translate(f.URL)
	if ref := config.Get("ref"); ref != nil && !ref.IsNone() {
		if f.Sum, err = ref.Str(); err != nil {
			return err
		}
		f.Tracked = true
	}
	if f.GuessPattern, err = optional(config, "version-guess-pattern"); err != nil {
		return err
	}
	f.Version, err = optional(config, "version")
	return err
}

// optional is a string that may be absent, which differs from an empty one.
func optional(config *node.Node, key string) (*string, error) {
	if config.Get(key) == nil {
		return nil, nil
	}
	value, err := config.GetStr(key, "")
	return &value, err
}

// Key is the beginning of the unique key: the URL before any translation, the
// ref, and what reported versions depend on.
func (f *File) Key() []any {
	key := []any{f.URL, f.Sum}
	switch {
	case f.Version != nil:
		key = append(key, *f.Version)
	case f.GuessPattern != nil:
		key = append(key, *f.GuessPattern)
	}
	return key
}

// Resolved says that the source has a ref.
func (f *File) Resolved() bool { return f.Tracked }

// Path is where the file lies once it is fetched.
func (f *File) Path(w kind.SourceWork) (string, error) {
	dir, err := f.dir(w)
	if err != nil {
		return "", err
	}
	if !validRef(f.Sum) {
		return "", kind.SourceErrorf(f.kind, f.env, "", "'%s' is not a SHA-256 checksum", f.Sum)
	}
	return filepath.Join(dir, f.Sum), nil
}

func (f *File) dir(w kind.SourceWork) (string, error) {
	mirror, err := w.MirrorDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(mirror, kind.URLDirectory(f.URL)), nil
}

// validRef keeps a ref that is no checksum from naming another file.
func validRef(ref string) bool {
	if len(ref) != 64 {
		return false
	}
	return strings.Trim(ref, "0123456789abcdef") == ""
}

// Cached says that the file lies in its place. Only whole files whose checksum
// is right ever get there.
func (f *File) Cached(_ context.Context, w kind.SourceWork) bool {
	path, err := f.Path(w)
	if err != nil {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// Fetch downloads the file from the first URL that has it.
func (f *File) Fetch(ctx context.Context, w kind.SourceWork) error {
	if f.Cached(ctx, w) {
		return nil
	}
	dir, err := f.dir(w)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return f.fault("Cannot make the mirror directory", err)
	}
	sweep(dir)

	return kind.FetchFrom(ctx, f.kind, f.env, f.URL, func(url string) error {
		return w.Activity("Fetching "+url, func() error { return f.fetchFrom(ctx, w, dir, url) })
	})
}

// fetchFrom downloads url to the side, and moves the file to its place when its
// checksum is right.
func (f *File) fetchFrom(ctx context.Context, w kind.SourceWork, dir, url string) error {
	temp, err := os.CreateTemp(dir, tempPrefix)
	if err != nil {
		return f.fault("Cannot write to the mirror directory", err)
	}
	defer os.Remove(temp.Name())
	defer temp.Close()

	got, err := f.client.get(ctx, url, temp, w.Progress)
	if err != nil {
		return f.mirroring(url, err)
	}
	if got.sha256 != f.Sum {
		return &stream.Error{
			Domain:  stream.DomainSource,
			Message: "File downloaded from " + url + " has sha256sum '" + got.sha256 + "', not '" + f.Sum + "'!",
		}
	}
	return f.keep(w, temp, dir, url, got)
}

// mirroring makes the error of a download.
func (f *File) mirroring(url string, err error) error {
	var fail *failure
	if !errors.As(err, &fail) {
		return err
	}
	e := kind.SourceErrorf(f.kind, f.env, "", "Error mirroring %s: %s", url, fail)
	e.Temporary = fail.temporary
	return e
}

// keep moves a downloaded file to its place.
func (f *File) keep(w kind.SourceWork, temp *os.File, dir, url string, got result) error {
	// What the name promises is on the disk before the name is.
	err := temp.Chmod(0o644)
	if err == nil {
		err = temp.Sync()
	}
	if err := errors.Join(err, temp.Close()); err != nil { // Windows renames no open file
		return f.fault("Cannot store the file", err)
	}
	if err := patient.Rename(temp.Name(), filepath.Join(dir, got.sha256)); err != nil {
		return f.fault("Cannot store the file", err)
	}
	if got.etag == "" {
		return nil
	}
	if err := storeETag(dir, got.sha256, got.etag); err != nil {
		// It spares a download when the source is tracked, no more.
		w.Message(stream.TypeDebug, "Cannot store the ETag of "+url, err.Error())
	}
	return nil
}

func storeETag(dir, ref, etag string) error {
	temp, err := os.CreateTemp(dir, tempPrefix)
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(etag)
	if err := errors.Join(err, temp.Close()); err != nil {
		return err
	}
	return patient.Rename(temp.Name(), filepath.Join(dir, ref+".etag"))
}

// tempPrefix begins the names of files that are not whole yet.
const tempPrefix = ".download-"

// sweep removes what downloads left behind that were killed long ago.
func sweep(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), tempPrefix) {
			continue
		}
		if info, err := entry.Info(); err == nil && time.Since(info.ModTime()) > 24*time.Hour {
			os.Remove(filepath.Join(dir, entry.Name()))
		}
	}
}

// fault makes the error of a disk that does not do what it should.
func (f *File) fault(what string, err error) error {
	text := err.Error()
	var path *fs.PathError
	if errors.As(err, &path) {
		text = path.Path + ": " + path.Err.Error()
	}
	e := kind.SourceErrorf(f.kind, f.env, "", "%s: %s", what, text)
	e.Cause = err.Error()
	return e
}
