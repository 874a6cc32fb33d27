package engine

import (
	"context"
	"path/filepath"
	"time"

	"bst/impl/bug"
	"bst/impl/cas"
	"bst/impl/expiry"
	"bst/impl/sandbox"
	"bst/impl/stream"
)

// How the cache is watched while a session runs. A cache that was never counted
// is counted: a large one has millions of objects, and looking at them all must not
// slow the work, so it takes a fiftieth of one processor's time, and of the disk's.
const (
	cacheDelay = time.Second // a session that ends sooner does not care
	cacheAgain = 10 * time.Second
	cacheSlice = 64 // objects between two pauses
	cachePause = 50 // times as long as the slice before it
)

// policy is what the user says of the cache's size.
func (s *session) policy() expiry.Policy {
	set := &s.set.Settings
	return expiry.Policy{Quota: set.Quota, Reserved: set.ReservedSpace, LowWatermark: set.LowWatermark}
}

// newKeeper makes what keeps the cache within the user's policy.
func (s *session) newKeeper(store *cas.Store) *expiry.Keeper {
	dir := s.set.Settings.CacheDir
	return expiry.NewKeeper(&expiry.Cache{Store: store, Policy: s.policy(),
		Names: []expiry.Names{expiry.Artifacts(dir), expiry.Sources(dir), keptTrees(dir)}})
}

// keptTrees are the checkouts that sandboxes keep. Their files are those of objects:
// as long as one is kept, what is in it frees nothing.
func keptTrees(cacheDir string) expiry.Names {
	return func(yield func(expiry.Root) error) error {
		return sandbox.KeptTrees(filepath.Join(cacheDir, "trees"), func(t sandbox.KeptTree) error {
			return yield(expiry.Root{Used: t.Used, Expire: t.Remove,
				Read: func() (trees, blobs []string) { return []string{t.Hash}, nil }})
		})
	}
}

// watchCache tells how full the cache is, now and then, and makes room in time,
// until stop is called. A cache that cannot be read is not told of, and one that
// is too full is not either: whoever needs it says what is wrong.
func (s *session) watchCache(ctx context.Context, store *cas.Store, keeper *expiry.Keeper) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	wait := bug.Go(func() error {
		last := int64(-1)
		for again := cacheDelay; pause(ctx, again); again = cacheAgain {
			_ = keeper.Room(ctx, 0)
			state, err := keeper.State()
			if err == nil && !state.Known {
				state.Used, err = countCache(ctx, store)
			}
			if err != nil {
				return err
			}
			if state.Used != last {
				s.emit(&stream.CacheUsage{Used: state.Used, Quota: s.set.Settings.Quota})
				last = state.Used
			}
		}
		return nil
	})
	return func() {
		cancel()
		_ = wait()
	}
}

// countCache adds up the objects, and keeps the sum for later.
func countCache(ctx context.Context, store *cas.Store) (int64, error) {
	begun := time.Now()
	return store.Count(ctx, func(n int) error {
		if n%cacheSlice != 0 {
			return nil
		}
		if !pause(ctx, cachePause*time.Since(begun)) {
			return ctx.Err()
		}
		begun = time.Now()
		return nil
	})
}

// room fails a task whose result has no room in the cache.
func (w *world) room(ctx context.Context) error { return w.keeper.Room(ctx, 0) }

// pause waits; false says that ctx has ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
