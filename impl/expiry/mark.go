package expiry

import (
	"encoding/hex"
	"slices"

	"bst/impl/cas"
)

// index knows the objects of a store, and how many names and directories name
// each. It takes some 50 bytes an object.
type index struct {
	list []object
	// first is where the objects with these first two bytes begin.
	first [1<<16 + 1]int32
}

// object is an object in the store.
type object struct {
	hash [32]byte
	size int64
	used int64 // nanoseconds since 1970
	refs int32 // names and directories that name it
	// walked says that what it names, as a directory, was added.
	walked, gone bool
	// twin is 1 + the number of its twin in twins, 0 for none.
	twin int32
}

func (o *object) digest() cas.Digest {
	return cas.Digest{Hash: hex.EncodeToString(o.hash[:]), Size: o.size}
}

func prefix(h *[32]byte) int { return int(h[0])<<8 | int(h[1]) }

// newIndex sorts the list, which it keeps.
func newIndex(list []object) *index {
	slices.SortFunc(list, func(a, b object) int { return slices.Compare(a.hash[:], b.hash[:]) })
	x := &index{list: list}
	at := 0
	for p := range len(x.first) - 1 {
		x.first[p] = int32(at)
		for at < len(list) && prefix(&list[at].hash) == p {
			at++
		}
	}
	x.first[len(x.first)-1] = int32(at)
	return x
}

// find gives the number of an object, -1 where the store has none.
func (x *index) find(hash string) int32 {
	var h [32]byte
	if n, err := hex.Decode(h[:], []byte(hash)); n != len(h) || err != nil {
		return -1
	}
	p := prefix(&h)
	from, to := x.first[p], x.first[p+1]
	i, ok := slices.BinarySearchFunc(x.list[from:to], h, func(o object, h [32]byte) int { return slices.Compare(o.hash[:], h[:]) })
	if !ok {
		return -1
	}
	return from + int32(i)
}

// reader reads directories of the store: see cas.Expirer.Below.
type reader interface {
	Below(d cas.Digest) (trees, blobs []string)
}

// hold counts one more name for each tree and blob, and what is below them where
// that was not counted before: each directory counts what it names once.
func (x *index) hold(r reader, trees, blobs []string) {
	stack := slices.Clone(trees)
	count := func(hash string) *object {
		i := x.find(hash)
		if i < 0 {
			return nil
		}
		x.list[i].refs++
		return &x.list[i]
	}
	for _, b := range blobs {
		count(b)
	}
	for len(stack) > 0 {
		hash := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		o := count(hash)
		if o == nil || o.walked {
			continue
		}
		o.walked = true
		trees, blobs := r.Below(o.digest())
		for _, b := range blobs {
			count(b)
		}
		stack = append(stack, trees...)
	}
}

// release takes one name from each, and calls dead for each object that has none
// left. dead says whether the object is gone; where it is not it still holds what
// is below it.
func (x *index) release(r reader, trees, blobs []string, dead func(i int32) (bool, error)) error {
	stack := slices.Concat(trees, blobs)
	for len(stack) > 0 {
		hash := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		i := x.find(hash)
		if i < 0 {
			continue
		}
		o := &x.list[i]
		if o.refs--; o.refs > 0 || o.gone {
			continue
		}
		more, err := x.drop(r, i, dead)
		if err != nil {
			return err
		}
		stack = append(stack, more...)
	}
	return nil
}

// drop has an object that nothing names taken away, and gives what it named.
func (x *index) drop(r reader, i int32, dead func(i int32) (bool, error)) (below []string, err error) {
	o := &x.list[i]
	var trees, blobs []string
	if o.walked {
		trees, blobs = r.Below(o.digest())
	}
	if o.gone, err = dead(i); err != nil || !o.gone {
		return nil, err
	}
	return append(trees, blobs...), nil
}
