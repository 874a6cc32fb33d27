// Package bug keeps a panic from taking more with it than the work it happened
// in: it becomes an error, with the stack of the place where it happened, that
// whoever waits for the work gets. It knows goroutines, and nothing of what runs
// on them.
//
// The backend starts goroutines through this package alone (impl/layering has the
// rule): a panic on any other goroutine would end the process, and with it, where
// frontend and backend share one, the terminal's owner.
package bug

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"
)

// Error is a panic that was caught.
type Error struct {
	// Value is what the panic was about.
	Value string
	// Stack is that of the goroutine that panicked.
	Stack string
}

func (e *Error) Error() string { return "this is a bug in bst: " + e.Value }

// Write writes the bug, with a title, to a new file in a folder of logs, and gives
// the file's path.
func (e *Error) Write(dir, title string) (path string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(dir, "bug."+time.Now().Format("20060102-150405")+".*.log")
	if err != nil {
		return "", err
	}
	_, err = fmt.Fprintf(f, "%s - %s\n%v\n\n%s\n", title, time.Now().Format(time.RFC1123), e, e.Stack)
	return f.Name(), errors.Join(err, f.Close())
}

// from makes an Error of what recover gave. What was carried over from another
// goroutine keeps the stack of its origin.
func from(v any) *Error {
	if e, ok := v.(*Error); ok {
		return e
	}
	return &Error{Value: fmt.Sprint(v), Stack: string(debug.Stack())}
}

// Catch is deferred: it calls f where the function panics, and ends the panic.
func Catch(f func(*Error)) {
	if v := recover(); v != nil {
		f(from(v))
	}
}

// Try calls f and gives a panic back as an error.
func Try(f func() error) (err error) {
	defer Catch(func(e *Error) { err = e })
	return f()
}

// Go calls f on a goroutine. wait waits for its end and gives what it gave; where
// it panicked, wait panics with the Error. wait may be called once, or never.
func Go[T any](f func() T) (wait func() T) {
	type result struct {
		value T
		bug   *Error
	}
	ended := make(chan result, 1)
	go func() {
		var r result
		defer func() { ended <- r }()
		defer Catch(func(e *Error) { r.bug = e })
		r.value = f()
	}()
	return func() T {
		r := <-ended
		if r.bug != nil {
			panic(r.bug)
		}
		return r.value
	}
}

// Start calls f on a goroutine that nobody waits for, and caught where it
// panicked.
func Start(f func(), caught func(*Error)) {
	go func() {
		defer Catch(caught)
		f()
	}()
}

// Group is goroutines that are waited for together. The zero Group has none.
type Group struct {
	wait  sync.WaitGroup
	mu    sync.Mutex // guards first
	first *Error
}

// Go calls f on a goroutine.
func (g *Group) Go(f func()) {
	g.wait.Go(func() {
		defer Catch(func(e *Error) {
			g.mu.Lock()
			defer g.mu.Unlock()
			if g.first == nil {
				g.first = e
			}
		})
		f()
	})
}

// Wait waits for all; where one panicked it panics with the first one's Error.
func (g *Group) Wait() {
	g.wait.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.first != nil {
		panic(g.first)
	}
}
