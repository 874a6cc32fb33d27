package wire

import (
	"errors"
	"hash/maphash"
	"sync/atomic"
)

// text is a string as the decoder sees it. The events of a job repeat the names of
// its element, action and log, and its key: what came a little earlier is given
// again instead of being made anew. That is a third of the allocations, and a
// frontend that keeps events keeps one copy of what they share.
type text string

const (
	// sharedSize bounds the strings that are shared, in bytes: names and keys.
	sharedSize = 256
	// sharedSlots is how many are remembered, each in the place that its hash says:
	// a few for every job that can run at once. With sharedSize, 256 KiB at most.
	sharedSlots = 1 << 10
)

var (
	shared     [sharedSlots]atomic.Pointer[string]
	sharedSeed = maphash.MakeSeed()
)

// share gives a string with these bytes, which stay the caller's.
func share(b []byte) string {
	if len(b) == 0 || len(b) > sharedSize {
		return string(b)
	}
	slot := &shared[maphash.Bytes(sharedSeed, b)%sharedSlots]
	if s := slot.Load(); s != nil && *s == string(b) {
		return *s
	}
	s := string(b)
	slot.Store(&s)
	return s
}

var errText = errors.New("wire: a string is not a byte string of CBOR")

// UnmarshalCBOR accepts a byte string (RFC 8949, section 3.1, major type 2) of
// known length, and null for the empty string, as fields of other types do. The
// bytes are well-formed.
func (t *text) UnmarshalCBOR(b []byte) error {
	if len(b) == 1 && b[0] == 0xf6 {
		*t = ""
		return nil
	}
	if len(b) == 0 || b[0]>>5 != 2 {
		return errText
	}
	head := 1
	switch n := b[0] & 31; {
	case n >= 24 && n <= 27:
		head += 1 << (n - 24)
	case n > 27:
		return errText
	}
	if len(b) < head {
		return errText
	}
	*t = text(share(b[head:]))
	return nil
}
