package wire

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"bst/impl/stream"
)

// TraceVariable names the environment variable that holds the path of a file to
// which everything that crosses is appended in readable form.
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
	Time  time.Time `json:"time"`
	Way   string    `json:"way"` // "order" or "event"
	Type  string    `json:"type"`
	Bytes int       `json:"bytes"`
	Value any       `json:"value"`
}

func (t *tracer) order(o stream.Order, bytes int) { t.line("order", o, bytes) }

func (t *tracer) event(ev stream.Event, bytes int) { t.line("event", ev, bytes) }

func (t *tracer) line(way string, value any, bytes int) {
	if t == nil {
		return
	}
	line, err := json.Marshal(traceLine{time.Now(), way, fmt.Sprintf("%T", value)[len("*stream."):], bytes, value})
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
