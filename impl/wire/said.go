package wire

import (
	"errors"
	"unsafe"
)

// The events of a job name its element, key and log time and again. A string that
// was spelt out in the same frame not long before crosses as a number: how many
// strings were spelt out since, an integer where a string would be. That is
// half of what a build's events take, and nobody hashes, compares or copies it.
//
// Only a frame's own strings are meant, so that each frame can be read alone, and
// only those that both ends can tell by their length, as many as both remember.

const (
	// shortestSaid and longestSaid bound the strings that are remembered, in bytes:
	// what is shorter is not worth a number, what is longer is seldom a name.
	shortestSaid = 5
	longestSaid  = sharedSize
	// maxSaid is how many are remembered: the last ones.
	maxSaid = 256
)

var errUnsaid = errors.New("the number of a string that was not spelt out")

func remembered(length int) bool { return length >= shortestSaid && length <= longestSaid }

// said is what a writer remembers of a frame. It finds a string by its address: the
// strings of a job's events are the same ones, and what is equal and lies elsewhere
// is spelt out again. Nil remembers nothing.
type said struct {
	slots [maxSaid]saidString
	count int // strings that were spelt out
}

// saidString is the string that the number of count stood for when it was spelt out.
type saidString struct {
	text   string
	number int
}

// append adds a string.
func (s *said) append(to []byte, text string) []byte {
	if s == nil || !remembered(len(text)) {
		return appendString(to, text)
	}
	at := unsafe.StringData(text)
	slot := &s.slots[slotOf(at)]
	if since := s.count - slot.number; since < maxSaid && len(slot.text) == len(text) && unsafe.StringData(slot.text) == at {
		return appendHead(to, cborUint, uint64(since))
	}
	s.count++
	*slot = saidString{text, s.count}
	return appendString(to, text)
}

// slotOf spreads addresses over the slots: the upper half of a product with 2^64
// divided by the golden ratio (Fibonacci hashing).
func slotOf(at *byte) uint64 {
	return uint64(uintptr(unsafe.Pointer(at))) * 0x9e3779b97f4a7c15 >> 32 % maxSaid
}

// heard is what a reader remembers of a frame: the inverse of said. Nil remembers
// nothing.
type heard struct {
	last  [maxSaid]string
	count int
}

// add takes note of a string that was spelt out.
func (h *heard) add(text string) {
	if h != nil && remembered(len(text)) {
		h.count++
		h.last[h.count%maxSaid] = text
	}
}

// get gives the string that was spelt out so many strings ago.
func (h *heard) get(since uint64) (string, error) {
	if h == nil || since >= maxSaid || since >= uint64(h.count) {
		return "", errUnsaid
	}
	return h.last[(h.count-int(since))%maxSaid], nil
}

// read reads a string, or the number of one.
func (h *heard) read(data []byte) (text string, rest []byte, err error) {
	if data[0]&0xe0 == cborUint {
		_, since, rest, err := head(data)
		if err == nil {
			text, err = h.get(since)
		}
		return text, rest, err
	}
	b, rest, err := readBytes(data)
	if err != nil {
		return "", nil, err
	}
	text = share(b)
	h.add(text)
	return text, rest, nil
}
