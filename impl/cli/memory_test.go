package cli

import (
	"runtime/debug"
	"slices"
	"testing"

	"bst/strategies"
)

// A session of a process that collects already does not lower its limit, or a large
// graph would be collected all the time.
func TestWorkLowersTheLimitOnce(t *testing.T) {
	limit, percent := debug.SetMemoryLimit(-1), debug.SetGCPercent(100)
	t.Cleanup(func() {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
		collecting.yes = false
	})
	for _, step := range []struct {
		name string
		do   func()
		want int64
	}{
		{"a session works", collectLess, working},
		{"the first collection", collect, memoryLimit},
		{"another session works", collectLess, memoryLimit},
	} {
		if step.do(); debug.SetMemoryLimit(-1) != step.want {
			t.Errorf("%s: the limit is %d, want %d", step.name, debug.SetMemoryLimit(-1), step.want)
		}
	}
}

// Only a frontend whose backend is another process gives a processor up.
func TestApart(t *testing.T) {
	for _, name := range strategies.Names() {
		to, err := join().lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		if want := !slices.Contains([]string{"inprocess", "batched"}, name); to.apart != want || to.name != name {
			t.Errorf("%s is %q, apart %v, want %v", name, to.name, to.apart, want)
		}
	}
}
