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
	"bst/impl/patient"
	"bst/impl/reffile"
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
	return c.put(project, normalName, a, b)
}

// CommitMessage is Commit of an artifact as it came encoded from elsewhere, so that
// it keeps its digest, also where the message has parts that are not known here.
func (c *Cache) CommitMessage(project, normalName string, message []byte) (*Artifact, error) {
	a, err := Decode(message)
	if err == nil && a.StrongKey == "" {
		err = errors.New("it has no key")
	}
	if err != nil {
		return nil, &stream.Error{Domain: stream.DomainArtifact, Cause: err.Error(),
			Message: fmt.Sprintf("What was received as the artifact of %s/%s is none: %s", project, normalName, err)}
	}
	return a, c.put(project, normalName, a, message)
}

// Message is the artifact of that name, encoded as it is kept.
func (c *Cache) Message(name string) ([]byte, error) {
	path, err := c.Path(name)
	if err != nil {
		return nil, err
	}
	b, err := reffile.Use(path, maxRef)
	if err != nil {
		return nil, refError("read", path, err)
	}
	return b, nil
}

func (c *Cache) put(project, normalName string, a *Artifact, b []byte) error {
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
	b, err := reffile.Use(from, maxRef)
	if err != nil {
		return refError("read", from, err)
	}
	return c.write(to, b)
}

// write puts b at path. What was there keeps its objects until it expires: another
// session may be using it.
func (c *Cache) write(path string, b []byte) error {
	if err := reffile.Replace(path, b); err != nil {
		return refError("write", path, err)
	}
	return nil
}

// Present reads which elements of a project have artifacts at all, at this moment:
// for many elements that is quicker than looking for each. It says true where it
// cannot tell.
func (c *Cache) Present(project string) func(normalName string) bool {
	all := func(string) bool { return true }
	path, err := c.Path(project)
	if err != nil {
		return all
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return func(string) bool { return false }
	}
	if err != nil {
		return all
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return all
	}
	present := make(map[string]bool, len(names))
	for _, name := range names {
		present[name] = true
	}
	return func(normalName string) bool { return present[cleanName(normalName)] }
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
	b, err := reffile.Use(path, maxRef)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, refError("read", path, err)
	}
	a, err := Decode(b)
	if err != nil || !c.whole(a) {
		return nil, nil
	}
	return a, nil
}

// whole looks at what is looked at without reading anything. The artifact's name
// was just used, and holds it all.
func (c *Cache) whole(a *Artifact) bool {
	has := func(d cas.Digest) bool { return d.IsZero() || d == cas.EmptyDigest || c.store.Present(d) }
	for _, log := range a.Logs {
		if !c.store.Present(log.Digest) {
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
	return c.store.Whole(d)
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
			case reffile.Hidden(item.Name()), !item.Type().IsRegular():
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
// empty. Its objects stay in the store until they expire (package expiry), and not
// before those end who may be using it. That there is none is an error.
func (c *Cache) Delete(name string) error {
	path, err := c.Path(name)
	if err != nil {
		return err
	}
	kept, err := reffile.Retire(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return &stream.Error{Domain: stream.DomainArtifact, Message: fmt.Sprintf("Could not find ref '%s'", name)}
	}
	if err != nil {
		return refError("remove", path, err)
	}
	// Who begins to use the cache now does not find it any more.
	if users, err := c.store.Users(); err != nil || len(users) > 0 {
		return nil
	}
	if err := patient.Remove(kept); err != nil {
		return refError("remove", kept, err)
	}
	reffile.RemoveEmpty(c.refs, filepath.Dir(path))
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
