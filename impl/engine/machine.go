package engine

import (
	"fmt"
	"os"

	"bst/impl/stream"
)

// full is how much a file system has left, in bytes, that counts as full: what
// failed for want of space may have left a little.
const full = 1 << 20

// noteCache notes which cache the session uses. What cannot be made or looked at
// whoever needs it will tell.
func (w *world) noteCache() {
	if err := os.MkdirAll(w.store.Dir(), 0o755); err == nil {
		w.cache, _ = os.Stat(w.store.Dir())
	}
}

// machineFailed says what is wrong with the machine that a build cannot be blamed
// for; nil where nothing is. It is asked when something has failed: such a failure
// is not one to remember.
func (w *world) machineFailed() *stream.Error {
	cache := w.s.set.Settings.CacheDir
	now, err := os.Stat(w.store.Dir())
	if w.cache != nil && (err != nil || !os.SameFile(now, w.cache)) {
		return &stream.Error{Domain: stream.DomainCAS, Reason: "cache-removed",
			Message: fmt.Sprintf("The cache '%s' was removed while it was in use", cache),
			Detail:  "Nothing else may touch it while bst runs. Start bst again: what is missing is fetched and built anew."}
	}
	left, known := freeSpace(cache)
	if known && left < full {
		return &stream.Error{Domain: stream.DomainCAS, Reason: "disk-full",
			Message: fmt.Sprintf("No space left on the disk of the cache '%s'", cache),
			Detail:  "Free some, or set `cachedir` in buildstream.conf to another place, and build again. The failure is not kept."}
	}
	return nil
}
