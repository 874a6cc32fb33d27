package record

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bst/impl/stream"
)

// plain is a format of one word a line.
type plain struct{ w io.Writer }

func (p plain) line(text string) error {
	_, err := io.WriteString(p.w, text+"\n")
	return err
}
func (p plain) Begin() error { return p.line("begin") }
func (p plain) Event(_ time.Time, e stream.Event) error {
	if m, ok := e.(*stream.Message); ok {
		return p.line(m.Text)
	}
	return p.line("finished")
}
func (p plain) Lost(_ time.Time, n int) error { return p.line(fmt.Sprint("lost ", n)) }
func (p plain) End(time.Time) error           { return p.line("end") }

func newPlain(w io.Writer) Format { return plain{w} }

// gated is a writer that takes nothing until it is opened.
type gated struct {
	open chan struct{}

	mu     sync.Mutex // guards what follows
	text   strings.Builder
	closed bool
}

func (g *gated) Write(p []byte) (int, error) {
	<-g.open
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.text.Write(p)
}

func (g *gated) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	return nil
}

func (g *gated) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.text.String()
}

func messages(from, to int) []stream.Event {
	var events []stream.Event
	for i := from; i < to; i++ {
		events = append(events, &stream.Message{Text: fmt.Sprint(i)})
	}
	return events
}

// brought is a stream that brings batches and then ends.
type brought struct {
	stream.Stream
	batches [][]stream.Event
}

func (b *brought) Recv(context.Context) ([]stream.Event, error) {
	if len(b.batches) == 0 {
		return nil, io.EOF
	}
	batch := b.batches[0]
	b.batches = b.batches[1:]
	return batch, nil
}

func TestStream(t *testing.T) {
	g := &gated{open: make(chan struct{})}
	close(g.open)
	f := New("file", g, newPlain)
	s := Stream(&brought{batches: [][]stream.Event{messages(0, 2), append(messages(2, 3), &stream.Finished{})}}, f)
	got := 0
	for {
		events, err := s.Recv(t.Context())
		got += len(events)
		if err == io.EOF {
			break
		}
	}
	if err := f.Close(); err != nil || got != 4 || !g.closed {
		t.Errorf("%v, %d events, closed: %v", err, got, g.closed)
	}
	if diff := cmp.Diff("begin\n0\n1\n2\nfinished\nend\n", g.String()); diff != "" {
		t.Error(diff)
	}
	if plain := (&brought{}); Stream(plain) != stream.Stream(plain) {
		t.Error("nothing to record, and yet another stream")
	}
}

// TestFollowed: what was written can be read while the session goes on.
func TestFollowed(t *testing.T) {
	g := &gated{open: make(chan struct{})}
	close(g.open)
	f := New("file", g, newPlain)
	f.Put(t.Context(), time.Now(), messages(0, 1))
	for end := time.Now().Add(20 * time.Second); g.String() != "begin\n0\n"; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("only %q was written", g.String())
		}
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// TestReaderStands: a reader that stands still costs memory and time within
// bounds, and the file says what is missing.
func TestReaderStands(t *testing.T) {
	defer func(s int, p time.Duration) { queueSize, patience = s, p }(queueSize, patience)
	queueSize, patience = 100_000, 10*time.Millisecond
	g := &gated{open: make(chan struct{})}
	f := New("file", g, newPlain)
	const n = 50_000
	begin := time.Now()
	for i := range n / 100 {
		f.Put(t.Context(), begin, messages(100*i, 100*i+100))
	}
	f.Put(t.Context(), begin, []stream.Event{&stream.Finished{}})
	f.mu.Lock()
	size, lost, waited := f.size, f.total, f.waited
	f.mu.Unlock()
	if size > queueSize+2*weight(&stream.Message{}) || lost == 0 || waited < patience {
		t.Errorf("%d bytes wait, %d events are lost, it waited %v", size, lost, waited)
	}
	close(g.open)
	err := f.Close()
	var missing *LostError
	if !errors.As(err, &missing) || missing.Events != lost {
		t.Errorf("%v, want %d lost events", err, lost)
	}
	text := g.String()
	if want := fmt.Sprintf("\nlost %d\nfinished\nend\n", lost); !strings.HasSuffix(text, want) {
		t.Errorf("it ends with %q, want %q", text[len(text)-60:], want)
	}
	if got := strings.Count(text, "\n"); got != n-lost+4 {
		t.Errorf("%d lines, want %d", got, n-lost+4)
	}
}

// TestNobodyReads: the end of a session does not wait for ever.
func TestNobodyReads(t *testing.T) {
	defer func(d time.Duration) { drain = d }(drain)
	drain = 10 * time.Millisecond
	g := &gated{open: make(chan struct{})}
	f := New("fifo", g, newPlain)
	f.Put(t.Context(), time.Now(), messages(0, 1))
	if err := f.Close(); !errors.Is(err, errStuck) || !strings.HasPrefix(err.Error(), "fifo: ") {
		t.Error(err)
	}
	close(g.open)
	<-f.done
}

type full struct{}

var errFull = errors.New("the disk is full")

func (f *full) Write(p []byte) (int, error) { return 0, errFull }
func (f *full) Close() error                { return nil }

// TestWriteError: it is told once, at the end, and nothing piles up meanwhile.
func TestWriteError(t *testing.T) {
	defer func(s int) { queueSize = s }(queueSize)
	queueSize = 10_000
	f := New("file", &full{}, newPlain)
	for range 200 {
		f.Put(t.Context(), time.Now(), messages(0, 200))
	}
	if err := f.Close(); !errors.Is(err, errFull) || f.size != 0 {
		t.Errorf("%v, %d bytes wait", err, f.size)
	}
}
