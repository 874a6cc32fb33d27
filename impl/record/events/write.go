package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"time"

	"bst/impl/record"
	"bst/impl/stream"
)

// Header is a file's first line.
type Header struct {
	Schema  string `json:"schema"`
	Version int    `json:"version"`
	// Program is the version of the bst that wrote it.
	Program string `json:"bst"`
	// Start is the moment at which at_ns is 0.
	Start time.Time `json:"start"`
	// Command is the command's name ("build"), Strategy the strategy's.
	Command  string `json:"command"`
	Strategy string `json:"strategy"`
}

// droppedType stands where events are missing.
const droppedType = "Dropped"

type writer struct {
	to     io.Writer
	header Header
	line   bytes.Buffer
	enc    *json.Encoder
}

// NewWriter gives the format of --events. Schema and Version are filled in.
func NewWriter(to io.Writer, h Header) record.Format {
	h.Schema, h.Version = Schema, Version
	w := &writer{to: to, header: h}
	w.enc = json.NewEncoder(&w.line)
	w.enc.SetEscapeHTML(false)
	return w
}

// Begin writes the header.
func (w *writer) Begin() error {
	if err := w.enc.Encode(&w.header); err != nil {
		return err
	}
	return w.out()
}

// Event writes an event's line.
func (w *writer) Event(at time.Time, e stream.Event) error {
	v := reflect.ValueOf(e)
	k := kinds().byType[v.Type()]
	if k == nil {
		return fmt.Errorf("%T is no event that impl/wire lists", e)
	}
	w.begin(at, k.name)
	w.line.WriteString(`,"event":`)
	if err := w.enc.Encode(k.view(v)); err != nil {
		return fmt.Errorf("%s: %w", k.name, err)
	}
	w.line.Truncate(w.line.Len() - 1) // the encoder's newline
	w.line.WriteString("}\n")
	return w.out()
}

// Lost says that events are missing.
func (w *writer) Lost(at time.Time, n int) error {
	w.begin(at, droppedType)
	fmt.Fprintf(&w.line, `,"event":{"events":%d}}`+"\n", n)
	return w.out()
}

// End writes nothing: the last event is Finished, or the session was lost.
func (w *writer) End(time.Time) error { return nil }

func (w *writer) begin(at time.Time, typ string) {
	w.line.WriteString(`{"at_ns":`)
	w.line.Write(strconv.AppendInt(w.line.AvailableBuffer(), int64(at.Sub(w.header.Start)), 10))
	w.line.WriteString(`,"type":"` + typ + `"`)
}

func (w *writer) out() error {
	_, err := w.to.Write(w.line.Bytes())
	w.line.Reset()
	return err
}
