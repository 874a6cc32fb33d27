package sandbox

import (
	"slices"

	"bst/impl/cas"
)

// Arithmetic on stacks of layers: what an overlay of them would show, where that
// differs from the virtual directory that the element asked for, and what to do
// about it. It works on Directory messages alone, no file is touched, and a
// directory that lies in one layer only is never opened.

const (
	// maxLayers is how many layers are mounted one by one. The kernel takes 500;
	// but each name that a command looks up and that exists nowhere costs a look
	// into every layer, so long stacks are joined in groups first.
	maxLayers = 128
	// groupMean and groupMax shape those groups. Where a group ends depends on
	// the layer at the end alone, so that two elements whose dependencies differ
	// in a few have most groups, and their checkouts, in common.
	groupMean, groupMax = 8, 32
	// maxGroupings bounds the rounds of joining: each divides the count by
	// groupMean or so.
	maxGroupings = 6
)

// normalize gives the layers topmost first, without empty ones and without
// those that lie again further up.
func normalize(layers []cas.Digest) []cas.Digest {
	seen := map[string]bool{cas.EmptyDigest.Hash: true, "": true}
	var stack []cas.Digest
	for _, d := range slices.Backward(layers) {
		if !seen[d.Hash] {
			seen[d.Hash] = true
			stack = append(stack, d)
		}
	}
	return stack
}

// view is what an overlay shows at one name: a file or symlink, or a directory
// merged from several layers.
type view struct {
	entry cas.Entry
	// dirs are the directories to merge, topmost first; empty for a file.
	dirs []cas.Digest
}

// look gives what an overlay of the directories shows, by name. As overlayfs
// does, it merges directories downwards until something else of that name hides
// what is below.
func look(store *cas.Store, dirs []cas.Digest) (map[string]*view, error) {
	names := map[string]*view{}
	hidden := map[string]bool{}
	for _, d := range dirs {
		dir, err := store.OpenDir(d)
		if err != nil {
			return nil, err
		}
		for _, e := range dir.Entries() {
			v := names[e.Name]
			switch {
			case hidden[e.Name]:
			case e.Type == cas.TypeDirectory:
				if v == nil {
					v = &view{entry: e}
					names[e.Name] = v
				}
				if !slices.Contains(v.dirs, e.Digest) {
					v.dirs = append(v.dirs, e.Digest)
				}
			default:
				if v == nil {
					names[e.Name] = &view{entry: e}
				}
				hidden[e.Name] = true
			}
		}
	}
	return names, nil
}

// same says whether two entries, neither a directory, are the same to a command.
func same(a, b cas.Entry) bool {
	return a.Type == b.Type && a.Digest == b.Digest && a.Executable == b.Executable && a.Target == b.Target
}

// merge stores the directory that an overlay of the stack (topmost first) shows.
func merge(store *cas.Store, stack []cas.Digest) (cas.Digest, error) {
	switch len(stack) {
	case 0:
		return store.EmptyDir().Digest()
	case 1:
		return stack[0], nil
	}
	names, err := look(store, stack)
	if err != nil {
		return cas.Digest{}, err
	}
	out := store.EmptyDir()
	for name, v := range names {
		if len(v.dirs) == 0 {
			err = put(out, name, v.entry)
		} else {
			var d cas.Digest
			if d, err = merge(store, v.dirs); err == nil {
				err = out.AddDir(name, d)
			}
		}
		if err != nil {
			return cas.Digest{}, err
		}
	}
	return out.Digest()
}

// put adds a copy of the entry, which is no changed directory, to dir.
func put(dir *cas.Dir, name string, e cas.Entry) error {
	switch e.Type {
	case cas.TypeFile:
		return dir.AddFile(name, e.Digest, e.Executable)
	case cas.TypeSymlink:
		return dir.AddSymlink(name, e.Target)
	}
	return dir.AddDir(name, e.Digest)
}

// correct compares what an overlay of the stack shows with the directory that is
// wanted, and adds to patch, a directory that will lie on top of the stack, what
// makes them the same. It says false where a patch cannot: something must
// vanish. What lies below the paths in hidden does not matter, only that they
// are directories; path is where the stack lies.
//
// Differences come from the reference's rules for staging: a directory staged
// over a symlink to a directory goes where the link points, a file over a
// directory that is not empty is left out.
func correct(store *cas.Store, stack []cas.Digest, wanted cas.Digest, hidden map[string]bool, at string, patch *cas.Dir) (bool, error) {
	if len(stack) == 1 && stack[0] == wanted {
		return true, nil
	}
	names, err := look(store, stack)
	if err != nil {
		return false, err
	}
	want, err := store.OpenDir(wanted)
	if err != nil {
		return false, err
	}
	entries := want.Entries()
	present := make(map[string]bool, len(entries))
	for _, e := range entries {
		present[e.Name] = true
		v := names[e.Name]
		path := at + "/" + e.Name
		switch {
		case hidden[path] && e.Type == cas.TypeDirectory:
			if v == nil || len(v.dirs) == 0 {
				if err := patch.MkdirAll(e.Name); err != nil {
					return false, err
				}
			}
		case v != nil && e.Type == cas.TypeDirectory && len(v.dirs) > 0:
			below := store.EmptyDir()
			ok, err := correct(store, v.dirs, e.Digest, hidden, path, below)
			if !ok || err != nil {
				return false, err
			}
			if below.Len() > 0 {
				d, err := below.Digest()
				if err != nil {
					return false, err
				}
				if err := patch.AddDir(e.Name, d); err != nil {
					return false, err
				}
			}
		case v != nil && len(v.dirs) == 0 && e.Type != cas.TypeDirectory && same(v.entry, e):
		default:
			// New, or another type: on top it hides all below. (A directory over
			// a file is not merged with anything.)
			if err := put(patch, e.Name, e); err != nil {
				return false, err
			}
		}
	}
	for name := range names {
		if !present[name] {
			return false, nil
		}
	}
	return true, nil
}

// group joins a stack that is too long, part by part. join stores the merged
// directory of a part.
func group(stack []cas.Digest, limit int, join func([]cas.Digest) (cas.Digest, error)) ([]cas.Digest, error) {
	for round := 0; len(stack) > limit && round < maxGroupings; round++ {
		var out []cas.Digest
		start := 0
		for i, d := range stack {
			if !boundary(d, round) && i-start+1 < groupMax && i+1 < len(stack) {
				continue
			}
			joined, err := join(stack[start : i+1])
			if err != nil {
				return nil, err
			}
			out = append(out, joined)
			start = i + 1
		}
		// Joined groups can be equal to one another or to a layer.
		slices.Reverse(out)
		stack = normalize(out)
	}
	return stack, nil
}

// boundary says whether a group ends with this layer: one in groupMean does, by
// its digest; another digit each round.
func boundary(d cas.Digest, round int) bool {
	const digits = "0123456789abcdef"
	c := d.Hash[round]
	for i := range len(digits) {
		if digits[i] == c {
			return i%groupMean == 0
		}
	}
	return false
}
