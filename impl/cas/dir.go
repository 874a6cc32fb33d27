package cas

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// Dir is a virtual directory: a tree of names over the store, without a file
// on disk. It is read from the store as far as it is looked at, and what is
// changed stays in memory until Digest writes it. What was not changed is held
// by digest alone, so clones and imports of whole trees cost next to nothing.
//
// A Dir and all that was reached from it through Sub belong to one goroutine
// at a time. Clones are independent of each other.
type Dir struct {
	store  *Store
	parent *Dir // nil: the root
	name   string

	// digest is that of the state in the store, if clean.
	digest Digest
	clean  bool

	// A directory as it is in the store has data (nil: not read yet), which is
	// shared and never written to. Once an entry changes, it has index instead.
	data  *dirData
	index map[string]Entry
	// properties are the directory's NodeProperties, once it has an index.
	properties string
	// kids are the directories below that somebody has opened. For these the
	// digest in the entry may be out of date.
	kids map[string]*Dir
}

// maxLinks is how many symlinks a path may go through, as on Linux.
const maxLinks = 40

// EmptyDir gives a new empty directory.
func (s *Store) EmptyDir() *Dir {
	return &Dir{store: s, digest: EmptyDigest, clean: true, data: &dirData{}}
}

// OpenDir gives the directory of that digest. It reads the directory itself,
// and those below when they are needed.
func (s *Store) OpenDir(d Digest) (*Dir, error) {
	dir := &Dir{store: s, digest: d, clean: true}
	if err := dir.load(); err != nil {
		return nil, err
	}
	return dir, nil
}

func (d *Dir) load() error {
	if d.data != nil || d.index != nil {
		return nil
	}
	data, err := d.store.readDirectory(d.digest)
	d.data = data
	return err
}

// Store is the store that the directory's objects lie in.
func (d *Dir) Store() *Store { return d.store }

// Path is where the directory lies in its tree; "/" is the root.
func (d *Dir) Path() string {
	if d.parent == nil {
		return "/"
	}
	return path.Join(d.parent.Path(), d.name)
}

// Clone gives an independent copy, as the root of a tree of its own. The cost
// is that of the directories that were changed since the last Digest.
func (d *Dir) Clone() *Dir { return d.clone(nil, "") }

func (d *Dir) clone(parent *Dir, name string) *Dir {
	c := &Dir{store: d.store, parent: parent, name: name, digest: d.digest, clean: d.clean, data: d.data, properties: d.properties}
	if d.clean && d.data != nil {
		return c
	}
	if d.index != nil {
		c.index = make(map[string]Entry, len(d.index))
		for name, e := range d.index {
			c.index[name] = e
		}
	}
	// A clean directory's entries have the digests of all below, dirty kids
	// there are none.
	for name, kid := range d.kids {
		if !kid.clean {
			c.setKid(name, kid.clone(c, name))
		} else if c.index != nil {
			c.refreshKid(name, kid)
		} else if e, ok := d.entry(name); ok && e.Digest != kid.digest {
			c.setKid(name, kid.clone(c, name))
		}
	}
	return c
}

func (d *Dir) setKid(name string, kid *Dir) {
	if d.kids == nil {
		d.kids = map[string]*Dir{}
	}
	d.kids[name] = kid
}

// refreshKid notes a clean kid's digest in the index.
func (d *Dir) refreshKid(name string, kid *Dir) {
	e := d.index[name]
	e.Digest = kid.digest
	d.index[name] = e
}

// entry is the entry as it is noted; a directory's digest may be out of date.
func (d *Dir) entry(name string) (Entry, bool) {
	if d.index != nil {
		e, ok := d.index[name]
		return e, ok
	}
	i, ok := d.data.find(name)
	if !ok {
		return Entry{}, false
	}
	return d.data.entries[i], true
}

func (d *Dir) len() int {
	if d.index != nil {
		return len(d.index)
	}
	return len(d.data.entries)
}

