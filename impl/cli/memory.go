package cli

import (
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// The collector of the process that does the work. A session is short and most of
// what it loads lives until its end, so that collecting often finds little. So
// nothing is collected until the first of these bounds is reached, which loading
// Freedesktop SDK does not, or while it works the second, which a thousand small
// builds come near; then memory may grow to five times what lives, and the last bound
// keeps a large graph from paying for that with memory. In bytes.
const (
	uncollected = 160 << 20
	working     = 72 << 20
	memoryLimit = 768 << 20
	growth      = 400 // percent
)

// frontendLimit is where a frontend collects more often. Of a frontend alone little
// lives, and the runtime's value has it collect for each 4 MiB of events that came.
const frontendLimit = 128 << 20

// settled is how long a session lasts before its frontend gives up its second
// processor. Until then a system call that waits, as for the backend's end, would
// hold up all else for milliseconds: the runtime looks after such calls that seldom.
const settled = 50 * time.Millisecond

// alone sets the process of a frontend up whose backend is another. It has little to
// do, and if it lasts it does that on one processor: with more, each of its steps
// wakes another thread, and the work gives way to all of them (3 % of a build of
// gnome on two processors). stop ends what it began.
func alone() (stop func() bool) {
	debug.SetGCPercent(growth)
	debug.SetMemoryLimit(frontendLimit)
	return time.AfterFunc(settled, func() { runtime.GOMAXPROCS(1) }).Stop
}

// collectLate sets the collector up.
func collectLate() {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(uncollected)
	// The finalizer of what nobody has runs after the first collection.
	runtime.SetFinalizer(new([16]byte), func(*[16]byte) { collect() })
}

// collecting says that the time in which nothing is collected has ended.
var collecting struct {
	sync.Mutex
	yes bool
}

// collectLess is for a session that begins to work.
func collectLess() {
	collecting.Lock()
	defer collecting.Unlock()
	if !collecting.yes {
		debug.SetMemoryLimit(working)
	}
}

// collect ends the time in which nothing is collected: at the first collection, and
// for a process that stays.
func collect() {
	collecting.Lock()
	defer collecting.Unlock()
	collecting.yes = true
	debug.SetGCPercent(growth)
	debug.SetMemoryLimit(memoryLimit)
}
