package wire

import (
	"hash/maphash"
	"sync/atomic"
)

// The events of a job repeat the names of its element, action and log, and its key,
// in one frame after the other: what came a little earlier is given again instead of
// being made anew. A frontend that keeps events keeps one copy of what they share.

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
