package artifact

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"bst/impl/cas"
	"bst/impl/split"
	"bst/impl/stream"
)

// Cache is the artifacts in a cache directory. It is safe for concurrent use,
// by goroutines and by processes.
type Cache struct {
	refs  string
	store *cas.Store
}

// Bounds of what is read.
const (
	maxRef   = 64 << 20 // bytes of one artifact message
	maxDepth = 16       // of folders below refs
)

// Open gives the cache in <cachedir>/artifacts/refs. It writes nothing: a
// cache that does not exist yet is empty.
func Open(cachedir string, store *cas.Store) (*Cache, error) {
	dir, err := filepath.Abs(cachedir)
	if err != nil {
		return nil, refError("open", cachedir, err)
	}
	return &Cache{refs: filepath.Join(dir, "artifacts", "refs"), store: store}, nil
}

// Path is the file that holds, or would hold, the artifact of that name.
// The error is that the name is none.
func (c *Cache) Path(name string) (string, error) {
	if !filepath.IsLocal(name) || strings.ContainsRune(name, 0) || strings.Contains(name, "\\") || name == "." {
		return "", &stream.Error{Domain: stream.DomainArtifact, Message: fmt.Sprintf("Invalid artifact name: %q", name)}
	}
	return filepath.Join(c.refs, filepath.FromSlash(name)), nil
}

// Commit puts the artifact under its strong and its weak key. All its objects
// must be in the store already, so that whoever finds it can use it. Each name
// changes at once, from the old artifact or none to the new one.
func (c *Cache) Commit(project, normalName string, a *Artifact) error {
	if a.StrongKey == "" {
		return &stream.Error{Domain: stream.DomainArtifact, Message: fmt.Sprintf("The artifact of %s/%s has no key", project, normalName)}
	}
	a.Version = Version
	b, err := a.Encode()
	if err != nil {
		return &stream.Error{Domain: stream.DomainArtifact, Cause: err.Error(),
			Message: fmt.Sprintf("The artifact of %s/%s cannot be encoded: %s", project, normalName, err)}
	}
	keys := []string{a.StrongKey, a.WeakKey}
	for i, key := range keys {
		if key == "" || i > 0 && key == keys[0] {
			continue
		}
		path, err := c.Path(Name(project, normalName, key))
		if err != nil {
			return err
		}
		if err := c.write(path, b); err != nil {
			return err
		}
	}
	return nil
}

// Link gives an artifact, which must exist, another name too: that of its weak
// key, when it was found by its strong one.
func (c *Cache) Link(name, other string) error {
	from, err := c.Path(name)
	if err != nil {
		return err
	}
	to, err := c.Path(other)
	if err != nil || from == to {
		return err
	}
	b, err := readRef(from)
	if err != nil {
		return refError("read", from, err)
	}
	return c.write(to, b)
}

// write puts b at path, by way of a temporary file in the same folder. A file
// that a killed process leaves there begins with tempPrefix; List and Lookup
// do not see it, and the next write to that folder removes it.
func (c *Cache) write(path string, b []byte) error {
	dir := filepath.Dir(path)
	for attempt := 0; ; attempt++ {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return refError("create the folder", dir, err)
		}
		err := writeRef(dir, path, b)
		if errors.Is(err, fs.ErrNotExist) && attempt < 3 {
			// Somebody deleted the folder's last artifact, and the folder,
			// in between.
			continue
		}
		if err != nil {
			return refError("write", path, err)
		}
		return nil
	}
}

const (
	tempPrefix = ".tmp-"
	// tempAge is when a temporary file is taken for a dead process's: writing
	// one takes milliseconds.
	tempAge = time.Hour
)

