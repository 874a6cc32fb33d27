package wire

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"sync"
	"time"

	"bst/impl/stream"
)

// TraceVariable names the environment variable that holds the path of a file to
// which everything that crosses, or would if there were two processes, is
// appended in readable form: a line of JSON in one write, so that several
// programs may have the same file.
const TraceVariable = "BST_WIRE_TRACE"

// OpenTrace opens the file that TraceVariable names in an environment in
// os.Environ's form, or returns nil where it names none.
func OpenTrace(environ []string) (io.WriteCloser, error) {
	var path string
	for _, pair := range environ {
		if len(pair) > len(TraceVariable) && pair[:len(TraceVariable)] == TraceVariable && pair[len(TraceVariable)] == '=' {
			path = pair[len(TraceVariable)+1:] // the last one counts, as in exec.Cmd
		}
	}
	if path == "" {
		return nil, nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, &stream.Error{
			Domain:  stream.DomainApp,
			Message: "Cannot write the trace that " + TraceVariable + " asks for",
			Detail:  err.Error(),
			Cause:   err.Error(),
		}
	}
	return f, nil
}

// tracer writes lines of JSON. A nil tracer does nothing.
type tracer struct {
	mu     sync.Mutex // guards what follows
	to     io.Writer
	broken bool
}

type traceLine struct {
	Time time.Time `json:"time"`
	Way  string    `json:"way"` // "order" or "event"
	Type string    `json:"type"`
	// Bytes is the size on the wire, 0 where nothing was encoded.
	Bytes int `json:"bytes"`
	// Refused is what in the value would not cross to another process.
	Refused []string `json:"refused,omitempty"`
	Value   any      `json:"value"`
}

func (t *tracer) order(o stream.Order, bytes int) { t.line("order", o, bytes) }

func (t *tracer) event(ev stream.Event, bytes int) { t.line("event", ev, bytes) }

func (t *tracer) line(way string, value any, bytes int) {
	if t == nil {
		return
	}
	l := traceLine{Time: time.Now(), Way: way, Type: reflect.TypeOf(value).Elem().Name(), Bytes: bytes, Value: value}
	var wrong *ValueError
	if errors.As(checkValue(value), &wrong) {
		l.Refused = wrong.Refused
	}
	line, err := json.Marshal(l)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.broken {
		return
	}
	if err == nil {
		_, err = t.to.Write(append(line, '\n'))
	}
	if err != nil {
		// A full disk ends the trace, not the session; the file says so if it
		// still can.
		t.broken = true
		_, _ = fmt.Fprintf(t.to, "{\"way\":\"trace\",\"error\":%q}\n", err.Error())
	}
}

// Crossed is one line of a trace.
type Crossed struct {
	Time time.Time
	// Order or Event is set.
	Order stream.Order
	Event stream.Event
	// Bytes is its size on the wire, 0 where nothing was encoded.
	Bytes int
}

// ReadTrace reads what BST_WIRE_TRACE wrote. Text that is not UTF-8 reads as
// JSON tells it. An error names the line.
func ReadTrace(from io.Reader) ([]Crossed, error) {
	types := make(map[string]reflect.Type)
	for _, list := range [][]entry{orders, events} {
		for _, e := range list {
			types[e.name] = e.typ
		}
	}
	var all []Crossed
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 2*maxFrame)
	for lines.Scan() {
		var head struct {
			Time  time.Time
			Type  string
			Bytes int
			Value json.RawMessage
		}
		err := json.Unmarshal(lines.Bytes(), &head)
		typ := types[head.Type]
		if err == nil && typ == nil {
			err = fmt.Errorf("no order or event is called %q", head.Type)
		}
		if err == nil {
			v := reflect.New(typ)
			if err = json.Unmarshal(head.Value, v.Interface()); err == nil {
				c := Crossed{Time: head.Time, Bytes: head.Bytes}
				c.Order, _ = v.Interface().(stream.Order)
				c.Event, _ = v.Interface().(stream.Event)
				all = append(all, c)
				continue
			}
		}
		return nil, fmt.Errorf("wire: line %d of the trace: %w", len(all)+1, err)
	}
	return all, lines.Err()
}
