package engine

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"bst/impl/cas"
)

// TestCacheSize: the size is that of all objects, and a session that ends is
// not waited for.
func TestCacheSize(t *testing.T) {
	store, err := cas.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	want := int64(0)
	for i := range 3 * cacheSlice {
		d, err := store.PutBytes([]byte(strconv.Itoa(i * 7919)))
		if err != nil {
			t.Fatal(err)
		}
		want += d.Size
	}
	if got, err := countCache(context.Background(), store); got != want || err != nil {
		t.Errorf("%d, %v, want %d", got, err, want)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := countCache(ctx, store); !errors.Is(err, context.Canceled) {
		t.Errorf("a measurement that was given up ended with %v", err)
	}
}
