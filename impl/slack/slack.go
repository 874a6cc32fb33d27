// Package slack says how late the kernel may wake the threads of a process that is
// started: Linux's timer slack (prctl(2), PR_SET_TIMERSLACK), which a process has
// from the thread that starts it and keeps through execve.
//
// It knows the two values that this program uses. It does not know what is started.
//
// While a program in Go works, a thread of its runtime looks after the others, and
// sleeps 20 µs in between. With the usual slack of 50 µs it takes the processor from
// somebody every 100 µs, and where a frontend and a backend begin at once on two
// processors, that somebody is the other one.
package slack

import "time"

const (
	// backend is much shorter than what a person sees or than the time between
	// frames, and long enough not to be in the way.
	backend = 500 * time.Microsecond
	// usual is Linux's own.
	usual = 50 * time.Microsecond
)
