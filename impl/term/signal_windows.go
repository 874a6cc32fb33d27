//go:build windows

package term

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	xterm "golang.org/x/term"
)

// look is how often the console's size is looked at: Windows tells of a new one
// only among the input events, which belong to whoever reads lines.
const look = 500 * time.Millisecond

// Signals delivers signals until stop is called. Windows has ^C, ^Break and the
// closing of the console, its user's session or the machine, which Go delivers as
// SIGTERM; it has no suspension. caught is closed once they are caught.
func Signals() (signals <-chan Signal, caught <-chan struct{}, stop func()) {
	out := make(chan Signal, 16)
	ready, quit := make(chan struct{}), make(chan struct{})
	go func() {
		in := make(chan os.Signal, 16)
		defer signal.Stop(in)
		signal.Notify(in, os.Interrupt, syscall.SIGTERM)
		close(ready)
		ticker := time.NewTicker(look)
		defer ticker.Stop()
		size := consoleSize()
		for {
			select {
			case <-ticker.C:
				if now := consoleSize(); now != size {
					size = now
					select {
					case out <- Resized:
					default: // one is on its way
					}
				}
			case sig := <-in:
				s := Interrupt
				if sig == syscall.SIGTERM {
					s = Terminate
				}
				select {
				case out <- s:
				case <-quit:
					return
				}
			case <-quit:
				return
			}
		}
	}()
	return out, ready, sync.OnceFunc(func() { close(quit) })
}

// consoleSize is the size of the console that standard error is, or nothing.
func consoleSize() (size struct{ columns, rows int }) {
	if w, h, err := xterm.GetSize(int(os.Stderr.Fd())); err == nil {
		size.columns, size.rows = w, h
	}
	return size
}

// StopSelf does nothing: Windows has no job control.
func StopSelf() error { return nil }

// Terminated gives a context that ends when the program is asked to end.
func Terminated(ctx context.Context) (context.Context, context.CancelFunc) {
	return terminated(ctx, syscall.SIGTERM, os.Interrupt)
}
