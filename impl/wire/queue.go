package wire

import (
	"context"
	"reflect"
	"sync"
	"time"

	"bst/impl/stream"
)

// Queue holds events between a backend, which never waits, and whatever takes
// them away, which may be slow or asleep. Lossless events stay in order; of a
// latest-wins event only the last value stays, at the last one's place. So its
// length is bounded by the graph: a fixed number of events per job and element.
//
// The zero Queue is not ready: use NewQueue.
type Queue struct {
	// ready holds a token when there is something to take or nothing will come.
	ready chan struct{}
	// hurry holds a token when what is queued should not wait for more.
	hurry chan struct{}

	mu sync.Mutex // guards what follows
	// items are the queued events; nil where a later value took over.
	items []stream.Event
	// gone counts the nils in items.
	gone int
	// newest says where in items the queued value of a latest-wins event is.
	newest map[newestKey]int
	// sealed: Finished was put, nothing may follow.
	sealed bool
	// hurried: somebody waits for an event that is queued.
	hurried bool
	// closed: nothing more will come.
	closed bool
}

// hurryLength is how many queued events are reason enough to take them.
const hurryLength = 1024

type newestKey struct {
	number number
	key    key
}

// NewQueue makes an empty queue.
func NewQueue() *Queue {
	return &Queue{ready: make(chan struct{}, 1), hurry: make(chan struct{}, 1), newest: make(map[newestKey]int)}
}

// Put adds events and never waits. What comes after Finished, or after Close,
// is dropped. The queue keeps the pointers: the caller must not change an event
// that it has put.
func (q *Queue) Put(events ...stream.Event) {
	q.mu.Lock()
	was, hurried := len(q.items)-q.gone, q.hurried
	for _, ev := range events {
		if q.sealed || q.closed {
			break
		}
		q.put(ev)
	}
	has := len(q.items) - q.gone
	if q.hurried && !hurried {
		wake(q.hurry)
	}
	q.mu.Unlock()
	if was == 0 && has > 0 {
		wake(q.ready)
	}
}

func (q *Queue) put(ev stream.Event) {
	if _, ok := ev.(*stream.Finished); ok {
		q.sealed = true
	}
	q.hurried = q.hurried || len(q.items)+1 >= hurryLength || Urgent(ev)
	e := byType[reflect.TypeOf(ev)]
	if e != nil && e.key != nil {
		if key, ok := e.key(ev); ok {
			k := newestKey{e.number, key}
			if i, ok := q.newest[k]; ok {
				q.items[i] = nil
				q.gone++
			}
			q.newest[k] = len(q.items)
		}
	}
	q.items = append(q.items, ev)
	if q.gone > 64 && q.gone > len(q.items)/2 {
		q.compact()
	}
}

// compact drops the gaps that replaced values left. It runs once per as many
// puts as there are gaps, so that a put costs constant time.
func (q *Queue) compact() {
	place := make([]int, len(q.items))
	kept := q.items[:0]
	for i, ev := range q.items {
		if ev != nil {
			place[i] = len(kept)
			kept = append(kept, ev)
		}
	}
	clear(q.items[len(kept):])
	q.items, q.gone = kept, 0
	for k, i := range q.newest {
		q.newest[k] = place[i]
	}
}

// Take waits until there are events and returns all of them, in order. It
// returns none when the queue is closed and empty. The slice reuse, which may
// be nil, becomes the queue's next storage: give back the one that the last
// call returned once its events are dealt with.
func (q *Queue) Take(ctx context.Context, reuse []stream.Event) ([]stream.Event, error) {
	for {
		q.mu.Lock()
		if len(q.items) > q.gone {
			taken := q.items
			if q.gone > 0 {
				kept := taken[:0]
				for _, ev := range taken {
					if ev != nil {
						kept = append(kept, ev)
					}
				}
				clear(taken[len(kept):])
				taken = kept
			}
			clear(reuse)
			q.items, q.gone, q.hurried = reuse[:0], 0, false
			clear(q.newest)
			select {
			case <-q.hurry: // its reason was taken
			default:
			}
			closed := q.closed
			q.mu.Unlock()
			if closed {
				wake(q.ready)
			}
			return taken, nil
		}
		closed := q.closed
		q.mu.Unlock()
		if closed {
			wake(q.ready) // for whoever asks next
			return nil, nil
		}
		select {
		case <-q.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Len says how many events are queued.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items) - q.gone
}

// Close says that nothing more will come. What is queued can still be taken.
func (q *Queue) Close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	wake(q.ready)
	wake(q.hurry)
}

// Gather waits until there is a reason to take what is queued or will be: somebody
// waits for it, it is much, nothing more will come, or the timer fires.
func (q *Queue) Gather(until <-chan time.Time) {
	q.mu.Lock()
	now := q.hurried || q.closed
	q.mu.Unlock()
	if now {
		return
	}
	select {
	case <-q.hurry:
	case <-until:
	}
}

// wake leaves a token for whoever waits, or will.
func wake(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
