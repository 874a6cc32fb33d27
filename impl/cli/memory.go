package cli

import (
	"runtime"
	"runtime/debug"
)

// The collector of the process that does the work. A session is short and most of
// what it loads lives until its end, so that collecting often finds little. So
// nothing is collected until the first of these bounds is reached, which loading
// Freedesktop SDK does not; then memory may grow to five times what lives, and the
// second bound keeps a large graph from paying for that with memory. In bytes.
const (
	uncollected = 160 << 20
	memoryLimit = 768 << 20
	growth      = 400 // percent
)

// frontendLimit is where a frontend collects more often. Of a frontend alone little
// lives, and the runtime's value has it collect for each 4 MiB of events that came,
// which is a third of its processor time.
const frontendLimit = 128 << 20

// collectSeldom sets the collector of a frontend up.
func collectSeldom() {
	debug.SetGCPercent(growth)
	debug.SetMemoryLimit(frontendLimit)
}

// collectLate sets the collector up.
func collectLate() {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(uncollected)
	// The finalizer of what nobody has runs after the first collection.
	runtime.SetFinalizer(new([16]byte), func(*[16]byte) { collect() })
}

// collect ends the time in which nothing is collected: for a session that begins
// to work, and for a process that stays.
func collect() {
	debug.SetGCPercent(growth)
	debug.SetMemoryLimit(memoryLimit)
}
