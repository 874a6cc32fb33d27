package bug

import (
	"errors"
	"strings"
	"testing"
)

func breakDown() { panic("oh no") }

// wantBug wants an Error whose stack leads to where it happened.
func wantBug(t *testing.T, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Value != "oh no" || !strings.Contains(e.Stack, "breakDown") {
		t.Errorf("got %#v", err)
	}
}

func TestTry(t *testing.T) {
	wantBug(t, Try(func() error { breakDown(); return nil }))
	want := errors.New("other")
	if err := Try(func() error { return want }); err != want {
		t.Errorf("got %v", err)
	}
}

// A panic reaches the waiting goroutine with its own stack, twice removed too.
func TestGo(t *testing.T) {
	if n := Go(func() int { return 5 })(); n != 5 {
		t.Errorf("got %d", n)
	}
	wantBug(t, Try(func() error {
		Go(func() int { return Go(func() int { breakDown(); return 1 })() })()
		return nil
	}))
}

func TestGroup(t *testing.T) {
	ran := make(chan bool, 2)
	wantBug(t, Try(func() error {
		var g Group
		g.Go(func() { ran <- true })
		g.Go(breakDown)
		g.Go(func() { ran <- true })
		g.Wait()
		return nil
	}))
	if len(ran) != 2 {
		t.Errorf("%d of the others ran", len(ran))
	}
}

func TestStart(t *testing.T) {
	caught := make(chan error, 1)
	Start(breakDown, func(e *Error) { caught <- e })
	wantBug(t, <-caught)
}