func writeRef(dir, path string, b []byte) error {
	sweep(dir)
	f, err := os.CreateTemp(dir, tempPrefix+"*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// sweep removes what dead processes left in the folder, which has a few files:
// the keys of one element.
func sweep(dir string) {
	f, err := os.Open(dir)
	if err != nil {
		return
	}
	defer f.Close()
	names, _ := f.Readdirnames(1024)
	for _, name := range names {
		if !strings.HasPrefix(name, tempPrefix) {
			continue
		}
		path := filepath.Join(dir, name)
		if st, err := os.Lstat(path); err == nil && time.Since(st.ModTime()) > tempAge {
			os.Remove(path)
		}
	}
}

// Lookup gives the artifact of that name, or nil if there is none, and notes
// that it was used. An artifact whose metadata, logs or topmost directory are
// not in the store counts as none; Complete looks deeper. So does a file that
// is no artifact: building the element again replaces it.
func (c *Cache) Lookup(name string) (*Artifact, error) {
	path, err := c.Path(name)
	if err != nil {
		return nil, err
	}
	b, err := readRef(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR) {
		return nil, nil
	}
	if err != nil {
		return nil, refError("read", path, err)
	}
	a, err := Decode(b)
	if err != nil || !c.whole(a) {
		return nil, nil
	}
	// The time of last use, by which List sorts. In a cache that may only be
	// read nothing is noted.
	now := time.Now()
	_ = os.Chtimes(path, now, now)
	return a, nil
}

// whole looks at what is looked at without reading anything.
func (c *Cache) whole(a *Artifact) bool {
	has := func(d cas.Digest) bool { return d.IsZero() || d == cas.EmptyDigest || c.store.Has(d) }
	for _, log := range a.Logs {
		if !c.store.Has(log.Digest) {
			return false
		}
	}
	return has(a.Files) && has(a.PublicData) && has(a.LowDiversityMeta) && has(a.HighDiversityMeta)
}

// Complete says whether every file of the artifact's Files is in the store.
// The cost is a system call a file.
func (c *Cache) Complete(a *Artifact) (bool, error) { return c.tree(a.Files) }

// HasBuildTree says whether the artifact has a build tree and all of it is in
// the store.
func (c *Cache) HasBuildTree(a *Artifact) (bool, error) {
	if a.BuildTree.IsZero() {
		return false, nil
	}
	return c.tree(a.BuildTree)
}

func (c *Cache) tree(d cas.Digest) (bool, error) {
	if d.IsZero() {
		return true, nil
	}
	return c.store.HasTree(d)
}

func readRef(path string) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	switch {
	case st.IsDir():
		return nil, syscall.EISDIR
	case st.Size() > maxRef:
		return nil, fmt.Errorf("it has more than %d bytes", maxRef)
	}
	return os.ReadFile(path)
}

// List gives the names of the artifacts that the glob matches ("" is all), the
// least recently used first. An artifact has a name for each of its keys.
// In a glob "*" and "?" stop at slashes, "**" crosses them, and [...] is a set.
func (c *Cache) List(glob string) ([]string, error) {
	var match *split.Glob
	from := ""
	if glob != "" {
		var err error
		if match, err = split.Compile(glob); err != nil {
			return nil, &stream.Error{Domain: stream.DomainArtifact, Message: fmt.Sprintf("Invalid glob expression '%s': %s", glob, err)}
		}
		// Folders before the first wildcard need not be searched for.
		if i := strings.IndexAny(glob, "*?["); i >= 0 {
			from = glob[:i]
		} else {
			from = glob
		}
		from = from[:strings.LastIndexByte(from, '/')+1]
		if strings.Contains(from, "\x00") || from != "" && !filepath.IsLocal(from) {
			return nil, nil
		}
	}
	type ref struct {
		used time.Time
		name string
	}
	var found []ref
	var visit func(prefix string, depth int) error
	visit = func(prefix string, depth int) error {
		dir := filepath.Join(c.refs, filepath.FromSlash(prefix))
		list, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			return nil
		}
		if err != nil {
			return refError("read", dir, err)
		}
		for _, item := range list {
			name := prefix + item.Name()
			switch {
			case item.IsDir():
				if depth < maxDepth {
					if err := visit(name+"/", depth+1); err != nil {
						return err
					}
				}
			case strings.HasPrefix(item.Name(), tempPrefix), !item.Type().IsRegular():
			case match == nil || match.Match(name):
				st, err := item.Info()
				if errors.Is(err, fs.ErrNotExist) {
					continue
				}
				if err != nil {
					return refError("read", filepath.Join(c.refs, name), err)
				}
				found = append(found, ref{st.ModTime(), name})
			}
		}
		return nil
	}
	if err := visit(from, 0); err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b ref) int {
		return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.name, b.name))
	})
	names := make([]string, len(found))
	for i, r := range found {
		names[i] = r.name
	}
	return names, nil
}

// Delete forgets the artifact of that name, and the folders that it leaves
// empty. Its objects stay in the store. That there is none is an error.
func (c *Cache) Delete(name string) error {
	path, err := c.Path(name)
	if err != nil {
		return err
	}
	err = os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return &stream.Error{Domain: stream.DomainArtifact, Message: fmt.Sprintf("Could not find ref '%s'", name)}
	}
	if err != nil {
		return refError("remove", path, err)
	}
	for dir := filepath.Dir(path); len(dir) > len(c.refs); dir = filepath.Dir(dir) {
		// Not empty, or somebody else is at it: either ends it well.
		if os.Remove(dir) != nil {
			break
		}
	}
	return nil
}

// refError is that of a file below refs.
func refError(verb, path string, err error) error {
	var known *stream.Error
	if errors.As(err, &known) {
		return err
	}
	e := &stream.Error{Domain: stream.DomainArtifact, Cause: err.Error()}
	text := err.Error()
	var errno syscall.Errno
	if errors.As(err, &errno) {
		text = errno.Error()
	}
	e.Message = fmt.Sprintf("Failed to %s '%s': %s", verb, path, text)
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		e.Reason = cas.ReasonNoSpace
		e.Detail = "Free some space on that filesystem, or set `cachedir` in buildstream.conf to another place."
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		e.Reason = cas.ReasonNotWritable
		e.Detail = "The user who runs bst must be able to read and write there; `cachedir` in buildstream.conf gives the cache another place."
	}
	return e
}
