package term

import (
	"context"
	"os"
	"os/signal"
	"sync"
)

// Signal is what a system tells the program.
type Signal uint8

const (
	// Interrupt is ^C.
	Interrupt Signal = iota
	// Terminate is SIGTERM.
	Terminate
	// Hangup says that the terminal is gone.
	Hangup
	// Suspend is ^Z.
	Suspend
	// Continued says that the program runs again after a stop.
	Continued
	// Resized says that the terminal has another size.
	Resized
)

// terminated gives a context that ends with the first of some signals. They are
// caught until it is cancelled.
func terminated(parent context.Context, signals ...os.Signal) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	quit := make(chan struct{})
	go func() {
		in := make(chan os.Signal, 1)
		defer signal.Stop(in)
		signal.Notify(in, signals...)
		select {
		case <-in:
			cancel()
			<-quit
		case <-quit:
		}
	}()
	return ctx, sync.OnceFunc(func() {
		cancel()
		close(quit)
	})
}
