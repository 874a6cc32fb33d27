package events

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strconv"
	"time"

	"bst/impl/stream"
)

const (
	// maxLine bounds a line, in bytes: bst show can give an element's public data.
	maxLine = 64 << 20
	// batchSize is how many bytes of lines are decoded at once, by one of several
	// goroutines.
	batchSize = 128 << 10
)

// Unmarshal decodes JSON into the value that a pointer points to, as
// encoding/json's Unmarshal does. Whoever reads a million events brings a quicker
// one: bst only writes them, and what it links is initialised by each of its starts.
type Unmarshal func(data []byte, v any) error

// Record is an event and when it arrived.
type Record struct {
	// At is the time since Header.Start.
	At time.Duration
	// Event is nil where events are missing: Dropped says how many.
	Event   stream.Event
	Dropped int
}

// Reader reads what NewWriter's format wrote. Lines are decoded ahead of the
// one that asks, as many batches at once as there are processors; Close ends
// that.
type Reader struct {
	// Header is the file's first line.
	Header Header
	// Unknown counts the lines of types that this version does not know.
	Unknown int

	unmarshal Unmarshal

	batches chan *batch
	closed  chan struct{}
	now     *batch // records that were decoded and not yet given
}

// batch is some lines and what they say.
type batch struct {
	lines   []byte
	first   int // the number of the first line
	records []Record
	unknown int
	err     error         // what follows the records
	done    chan struct{} // closed once it is decoded
}

// NewReader reads the header. A file of another schema or version is refused.
// unmarshal is called by several goroutines at once; nil stands for
// encoding/json's.
func NewReader(from io.Reader, unmarshal Unmarshal) (*Reader, error) {
	if unmarshal == nil {
		unmarshal = json.Unmarshal
	}
	lines := bufio.NewReaderSize(from, 64<<10)
	r := &Reader{unmarshal: unmarshal, batches: make(chan *batch, runtime.GOMAXPROCS(0)), closed: make(chan struct{}), now: &batch{}}
	data, err := line(lines, nil)
	if err == io.EOF && len(data) == 0 {
		return nil, errors.New("line 1: the file is empty; want the header of a file that bst --events wrote")
	}
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("line 1: %w", err)
	}
	if err := unmarshal(data, &r.Header); err != nil || r.Header.Schema != Schema {
		return nil, fmt.Errorf("line 1: this is no header of a file that bst --events wrote; want \"schema\":%q", Schema)
	}
	if r.Header.Version != Version {
		return nil, fmt.Errorf("line 1: the file has version %d of the schema, this bst reads version %d", r.Header.Version, Version)
	}
	go r.read(lines)
	return r, nil
}

// Close ends the reading ahead. What was read from stays open.
func (r *Reader) Close() { close(r.closed) }

// line appends the next line to a buffer, with its line feed. With io.EOF it may
// give a last line that has none.
func line(from *bufio.Reader, to []byte) ([]byte, error) {
	start := len(to)
	for {
		part, err := from.ReadSlice('\n')
		to = append(to, part...)
		if err != bufio.ErrBufferFull {
			return to, err
		}
		if len(to)-start > maxLine {
			return to[:start], fmt.Errorf("a line is longer than %d bytes", maxLine)
		}
	}
}

// read makes batches until the file ends, and has them decoded.
func (r *Reader) read(from *bufio.Reader) {
	defer close(r.batches)
	number := 2
	for {
		b := &batch{first: number, done: make(chan struct{})}
		var err error
		for err == nil && len(b.lines) < batchSize {
			if b.lines, err = line(from, b.lines); err == nil {
				number++
			}
		}
		if err != nil && err != io.EOF {
			b.err = fmt.Errorf("line %d: %w", number, err)
		} else {
			b.err = err
		}
		go b.decode(r.unmarshal)
		select {
		case r.batches <- b:
		case <-r.closed:
			return
		}
		if err != nil {
			return
		}
	}
}

func (b *batch) decode(unmarshal Unmarshal) {
	defer close(b.done)
	rest := b.lines
	for number := b.first; len(rest) > 0; number++ {
		var data []byte
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			data, rest = rest[:i], rest[i+1:]
		} else {
			data, rest = rest, nil
		}
		rec, known, err := decode(data, unmarshal)
		if err != nil {
			b.err = fmt.Errorf("line %d: %w", number, err)
			break
		}
		if known {
			b.records = append(b.records, rec)
		} else {
			b.unknown++
		}
	}
	b.lines = nil
}

// Next gives the next event; io.EOF after the last.
func (r *Reader) Next() (Record, error) {
	for {
		if len(r.now.records) > 0 {
			rec := r.now.records[0]
			r.now.records = r.now.records[1:]
			return rec, nil
		}
		if r.now.err != nil {
			return Record{}, r.now.err
		}
		b, ok := <-r.batches
		if !ok {
			return Record{}, io.EOF
		}
		<-b.done
		r.now = b
		r.Unknown += b.unknown
	}
}

// decode reads a line. known is false for one of a type that this version does
// not know.
func decode(data []byte, unmarshal Unmarshal) (rec Record, known bool, err error) {
	at, name, event, ok := split(data)
	if !ok {
		var parts struct {
			At    time.Duration   `json:"at_ns"`
			Type  string          `json:"type"`
			Event json.RawMessage `json:"event"`
		}
		if err := unmarshal(data, &parts); err != nil {
			return rec, false, err
		}
		at, name, event = parts.At, parts.Type, parts.Event
	}
	rec.At = at
	if name == droppedType {
		var n struct {
			Events int `json:"events"`
		}
		if err := unmarshal(event, &n); err != nil {
			return rec, false, fmt.Errorf("%s: %w", name, err)
		}
		rec.Dropped = n.Events
		return rec, true, nil
	}
	k := kinds().byName[name]
	if k == nil {
		return rec, false, nil
	}
	v := reflect.New(k.typ)
	if err := unmarshal(event, k.view(v)); err != nil {
		return rec, false, fmt.Errorf("%s: %w", name, err)
	}
	rec.Event = v.Interface().(stream.Event)
	return rec, true, nil
}

// split takes a line of our own making apart without reading it twice; ok is
// false for one that is not of that form.
func split(data []byte) (at time.Duration, name string, event []byte, ok bool) {
	rest, found := bytes.CutPrefix(data, []byte(`{"at_ns":`))
	number, rest, comma := bytes.Cut(rest, []byte(`,"type":"`))
	word, rest, quote := bytes.Cut(rest, []byte(`","event":`))
	if !found || !comma || !quote || len(rest) < 3 || rest[0] != '{' || rest[len(rest)-1] != '}' || bytes.IndexByte(word, '\\') >= 0 {
		return 0, "", nil, false
	}
	n, err := strconv.ParseInt(string(number), 10, 64)
	return time.Duration(n), string(word), rest[:len(rest)-1], err == nil
}