// sorted gives the entries by name. The slice must not be written to.
func (d *Dir) sorted() []Entry {
	if d.index == nil {
		if len(d.kids) == 0 || d.clean {
			return d.data.entries
		}
		list := slices.Clone(d.data.entries)
		for i := range list {
			list[i] = d.fresh(list[i])
		}
		return list
	}
	list := make([]Entry, 0, len(d.index))
	for _, e := range d.index {
		list = append(list, d.fresh(e))
	}
	slices.SortFunc(list, func(a, b Entry) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// fresh gives the entry with a directory's present digest, zero if it has to
// be worked out first.
func (d *Dir) fresh(e Entry) Entry {
	if kid := d.kids[e.Name]; kid != nil && e.Type == TypeDirectory {
		e.Digest = Digest{}
		if kid.clean {
			e.Digest = kid.digest
		}
	}
	return e
}

// change prepares the directory for a change of its own entries.
func (d *Dir) change() {
	d.dirty()
	if d.index != nil {
		return
	}
	d.index = make(map[string]Entry, len(d.data.entries)+1)
	for _, e := range d.data.entries {
		d.index[e.Name] = e
	}
	d.properties = d.data.properties
	d.data = nil
}

// dirty notes that the digest has to be worked out anew, here and above.
func (d *Dir) dirty() {
	for ; d != nil && d.clean; d = d.parent {
		d.clean = false
	}
}

// kid gives the directory of that name, which must be one.
func (d *Dir) kid(e Entry) (*Dir, error) {
	if kid := d.kids[e.Name]; kid != nil {
		return kid, nil
	}
	kid := &Dir{store: d.store, parent: d, name: e.Name, digest: e.Digest, clean: true}
	if err := kid.load(); err != nil {
		return nil, err
	}
	d.setKid(e.Name, kid)
	return kid, nil
}

// Digest stores the directory and those below it, as far as they changed, and
// gives its digest.
func (d *Dir) Digest() (Digest, error) {
	if d.clean {
		return d.digest, nil
	}
	for _, kid := range d.kids {
		if _, err := kid.Digest(); err != nil {
			return Digest{}, err
		}
	}
	properties := d.properties
	if d.index == nil {
		properties = d.data.properties
	}
	data := &dirData{entries: d.sorted(), properties: properties}
	digest, err := d.store.writeDirectory(data)
	if err != nil {
		return Digest{}, err
	}
	d.digest, d.clean = digest, true
	d.data, d.index = data, nil
	return digest, nil
}

// Entries gives what is in the directory, by name. The slice is the caller's.
// The digest of a directory in it is zero if something below it has changed
// since the last Digest.
func (d *Dir) Entries() []Entry { return slices.Clone(d.sorted()) }

// Len is the number of entries.
func (d *Dir) Len() int { return d.len() }

// split cuts a path into its components; empty ones and "." do not count.
func split(p string) []string {
	parts := strings.Split(p, "/")
	return slices.DeleteFunc(parts, func(s string) bool { return s == "" || s == "." })
}

// Lookup gives the entry at path, whose last component is not followed if it
// is a symlink; the others are. IsNotFound tells the error for a path that
// does not exist. The root's own entry is a directory named "/".
func (d *Dir) Lookup(path string) (Entry, error) {
	dir, name, err := d.leaf(path, false)
	if err != nil {
		return Entry{}, err
	}
	if name == "" {
		return Entry{Name: "/", Type: TypeDirectory, Digest: dir.knownDigest()}, nil
	}
	e, ok := dir.entry(name)
	if !ok {
		return Entry{}, dir.notFound(name)
	}
	return dir.fresh(e), nil
}

// Stat is Lookup that follows symlinks to the end, inside the tree.
func (d *Dir) Stat(path string) (Entry, error) {
	dir := d
	for links := 0; ; links++ {
		if links > maxLinks {
			return Entry{}, vfsError(ReasonNotFound, "Too many symlinks on the way to '%s'", path)
		}
		in, name, err := dir.leaf(path, false)
		if err != nil {
			return Entry{}, err
		}
		if name == "" {
			return Entry{Name: "/", Type: TypeDirectory, Digest: in.knownDigest()}, nil
		}
		e, ok := in.entry(name)
		if !ok {
			return Entry{}, in.notFound(name)
		}
		if e.Type != TypeSymlink {
			return in.fresh(e), nil
		}
		dir, path = in.from(e.Target), e.Target
	}
}

func (d *Dir) knownDigest() Digest {
	if d.clean {
		return d.digest
	}
	return Digest{}
}

func (d *Dir) notFound(name string) error {
	return vfsError(ReasonNotFound, "'%s' not found in %s", name, d.Path())
}

// root is the top of the tree.
func (d *Dir) root() *Dir {
	for d.parent != nil {
		d = d.parent
	}
	return d
}

// from is the directory in which a path begins.
func (d *Dir) from(path string) *Dir {
	if strings.HasPrefix(path, "/") {
		return d.root()
	}
	return d
}

// leaf gives the directory that path's last component lies in, and that
// component; "" where the path is the directory itself.
func (d *Dir) leaf(path string, create bool) (*Dir, string, error) {
	parts := split(path)
	if len(parts) == 0 {
		return d, "", nil
	}
	last := parts[len(parts)-1]
	links := 0
	if last == ".." {
		dir, err := d.walk(parts, create, &links)
		return dir, "", err
	}
	dir, err := d.walk(parts[:len(parts)-1], create, &links)
	return dir, last, err
}

// Sub gives the directory at path, which it makes, with those on the way, if
// it does not exist and create is set. Symlinks are followed inside the tree:
// an absolute one begins at its root, and ".." ends there. A path begins at d,
// with or without a leading slash.
func (d *Dir) Sub(path string, create bool) (*Dir, error) {
	links := 0
	return d.walk(split(path), create, &links)
}

func (d *Dir) walk(parts []string, create bool, links *int) (*Dir, error) {
	dir := d
	for _, part := range parts {
		if part == ".." {
			if dir.parent != nil {
				dir = dir.parent
			}
			continue
		}
		e, ok := dir.entry(part)
		switch {
		case !ok && !create:
			return nil, dir.notFound(part)
		case !ok:
			kid, err := dir.makeDir(part)
			if err != nil {
				return nil, err
			}
			dir = kid
		case e.Type == TypeDirectory:
			kid, err := dir.kid(e)
			if err != nil {
				return nil, err
			}
			dir = kid
		case e.Type == TypeSymlink:
			if *links++; *links > maxLinks {
				return nil, vfsError(ReasonNotDirectory, "Too many symlinks on the way to '%s' in %s", part, dir.Path())
			}
			to, err := dir.from(e.Target).walk(split(e.Target), create, links)
			if err != nil {
				return nil, err
			}
			dir = to
		default:
			return nil, vfsError(ReasonNotDirectory, "Cannot open '%s', which is a %s, as a directory in %s", part, e.Type, dir.Path())
		}
	}
	return dir, nil
}

func (d *Dir) depth() int {
	n := 0
	for ; d.parent != nil; d = d.parent {
		n++
	}
	return n
}

// makeDir adds an empty directory, whose name must be free.
func (d *Dir) makeDir(name string) (*Dir, error) {
	if err := checkName(name); err != nil {
		return nil, vfsError("", "Cannot make a directory in %s: %s", d.Path(), err)
	}
	if d.depth() >= MaxDepth {
		return nil, depthError("'" + d.Path() + "'")
	}
	kid := &Dir{store: d.store, parent: d, name: name, digest: EmptyDigest, clean: true, data: &dirData{}}
	d.change()
	d.index[name] = Entry{Name: name, Type: TypeDirectory, Digest: EmptyDigest}
	d.setKid(name, kid)
	return kid, nil
}

// MkdirAll makes the directory at path and those on the way, as far as they do
// not exist.
func (d *Dir) MkdirAll(path string) error {
	_, err := d.Sub(path, true)
	return err
}

// AddFile puts the object of the store at path, in place of a file, symlink or
// empty directory there. Directories on the way are made. That the object
// exists is not looked at.
func (d *Dir) AddFile(path string, digest Digest, executable bool) error {
	if !digest.Valid() {
		return vfsError("", "Cannot add '%s': it has an invalid digest", path)
	}
	return d.add(path, Entry{Type: TypeFile, Digest: digest, Executable: executable})
}

// AddSymlink puts a symlink at path, in place of a file, symlink or empty
// directory there. Directories on the way are made.
func (d *Dir) AddSymlink(path, target string) error {
	if err := checkTarget(path, target); err != nil {
		return vfsError("", "Cannot add '%s': %s", path, err)
	}
	return d.add(path, Entry{Type: TypeSymlink, Target: target})
}

// AddDir puts the whole directory of that digest at path, in place of a file,
// symlink or empty directory there. It is read when it is looked at.
func (d *Dir) AddDir(path string, digest Digest) error {
	if !digest.Valid() {
		return vfsError("", "Cannot add '%s': it has an invalid digest", path)
	}
	return d.add(path, Entry{Type: TypeDirectory, Digest: digest})
}

func (d *Dir) add(path string, e Entry) error {
	dir, name, err := d.leaf(path, true)
	if err != nil {
		return err
	}
	if name == "" {
		return vfsError("", "Cannot replace the directory '%s'", path)
	}
	if err := checkName(name); err != nil {
		return vfsError("", "Cannot add '%s': %s", path, err)
	}
	if old, ok := dir.entry(name); ok && old.Type == TypeDirectory {
		kid, err := dir.kid(old)
		if err != nil {
			return err
		}
		if kid.len() > 0 {
			return vfsError("", "Cannot replace the directory '%s', which is not empty", path)
		}
	}
	e.Name = name
	dir.set(e)
	return nil
}

// set puts the entry in place of whatever has its name.
func (d *Dir) set(e Entry) {
	d.change()
	d.forget(e.Name)
	d.index[e.Name] = e
}

// forget cuts off the opened directory of that name; who still holds it can
// use it, but it is no longer part of this tree.
func (d *Dir) forget(name string) {
	if kid := d.kids[name]; kid != nil {
		kid.parent, kid.name = nil, ""
		delete(d.kids, name)
	}
}

// Remove takes away what is at path, a symlink itself. A directory that is not
// empty goes only if recursive is set.
func (d *Dir) Remove(path string, recursive bool) error {
	dir, name, err := d.leaf(path, false)
	if err != nil {
		return err
	}
	if name == "" {
		return vfsError("", "Cannot remove '%s'", path)
	}
	e, ok := dir.entry(name)
	if !ok {
		return dir.notFound(name)
	}
	if e.Type == TypeDirectory && !recursive {
		kid, err := dir.kid(e)
		if err != nil {
			return err
		}
		if kid.len() > 0 {
			return vfsError("", "%s is not empty", kid.Path())
		}
	}
	dir.removeEntry(name)
	return nil
}

func (d *Dir) removeEntry(name string) {
	d.change()
	d.forget(name)
	delete(d.index, name)
}

// Rename moves what is at from to the path to, in place of a file, symlink or
// empty directory there. The directory that to lies in must exist.
func (d *Dir) Rename(from, to string) error {
	src, name, err := d.leaf(from, false)
	if err != nil {
		return err
	}
	e, ok := src.entry(name)
	if name == "" || !ok {
		return src.notFound(from)
	}
	dst, last, err := d.leaf(to, false)
	if err != nil {
		return err
	}
	if dst == src && last == name {
		return nil
	}
	if kid := src.kids[name]; kid != nil {
		for up := dst; up != nil; up = up.parent {
			if up == kid {
				return vfsError("", "Cannot move '%s' into itself", from)
			}
		}
		// Its digest moves; what was changed there has to have one.
		if e.Digest, err = kid.Digest(); err != nil {
			return err
		}
	}
	if err := d.add(to, e); err != nil {
		return err
	}
	src.removeEntry(name)
	return nil
}

// ReadFile gives the content of the file at path, following symlinks.
func (d *Dir) ReadFile(path string) ([]byte, error) {
	e, err := d.Stat(path)
	if err != nil {
		return nil, err
	}
	if e.Type != TypeFile {
		return nil, vfsError("", "'%s' in %s is not a file", path, d.Path())
	}
	return d.store.Get(e.Digest)
}

// Walk calls fn for everything below d: in each directory first what is not a
// directory, then each directory followed by its content, both by name, which
// is the order of the reference's listings. Paths are relative to d. An error
// of fn ends the walk and is returned; fn must not change the tree.
// The digest of a directory is zero if it has to be worked out first.
func (d *Dir) Walk(fn func(path string, e Entry) error) error {
	w := walker{store: d.store, fn: fn, start: d}
	return w.dir(d, d.sorted(), "", 0)
}

// walker visits a tree without keeping the directories it reads for the visit.
type walker struct {
	store *Store
	fn    func(path string, e Entry) error
	start *Dir
	count int
}

// dir visits the entries; d is nil where nobody has opened the directory.
func (w *walker) dir(d *Dir, entries []Entry, prefix string, depth int) error {
	if depth > MaxDepth {
		return depthError("'" + prefix + "'")
	}
	if w.count += len(entries); w.count > maxTreeEntries {
		return sizeError(w.start.Path())
	}
	for _, e := range entries {
		if e.Type != TypeDirectory {
			if err := w.fn(prefix+e.Name, e); err != nil {
				return err
			}
		}
	}
	for _, e := range entries {
		if e.Type != TypeDirectory {
			continue
		}
		path := prefix + e.Name
		if err := w.fn(path, e); err != nil {
			return err
		}
		var err error
		if kid := d.opened(e.Name); kid != nil {
			err = w.dir(kid, kid.sorted(), path+"/", depth+1)
		} else {
			var data *dirData
			if data, err = w.store.readDirectory(e.Digest); err == nil {
				err = w.dir(nil, data.entries, path+"/", depth+1)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// opened is the directory of that name if somebody has opened it.
func (d *Dir) opened(name string) *Dir {
	if d == nil {
		return nil
	}
	return d.kids[name]
}
