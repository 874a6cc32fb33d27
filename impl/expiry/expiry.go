// Package expiry keeps a cache within its quota: it takes away what was not used
// for longest, and nothing that a running session needs.
//
// It knows the names in a cache (artifacts, sources, kept checkouts), the objects
// that they hold, and when each was used. It does not know elements, and it
// decides nothing by itself: who uses a cache asks it for room.
//
// # What goes
//
// A name holds its objects: as long as an artifact is in the cache, it is whole.
// So names go, the least recently used first, and with each the objects that
// nothing else holds. An object that nothing holds at all goes when it is the
// oldest by its own last use. What was used since the oldest living session began
// stays, and so do the objects that are held by it (package cas tells how).
// A name goes before its objects, so that kill -9 in between leaves objects that
// nothing holds, which the next expiry takes, and never a name without them.
//
// # What it costs
//
// Asking whether there is room costs some reads of small files. Making room looks
// at all objects and reads all directories once: seconds for a million objects. It
// frees down to the low watermark so that it is seldom.
package expiry

import (
	"cmp"
	"context"
	"encoding/hex"
	"slices"
	"time"

	"bst/impl/cas"
)

// Policy says how large a cache may become.
type Policy struct {
	// Quota in bytes; 0 is infinite.
	Quota int64
	// Reserved is how many bytes the filesystem is to keep free.
	Reserved int64
	// LowWatermark is down to what part of the limit expiry goes, in percent.
	LowWatermark int
}

// Root is a name in the cache that holds objects.
type Root struct {
	// Used is when it was last used.
	Used time.Time
	// Read gives what it holds, by hashes: directories, and files. What cannot be
	// read holds nothing. It is called again before the name goes: keeping it all
	// would take hundreds of bytes a name.
	Read func() (trees, blobs []string)
	// Expire takes the name away, unless it was used since Used or is in use.
	Expire func() (gone bool, err error)
}

// Names gives all names of one sort. It is called by one process at a time, and
// may mend what a killed one left.
type Names func(yield func(Root) error) error

// Cache is what is to be kept within a policy.
type Cache struct {
	Store  *cas.Store
	Policy Policy
	// Names are all sorts of names that hold objects. One that is missing here
	// holds nothing.
	Names []Names
	// Free tells how many bytes the filesystem of a folder has left; nil for the
	// real one.
	Free func(dir string) (int64, error)
}

// State is how full a cache is.
type State struct {
	// Used is the bytes of its objects, as accounted for; Known is false where
	// nobody has counted them yet.
	Used  int64
	Known bool
	// Counted is when they were last counted.
	Counted time.Time
	// Unsure says that they must be counted before it can be told whether there
	// is room.
	Unsure bool
	// Limit is what may be used: the policy's quota, or less where the disk is too
	// full for that. 0 for no limit, which Limited tells from a limit of nothing.
	Limit   int64
	Limited bool
	// ByDisk says that the disk's room sets the limit, not the quota.
	ByDisk bool
}

// Full says that there is more than may be.
func (s *State) Full() bool { return s.lacks(0) > 0 }

// lacks is how many bytes must go for need more to have room.
func (s *State) lacks(need int64) int64 {
	if !s.Limited {
		return 0
	}
	return max(0, s.Used+need-s.Limit)
}

// State looks how full the cache is. It costs some reads of small files.
func (c *Cache) State() (State, error) {
	used, counted, err := c.Store.Usage()
	if err != nil {
		return State{}, err
	}
	s := State{Used: used, Known: !counted.IsZero(), Counted: counted}
	if c.Policy.Quota > 0 {
		s.Limit, s.Limited, s.Unsure = c.Policy.Quota, true, !s.Known
	}
	if c.Policy.Reserved > 0 {
		free := c.Free
		if free == nil {
			free = diskFree
		}
		// Where it cannot be told nothing is limited by it.
		if left, err := free(c.Store.Dir()); err == nil {
			if room := max(0, used+left-c.Policy.Reserved); !s.Limited || room < s.Limit {
				s.Limit, s.Limited, s.ByDisk = room, true, true
			}
		}
	}
	return s, nil
}

// Result is what MakeRoom did.
type Result struct {
	// Before and After are the state before and after.
	Before, After State
	// Names and Objects are how many went, Bytes how large the objects were.
	Names, Objects int
	Bytes          int64
	// Held is the bytes of objects that stayed. Where After is still full, it is
	// what running sessions use.
	Held int64
}

// ErrBusy says that another process is making room.
var ErrBusy = cas.ErrBusy

// MakeRoom takes away what was not used for longest, where there is no room for
// need more bytes, until the cache is not fuller than the low watermark and there
// is. That it cannot is no error: see Result.After. ErrBusy: another process is at
// it.
func (c *Cache) MakeRoom(ctx context.Context, need int64) (*Result, error) {
	state, err := c.State()
	if err != nil {
		return nil, err
	}
	if !state.Unsure && state.lacks(need) == 0 {
		return &Result{Before: state, After: state}, nil
	}
	return c.expire(ctx, need, false)
}

// Prune takes away all objects that nothing holds and no session uses, however
// much room there is: what deleted artifacts leave.
func (c *Cache) Prune(ctx context.Context) (*Result, error) { return c.expire(ctx, 0, true) }

