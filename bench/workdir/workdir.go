// Package workdir makes and removes folders of very many small files, as caches
// are that are filled once to be measured.
//
// It knows what file systems make of that, and nothing of what is in the files.
//
// ext4 without a journal gives no inode out again for one to five minutes after its
// file was removed, and whoever makes a file looks at each of those on the way to
// one that is free; mounted with discard, it gives the blocks of each removed file
// back to the disk one by one, and waits for each. So a run pays for what was
// removed before it, unless it makes its files elsewhere (Spread); and a folder is
// removed soon after it was filled, before its blocks have a place on the disk.
package workdir

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"
)

const (
	// removers is how many folders are removed at a time; a file system's locks
	// leave little for more.
	removers = 4
	// enough is how many folders are shared among them at least, where that many
	// are found in as many levels as maxLevels.
	enough    = 16 * removers
	maxLevels = 8
)

// Remove removes a folder and all that is in it, which need not be there. The files
// that lie in the folder itself go last, so that one that marks it as somebody's is
// there as long as it is. told, if not nil, hears after each part how many are gone
// and how many there are, one call at a time. Remove ends soon after ctx, with its
// error; the rest stays.
func Remove(ctx context.Context, dir string, told func(gone, all int)) error {
	parts, err := split(ctx, dir)
	if err != nil {
		return err
	}
	var mu sync.Mutex // guards gone, and orders the calls of told
	gone := 0
	var group errgroup.Group
	group.SetLimit(removers)
	for _, part := range parts {
		group.Go(func() error {
			if err := removeAll(ctx, part); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			if gone++; told != nil {
				told(gone, len(parts))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	// What lies above the parts: folders first.
	above, err := folders(dir)
	for _, path := range above {
		err = errors.Join(err, removeAll(ctx, path))
	}
	if err != nil {
		return err
	}
	return removeAll(ctx, dir)
}

// split gives the folders below dir of the first level that has enough of them, or
// of the last that has any.
func split(ctx context.Context, dir string) (parts []string, err error) {
	level := []string{dir}
	for range maxLevels {
		var next []string
		for _, path := range level {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			below, err := folders(path)
			if err != nil {
				return nil, err
			}
			next = append(next, below...)
		}
		if len(next) == 0 {
			break
		}
		if level, parts = next, next; len(parts) >= enough {
			break
		}
	}
	return parts, nil
}

// folders are those that lie in a folder.
func folders(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	var list []string
	for _, e := range entries {
		if e.IsDir() {
			list = append(list, filepath.Join(dir, e.Name()))
		}
	}
	return list, absent(err)
}

// removeAll is os.RemoveAll that ends soon after ctx, with its error.
func removeAll(ctx context.Context, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return absent(err)
	}
	for _, e := range entries {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		path := filepath.Join(dir, e.Name())
		if e.IsDir() {
			err = errors.Join(err, removeAll(ctx, path))
		} else {
			err = errors.Join(err, absent(os.Remove(path)))
		}
	}
	if err != nil {
		return err
	}
	return absent(os.Remove(dir))
}

// absent makes no error of what is not there, any more.
func absent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
