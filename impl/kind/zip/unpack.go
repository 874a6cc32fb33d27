package zip

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"bst/impl/split"
)

// Bounds against archives that are made to fill the disk: sources that people
// build from unpack to some times their size.
const (
	freeBytes  = 4 << 30
	ratio      = 1000
	maxMembers = 4 << 20
)

var (
	errNoBase   = errors.New("no folder matches")
	errTooLarge = errors.New("the archive unpacks to more bytes than bst accepts of one of its size")
)

// compile reads a pattern, which matches whether it is written with a slash
// before it or not.
func compile(pattern string) (*split.Glob, error) {
	return split.Compile("/" + strings.TrimPrefix(pattern, "/"))
}

// unpack writes the members below the base into dir.
func unpack(ctx context.Context, file string, based bool, glob *split.Glob, dir string) error {
	archive, err := zip.OpenReader(file)
	if err != nil {
		return err
	}
	defer archive.Close()
	if len(archive.File) > maxMembers {
		return fmt.Errorf("the archive has more than %d members", maxMembers)
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	base := ""
	if based {
		var found bool
		if base, found = findBase(archive.File, glob); !found {
			return errNoBase
		}
		base += "/"
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	left := int64(freeBytes + ratio*info.Size())
	for _, member := range archive.File {
		if err := ctx.Err(); err != nil {
			return err
		}
		name, below := strings.CutPrefix(memberName(member), base)
		if !below || name == "" {
			continue
		}
		if left, err = write(root, member, name, left); err != nil {
			return fmt.Errorf("%s: %w", member.Name, err)
		}
	}
	return nil
}

// memberName is a member's path from the archive's root, without a slash at its
// end but for folders' own.
func memberName(member *zip.File) string { return strings.TrimLeft(member.Name, "/") }

// findBase gives the first folder, in the order of names, that the pattern
// matches. Folders need not be members of their own.
func findBase(members []*zip.File, glob *split.Glob) (base string, found bool) {
	seen := map[string]struct{}{}
	for _, member := range members {
		name := memberName(member)
		for i := range len(name) {
			if name[i] != '/' {
				continue
			}
			folder := name[:i]
			if _, again := seen[folder]; again {
				continue
			}
			seen[folder] = struct{}{}
			if glob.Match("/"+folder) && (!found || folder < base) {
				base, found = folder, true
			}
		}
	}
	return base, found
}

// write writes one member, and tells how many bytes may still come. Permissions
// are the same whatever the archive says, and symbolic links are files that hold
// their target: so the reference has it, and the same key must stage the same.
func write(root *os.Root, member *zip.File, name string, left int64) (int64, error) {
	isFolder := strings.HasSuffix(name, "/")
	name = path.Clean(name)
	if !filepath.IsLocal(name) {
		return left, errors.New("it would lie outside of the sources")
	}
	if isFolder {
		return left, folders(root, name)
	}
	if parent := path.Dir(name); parent != "." {
		if err := folders(root, parent); err != nil {
			return left, err
		}
	}
	in, err := member.Open()
	if err != nil {
		return left, err
	}
	defer in.Close()
	out, err := root.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return left, err
	}
	n, err := io.Copy(out, io.LimitReader(in, left+1))
	if err == nil && n > left {
		err = errTooLarge
	}
	if err == nil {
		err = out.Chmod(0o644) // whatever the umask
	}
	return left - n, errors.Join(err, out.Close())
}

func folders(root *os.Root, name string) error {
	err := root.MkdirAll(name, 0o755)
	if errors.Is(err, fs.ErrExist) {
		if info, e := root.Stat(name); e == nil && info.IsDir() {
			return nil
		}
	}
	return err
}