// run is one expiry.
type run struct {
	c      *Cache
	e      *cas.Expirer
	x      *index
	twins  []cas.File
	roots  []Root
	result *Result
}

func (c *Cache) expire(ctx context.Context, need int64, prune bool) (*Result, error) {
	e, err := c.Store.Expire()
	if err != nil {
		return nil, err
	}
	defer e.Close()
	r := &run{c: c, e: e, result: &Result{}}
	if err := r.look(ctx); err != nil {
		return nil, err
	}
	if r.result.Before, err = c.State(); err != nil {
		return nil, err
	}
	if err := r.mark(ctx); err != nil {
		return nil, err
	}
	goal := int64(0)
	if !prune {
		before := &r.result.Before
		lacks := before.lacks(need)
		if lacks == 0 {
			r.result.After = r.result.Before
			return r.result, nil
		}
		percent := int64(c.Policy.LowWatermark)
		goal = max(lacks, before.Used-before.Limit/100*percent-before.Limit%100*percent/100)
	}
	if err := r.take(ctx, goal, prune); err != nil {
		return nil, err
	}
	r.held()
	r.result.After, err = c.State()
	return r.result, err
}

// look lists the objects, and corrects the account.
func (r *run) look(ctx context.Context) error {
	var list []object
	var sum int64
	n := 0
	err := r.c.Store.Files(func(f cas.File) error {
		if n++; n%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		sum += f.Size
		if f.Twin {
			r.twins = append(r.twins, f)
			return nil
		}
		o := object{size: f.Size, used: f.Used}
		if _, err := hex.Decode(o.hash[:], []byte(f.Digest.Hash)); err != nil {
			return nil // Files gives valid digests only
		}
		list = append(list, o)
		return nil
	})
	if err != nil {
		return err
	}
	r.x = newIndex(list)
	for i := range r.twins {
		if k := r.x.find(r.twins[i].Digest.Hash); k >= 0 {
			r.x.list[k].twin = int32(i + 1)
		}
	}
	return r.e.Counted(sum)
}

// mark counts for each object what holds it.
func (r *run) mark(ctx context.Context) error {
	for _, names := range r.c.Names {
		err := names(func(root Root) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			trees, blobs := root.Read()
			r.x.hold(r.e, trees, blobs)
			if root.Used.UnixNano() < r.e.Cutoff {
				r.roots = append(r.roots, root)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// What can go.
const (
	aRoot = iota
	anObject
	aTwin
)

// candidate is a thing that can go, by its number in its list.
type candidate struct {
	used int64
	what int8
	n    int32
}

// take takes away the least recently used things until goal bytes are free; with
// prune all objects that nothing holds, and no more.
func (r *run) take(ctx context.Context, goal int64, prune bool) error {
	var list []candidate
	if !prune {
		for i := range r.roots {
			list = append(list, candidate{r.roots[i].Used.UnixNano(), aRoot, int32(i)})
		}
	}
	for i := range r.x.list {
		if o := &r.x.list[i]; o.refs == 0 && o.used < r.e.Cutoff {
			list = append(list, candidate{o.used, anObject, int32(i)})
		}
	}
	for i := range r.twins {
		// One in a checkout takes no less room when its name goes.
		if t := &r.twins[i]; !t.Linked && t.Used < r.e.Cutoff {
			list = append(list, candidate{t.Used, aTwin, int32(i)})
		}
	}
	slices.SortFunc(list, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.used, b.used), cmp.Compare(a.what, b.what)) })
	for _, c := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !prune && r.result.Bytes >= goal {
			return nil
		}
		var err error
		switch c.what {
		case aRoot:
			root := &r.roots[c.n]
			trees, blobs := root.Read()
			var gone bool
			if gone, err = root.Expire(); gone {
				r.result.Names++
				err = r.x.release(r.e, trees, blobs, r.discard)
			}
		case anObject:
			var below []string
			if o := &r.x.list[c.n]; !o.gone && o.refs == 0 {
				if below, err = r.x.drop(r.e, c.n, r.discard); err == nil {
					err = r.x.release(r.e, nil, below, r.discard)
				}
			}
		case aTwin:
			err = r.discardTwin(int(c.n))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// discard takes an object away, and its twin.
func (r *run) discard(i int32) (gone bool, err error) {
	o := &r.x.list[i]
	gone, err = r.e.Discard(cas.File{Digest: o.digest(), Size: o.size, Used: o.used})
	if !gone || err != nil {
		return gone, err
	}
	r.result.Objects++
	r.result.Bytes += o.size
	if o.twin > 0 {
		err = r.discardTwin(int(o.twin - 1))
	}
	return true, err
}

func (r *run) discardTwin(i int) error {
	t := &r.twins[i]
	gone, err := r.e.Discard(*t)
	if gone {
		r.result.Bytes += t.Size
	}
	return err
}

// held adds up what is held by names or by uses.
func (r *run) held() {
	for i := range r.x.list {
		if o := &r.x.list[i]; !o.gone && (o.refs > 0 || o.used >= r.e.Cutoff) {
			r.result.Held += o.size
		}
	}
}
