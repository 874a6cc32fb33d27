package expiry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"bst/impl/stream"
)

// ReasonTooFull is the reference's reason of the error that there is no room.
const ReasonTooFull = "cache-too-full"

// Keeper answers many who ask for room, mostly without looking at anything. It is
// safe for concurrent use.
type Keeper struct {
	cache *Cache

	turn chan struct{} // holds a token while one looks, or makes room

	mu sync.Mutex // guards what follows
	// state was seen at the time seen, when this process had added so much.
	state State
	seen  time.Time
	added int64
	// full is why there was no room at that time.
	full   error
	fullAt time.Time

	// waiting is told, in tests, that another process is waited for.
	waiting func()
}

// NewKeeper makes one. The cache's fields must not change any more.
func NewKeeper(c *Cache) *Keeper {
	return &Keeper{cache: c, turn: make(chan struct{}, 1), waiting: func() {}}
}

const (
	// fresh is how long a state is good for, where there is much more room than is
	// asked for: others add to the cache too.
	fresh = time.Second
	// again is how long after a failed attempt the next one is made.
	again = 5 * time.Second
	// busyPause and busyWait are how another process that makes room is waited for.
	busyPause = 50 * time.Millisecond
	busyWait  = 5 * time.Minute
)

// Room makes sure that there is room for need more bytes. The error says what the
// cache is full of (CAS, ReasonTooFull), or that ctx ended.
func (k *Keeper) Room(ctx context.Context, need int64) error {
	if k.enough(need) {
		return nil
	}
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if k.enough(need) {
		return nil
	}
	state, err := k.look()
	if err != nil {
		return err
	}
	if state.lacks(need) == 0 && !state.Unsure {
		return nil
	}
	k.mu.Lock()
	full, fullAt := k.full, k.fullAt
	k.mu.Unlock()
	if full != nil && time.Since(fullAt) < again {
		return full
	}
	result, err := k.makeRoom(ctx, need)
	if err != nil {
		return err
	}
	if _, err := k.look(); err != nil {
		return err
	}
	if result.After.lacks(need) == 0 {
		return nil
	}
	err = k.tooFull(result, need)
	k.mu.Lock()
	k.full, k.fullAt = err, time.Now()
	k.mu.Unlock()
	return err
}

// enough says whether there is certainly room, by what was seen lately.
func (k *Keeper) enough(need int64) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.seen.IsZero() || time.Since(k.seen) > fresh || k.state.Unsure {
		return false
	}
	return k.state.lacks(need+k.cache.Store.Added()-k.added) == 0
}

// look looks how full the cache is.
func (k *Keeper) look() (State, error) {
	added := k.cache.Store.Added()
	state, err := k.cache.State()
	if err != nil {
		return state, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.state, k.seen, k.added = state, time.Now(), added
	return state, nil
}

// State is how full the cache is.
func (k *Keeper) State() (State, error) { return k.look() }

func (k *Keeper) makeRoom(ctx context.Context, need int64) (*Result, error) {
	for deadline := time.Now().Add(busyWait); ; {
		result, err := k.cache.MakeRoom(ctx, need)
		if !errors.Is(err, ErrBusy) || time.Now().After(deadline) {
			return result, err
		}
		k.waiting()
		timer := time.NewTimer(busyPause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		}
	}
}

// tooFull says by what the cache is full and what to do.
func (k *Keeper) tooFull(r *Result, need int64) error {
	after := &r.After
	e := &stream.Error{Domain: stream.DomainCAS, Reason: ReasonTooFull,
		Message: fmt.Sprintf("Cache too full: %s are used of %s", size(after.Used), size(after.Limit))}
	if need > 0 {
		e.Message += fmt.Sprintf(", and %s more are needed", size(need))
	}
	var d strings.Builder
	fmt.Fprintf(&d, "%s could be removed from %s; %s are used by this session%s.\n", size(r.Bytes), k.cache.Store.Dir(), size(r.Held), k.others())
	if after.ByDisk {
		fmt.Fprintf(&d, "The filesystem is to keep %s free (`cache: reserved-disk-space` in buildstream.conf): free some space on it, or reserve less.",
			size(k.cache.Policy.Reserved))
	} else {
		d.WriteString("Raise `cache: quota` in buildstream.conf, or build less at once: what a session needs must fit into the cache.")
	}
	e.Detail = d.String()
	return e
}

// others names the other processes that use the cache.
func (k *Keeper) others() string {
	pids, err := k.cache.Store.Users()
	if err != nil || len(pids) == 0 {
		return ""
	}
	const most = 5
	text := ""
	for i, pid := range pids {
		if i == most {
			text += ", ..."
			break
		}
		text += fmt.Sprintf(", %d%s", pid, program(pid))
	}
	return " and by other processes (" + strings.TrimPrefix(text, ", ") + ")"
}

// program is the name of a process's program, where it can be known.
func program(pid int) string {
	b, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(pid), "comm"))
	if err != nil {
		return ""
	}
	return " " + strings.TrimSpace(string(b))
}

// size is a number of bytes as a person reads it, as the configuration takes it.
func size(n int64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d bytes", n)
	}
	v, u := float64(n)/1024, 0
	for v >= 1024 && u < len(units)-1 {
		v, u = v/1024, u+1
	}
	if v < 100 {
		return fmt.Sprintf("%.1f%c", v, units[u])
	}
	return fmt.Sprintf("%.0f%c", v, units[u])
}
