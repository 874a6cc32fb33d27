package child

import (
	"io"
	"sync"
)

// maxTail is how much of a backend's standard error a LostError shows: more than
// a screen, less than a panic's whole goroutine dump.
const maxTail = 16 << 10

// tail passes on what is written to it and keeps its end.
type tail struct {
	to io.Writer // may be nil

	mu   sync.Mutex // guards what follows
	kept []byte     // 2*maxTail at most
}

// Write never fails: a backend shall not stop because nobody takes its words.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	if len(p) >= maxTail {
		t.kept = append(t.kept[:0], p[len(p)-maxTail:]...)
	} else {
		t.kept = append(t.kept, p...)
		if len(t.kept) > 2*maxTail {
			t.kept = append(t.kept[:0], t.kept[len(t.kept)-maxTail:]...)
		}
	}
	t.mu.Unlock()
	if t.to != nil {
		_, _ = t.to.Write(p)
	}
	return len(p), nil
}

// String is the end of what was written.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.kept[max(0, len(t.kept)-maxTail):])
}
