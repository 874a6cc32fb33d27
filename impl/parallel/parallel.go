// Package parallel does the same with each of many, on all processors.
//
// It knows numbers and errors. It does not know what is done.
package parallel

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"bst/impl/bug"
)

// Do calls f(0) to f(n-1) on all processors and returns the error of the
// lowest number that has one.
func Do(ctx context.Context, n int, f func(int) error) error {
	var (
		next   atomic.Int64
		stop   atomic.Bool
		wg     bug.Group
		mu     sync.Mutex // guards failed and first
		failed error
		first  = n
	)
	for range min(runtime.GOMAXPROCS(0), n) {
		wg.Go(func() {
			for !stop.Load() {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				err := ctx.Err()
				if err == nil {
					err = bug.Try(func() error { return f(i) })
				}
				if err != nil {
					// Every lower number has been taken, and will be finished.
					stop.Store(true)
					mu.Lock()
					if i < first {
						first, failed = i, err
					}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return failed
}
