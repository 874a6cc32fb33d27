package cas

// ImportOptions say what Import takes over.
type ImportOptions struct {
	// Filter, if set, says of each path (relative to the source) whether it is
	// imported. It is asked about directories too, after what is below them:
	// one that is refused still exists if something below it was imported.
	Filter func(path string, t EntryType) bool
	// NoResult saves listing every file: Import then returns no result, and
	// takes over whole directories without looking into them.
	NoResult bool
	// NoWritten leaves Written empty: whole directories are then taken over
	// without looking into them, and overwritten files are still told.
	NoWritten bool
}

// ImportResult lists, by paths relative to the source, the files and symlinks
// that an import wrote, those of them that took the place of something, and
// those that were left out because a directory with content has their place.
type ImportResult struct {
	Written, Overwritten, Ignored []string
}

// Import puts everything in src into d, by the reference's rules:
//
//   - directories are merged;
//   - a file or symlink replaces a file, a symlink or an empty directory;
//   - a file or symlink that meets a directory with content is ignored;
//   - a directory that meets a file or a symlink, even one to a directory, is
//     an error. What was imported before it stays.
//
// A directory that d does not have is taken over by its digest, without
// reading it, if there is neither a filter nor a list of files to make. src stays as
// it is; it may lie in the same tree, and d may lie in src.
func (d *Dir) Import(src *Dir, opts ImportOptions) (*ImportResult, error) {
	im := &importer{store: d.store, opts: opts, origin: d}
	if !opts.NoResult {
		im.result = &ImportResult{}
	}
	err := im.merge(d, view{src, src.sorted()}, "", 0)
	return im.result, err
}

// view is a source directory: an opened one, or only its entries.
type view struct {
	dir     *Dir // nil where nobody has opened it
	entries []Entry
}

type importer struct {
	store  *Store
	opts   ImportOptions
	origin *Dir // where the import began
	result *ImportResult
	count  int
}

// order is that of the reference's Directory messages: directories first, then
// files, then symlinks.
var order = [...]EntryType{TypeDirectory, TypeFile, TypeSymlink}

func (im *importer) enter(entries []Entry, prefix string, depth int) error {
	if depth > MaxDepth {
		return depthError("'" + prefix + "'")
	}
	if im.count += len(entries); im.count > maxTreeEntries {
		return sizeError("'" + prefix + "'")
	}
	return nil
}

func (im *importer) merge(dst *Dir, src view, prefix string, depth int) error {
	if err := im.enter(src.entries, prefix, depth); err != nil {
		return err
	}
	for _, t := range order {
		for i := range src.entries {
			e := &src.entries[i]
			if e.Type != t {
				continue
			}
			var err error
			if t == TypeDirectory {
				err = im.directory(dst, src, e, prefix+e.Name, depth)
			} else {
				err = im.file(dst, e, prefix+e.Name)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// open gives the view of a directory in src.
func (im *importer) open(src view, e *Entry) (view, error) {
	if kid := src.dir.opened(e.Name); kid != nil {
		return view{kid, kid.sorted()}, nil
	}
	data, err := im.store.readDirectory(e.Digest)
	if err != nil {
		return view{}, err
	}
	return view{entries: data.entries}, nil
}

func (im *importer) directory(dst *Dir, src view, e *Entry, path string, depth int) error {
	kid := src.dir.opened(e.Name)
	if kid != nil && kid == im.origin {
		return nil // what is being imported into is not imported into itself
	}
	old, there := dst.entry(e.Name)
	if !there && im.opts.Filter == nil {
		if kid != nil && !kid.clean {
			copied := kid.clone(dst, e.Name)
			dst.set(Entry{Name: e.Name, Type: TypeDirectory})
			dst.setKid(e.Name, copied)
		} else {
			dst.set(Entry{Name: e.Name, Type: TypeDirectory, Digest: e.Digest})
		}
		if im.result == nil || im.opts.NoWritten {
			return nil
		}
		return im.list(src, e, path, depth+1)
	}
	below, err := im.open(src, e)
	if err != nil {
		return err
	}
	var into *Dir
	switch {
	case !there:
		into, err = dst.makeDir(e.Name)
	case old.Type == TypeDirectory:
		into, err = dst.kid(old)
	default:
		err = vfsError("", "Destination is a %s, not a directory: /%s", old.Type, path)
	}
	if err != nil {
		return err
	}
	if err := im.merge(into, below, path+"/", depth+1); err != nil {
		return err
	}
	if im.opts.Filter != nil && !im.opts.Filter(path, TypeDirectory) && !there && into.len() == 0 {
		dst.removeEntry(e.Name)
	}
	return nil
}

// list notes the files of a directory that was taken over whole.
func (im *importer) list(src view, e *Entry, path string, depth int) error {
	below, err := im.open(src, e)
	if err != nil {
		return err
	}
	if err := im.enter(below.entries, path, depth); err != nil {
		return err
	}
	for _, t := range order {
		for i := range below.entries {
			switch e := &below.entries[i]; {
			case e.Type != t:
			case t == TypeDirectory:
				if err := im.list(below, e, path+"/"+e.Name, depth+1); err != nil {
					return err
				}
			default:
				im.result.Written = append(im.result.Written, path+"/"+e.Name)
			}
		}
	}
	return nil
}

func (im *importer) file(dst *Dir, e *Entry, path string) error {
	if im.opts.Filter != nil && !im.opts.Filter(path, e.Type) {
		return nil
	}
	if old, there := dst.entry(e.Name); there {
		if old.Type == TypeDirectory {
			kid, err := dst.kid(old)
			if err != nil {
				return err
			}
			if kid.len() > 0 {
				if im.result != nil {
					im.result.Ignored = append(im.result.Ignored, path)
				}
				return nil
			}
		}
		if im.result != nil {
			im.result.Overwritten = append(im.result.Overwritten, path)
		}
	}
	dst.set(*e)
	if im.result != nil && !im.opts.NoWritten {
		im.result.Written = append(im.result.Written, path)
	}
	return nil
}
