package download

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/patient"
	"bst/impl/stream"
)

// Ref is the checksum.
func (f *File) Ref() *node.Node { return kind.TextRef(f.Sum) }

// Track downloads the file, unless the server says that it is the one that is here,
// and gives its checksum.
func (f *File) Track(ctx context.Context, w kind.SourceWork, _ string) (*node.Node, error) {
	sum, err := f.TrackSum(ctx, w)
	if err != nil {
		return nil, err
	}
	if f.Tracked && f.Sum != "" && f.Sum != sum {
		// What lies at a URL is not meant to change.
		w.Message(stream.TypeWarning, "Potential man-in-the-middle attack!", fmt.Sprintf(
			"When tracking, new ref differs from current ref:\n  Tracked URL: %s\n  Current ref: %s\n  New ref: %s\n", f.Primary, f.Sum, sum))
	}
	return kind.TextRef(sum), nil
}

// SumAt is TrackSum of what lies at another URL. known is the SHA-256 that the file
// there had, "" where that is not known.
func SumAt(ctx context.Context, w kind.SourceWork, kindName string, env kind.SourceEnv, url, known string) (string, error) {
	config := kind.Texts("url", url)
	if known != "" {
		config.Set("ref", node.NewVerbatim(known))
	}
	var f File
	if err := f.Configure(kindName, config, env); err != nil {
		return "", err
	}
	return f.TrackSum(ctx, w)
}

// TrackSum is Track for kinds whose ref has another form.
func (f *File) TrackSum(ctx context.Context, w kind.SourceWork) (string, error) {
	dir, err := f.dir(w)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", f.fault("Cannot make the mirror directory", err)
	}
	sweep(dir)
	sum := ""
	err = kind.TrackFrom(ctx, f.kind, f.env, f.URL, func(url string) error {
		return w.Activity("Tracking "+url, func() (err error) {
			sum, err = f.newest(ctx, w, dir, url)
			return err
		})
	})
	return sum, err
}

// newest downloads what lies at a URL to its place, which its checksum tells.
func (f *File) newest(ctx context.Context, w kind.SourceWork, dir, url string) (string, error) {
	etag := ""
	if f.Tracked && f.Cached(ctx, w) {
		// Without the file, an equal ETag would not help.
		text, err := patient.ReadFile(filepath.Join(dir, f.Sum+".etag"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", f.fault("Cannot read the mirror directory", err)
		}
		etag = string(text)
	}
	temp, err := os.CreateTemp(dir, tempPrefix)
	if err != nil {
		return "", f.fault("Cannot write to the mirror directory", err)
	}
	defer os.Remove(temp.Name())
	defer temp.Close()
	got, err := f.client.getIf(ctx, url, etag, temp, w.Progress)
	if errors.Is(err, errSame) {
		return f.Sum, nil
	}
	if err != nil {
		return "", f.mirroring(url, err)
	}
	return got.sha256, f.keep(w, temp, dir, url, got)
}

// Get reads a small file, such as an index, of up to limit bytes; accept is the form
// that is wanted, "" for any. Errors are as Fetch's.
func Get(ctx context.Context, kindName string, env kind.SourceEnv, url, accept string, limit int64) ([]byte, error) {
	f := &File{kind: kindName, env: env, client: shared()}
	text, err := f.client.read(ctx, url, accept, limit)
	if err != nil {
		return nil, f.mirroring(url, err)
	}
	return text, nil
}
