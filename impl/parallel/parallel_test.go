package parallel

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"bst/impl/bug"
)

func TestEachIsDoneOnce(t *testing.T) {
	for _, n := range []int{0, 1, 2, 1000} {
		did := make([]atomic.Int32, n)
		if err := Do(t.Context(), n, func(i int) error { did[i].Add(1); return nil }); err != nil {
			t.Error(err)
		}
		for i := range did {
			if got := did[i].Load(); got != 1 {
				t.Errorf("%d of %d was done %d times", i, n, got)
			}
		}
	}
}

// Which error is given does not depend on who was quicker.
func TestTheFirstErrorIsGiven(t *testing.T) {
	for range 100 {
		err := Do(t.Context(), 100, func(i int) error {
			if i >= 7 {
				return fmt.Errorf("%d", i)
			}
			return nil
		})
		if err == nil || err.Error() != "7" {
			t.Fatalf("%v, want 7", err)
		}
	}
}

func TestStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Do(ctx, 10, func(int) error { t.Error("it was done"); return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	err := Do(t.Context(), 3, func(i int) error { panic("oh") })
	if e := (*bug.Error)(nil); !errors.As(err, &e) {
		t.Errorf("a panic gives %v", err)
	}
}
