//go:build windows

package term

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// Signals delivers signals until stop is called. Windows has ^C and the closing
// of the console; it has no suspension, and tells of no new size.
func Signals() (signals <-chan Signal, stop func()) {
	caught := make(chan os.Signal, 16)
	signal.Notify(caught, os.Interrupt, syscall.SIGTERM)
	out := make(chan Signal, 16)
	quit := make(chan struct{})
	go func() {
		for {
			select {
			case sig := <-caught:
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
	var once sync.Once
	return out, func() {
		once.Do(func() {
			signal.Stop(caught)
			close(quit)
		})
	}
}

// StopSelf does nothing: Windows has no job control.
func StopSelf() error { return nil }

// Terminated gives a context that ends when the program is asked to end.
func Terminated(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
}
