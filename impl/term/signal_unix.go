//go:build unix

package term

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// Signals delivers signals until stop is called. Signals that were ignored when
// the program started (nohup, background jobs of a script) stay ignored. A write
// to a closed pipe gives an error instead of ending the program.
//
// caught is closed once that is so. The runtime hands each signal to a thread of
// its own and waits for it, some 2 ms for all of them, in which the caller can go
// on; stop, which would take as long, waits for nothing.
func Signals() (signals <-chan Signal, caught <-chan struct{}, stop func()) {
	out := make(chan Signal, 16)
	ready, quit := make(chan struct{}), make(chan struct{})
	go func() {
		in := make(chan os.Signal, 16)
		defer signal.Stop(in)
		for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGTSTP} {
			if !signal.Ignored(sig) {
				signal.Notify(in, sig)
			}
		}
		signal.Notify(in, syscall.SIGCONT, syscall.SIGWINCH, syscall.SIGPIPE)
		close(ready)
		for {
			select {
			case sig := <-in:
				var s Signal
				switch sig {
				case syscall.SIGINT:
					s = Interrupt
				case syscall.SIGTERM:
					s = Terminate
				case syscall.SIGHUP:
					s = Hangup
				case syscall.SIGTSTP:
					s = Suspend
				case syscall.SIGCONT:
					s = Continued
				case syscall.SIGWINCH:
					s = Resized
				default:
					continue
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

// StopSelf stops the program as ^Z does and returns once it was continued.
func StopSelf() error {
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, syscall.SIGCONT)
	defer signal.Stop(continued)
	if err := syscall.Kill(os.Getpid(), syscall.SIGSTOP); err != nil {
		return err
	}
	// The stop may take effect a little after kill returned. Where nothing
	// stops (a process group without a shell above it), go on.
	select {
	case <-continued:
	case <-time.After(2 * time.Second):
	}
	return nil
}

// Terminated gives a context that ends when the program is asked to end. It does
// not wait until signals are caught, which takes a moment (see Signals): one that
// comes before that ends the program.
func Terminated(ctx context.Context) (context.Context, context.CancelFunc) {
	return terminated(ctx, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
}
