// Package replay shows a recorded session: the events of a file of --events,
// through the frontend's model and screen, on a clock of their own. The same
// file gives the same bytes each time.
//
// It knows the model, the screen and the recorder's form. It does not know
// where the events came from, nor whether anybody looks.
package replay

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	// A replay decodes a million events: encoding/json takes three times as long.
	"github.com/goccy/go-json"

	"bst/impl/config"
	"bst/impl/frontend"
	"bst/impl/record/events"
	"bst/impl/term"
)

// Options say how a session is shown.
type Options struct {
	// Columns and Rows are the terminal's size; both 0 show it as in a pipe.
	Columns, Rows int
	// Interval is the time between two frames on the session's clock; 0 stands
	// for 100 ms.
	Interval time.Duration
	// Speed is how many seconds of the session pass in one; 0 waits for nothing.
	Speed float64
	Color bool
	// Drawn is told of each frame, at its moment of the session; nil for nobody.
	Drawn func(at time.Duration)
}

// Stats are what a replay took.
type Stats struct {
	Events, Frames int
	Bytes          int64
	// Dropped counts events that the file says are missing, Unknown those that
	// this version does not know.
	Dropped, Unknown int
}

type counter struct {
	to    io.Writer
	bytes int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.bytes += int64(n)
	return n, err
}

// sessions names the sessions of commands that are one, as impl/cli does.
var sessions = map[string]string{"build": "Build", "source fetch": "Fetch", "source track": "Track",
	"source push": "Push", "artifact pull": "Pull", "artifact push": "Push"}

// Unmarshal is what reads the events' JSON here.
func Unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }

// Run shows the events of a file on a writer.
func Run(from io.Reader, o Options, to io.Writer) (stats Stats, err error) {
	r, err := events.NewReader(from, Unmarshal)
	if err != nil {
		return stats, err
	}
	defer r.Close()
	model, err := newModel(r.Header, o)
	if err != nil {
		return stats, err
	}
	if o.Interval <= 0 {
		o.Interval = 100 * time.Millisecond
	}
	out := &counter{to: to}
	status := o.Rows > 0
	screen := term.NewScreen(out, out, term.Features{Status: status, Shared: true})
	defer screen.Close()
	p := player{o: o, model: model, screen: screen, status: status, begin: time.Now(), start: r.Header.Start}
	model.Begin(r.Header.Start)
	err = p.play(r, &stats)
	stats.Frames, stats.Bytes, stats.Unknown = p.frames, out.bytes, r.Unknown
	return stats, err
}

// nowhere is a folder in which nothing is read or written.
var nowhere = filepath.Join(filepath.VolumeName(os.TempDir())+string(filepath.Separator), "nowhere")

func newModel(h events.Header, o Options) (*frontend.Model, error) {
	conf, err := config.Load("", func(name string) string {
		if name == "XDG_CACHE_HOME" || name == "HOME" {
			return nowhere
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	l := conf.Logging
	element, err := frontend.ParseElementFormat(l.ElementFormat)
	if err != nil {
		return nil, err
	}
	message, err := frontend.ParseMessageFormat(l.MessageFormat)
	if err != nil {
		return nil, err
	}
	var show *frontend.ElementFormat
	if h.Command == "show" {
		show = element
	}
	style := frontend.Full
	if o.Rows > 0 {
		style = frontend.Digest
	}
	return frontend.New(frontend.Options{
		Session: sessions[h.Command], Color: o.Color, Verbose: l.Verbose,
		KeyLength: l.KeyLength, ErrorLines: l.ErrorLines, MessageLines: l.MessageLines,
		MessageFormat: message, ElementFormat: element, ShowFormat: show,
		Style: style, Location: time.UTC,
	}), nil
}

type player struct {
	o      Options
	model  *frontend.Model
	screen *term.Screen
	status bool
	frames int
	begin  time.Time // by the real clock
	start  time.Time // the session's
}

func (p *player) play(r *events.Reader, stats *Stats) error {
	next := p.o.Interval
	var now time.Duration
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		now = max(now, rec.At)
		for ; next <= now; next += p.o.Interval {
			if err := p.frame(next); err != nil {
				return err
			}
			// Where nothing happens a status area ticks once a second.
			if idle := now - next; idle > time.Second {
				next += time.Second - p.o.Interval
			}
		}
		if rec.Event == nil {
			stats.Dropped += rec.Dropped
			continue
		}
		stats.Events++
		p.model.Apply(p.start.Add(now), rec.Event)
	}
	if p.model.Finished() == nil {
		p.model.Notice(fmt.Sprintf("\nThe recording ends here, after %d events: the session did not finish.\n", stats.Events))
	} else {
		p.model.End(p.start.Add(now))
	}
	return p.draw(term.Frame{Log: p.model.TakeLog(), Output: p.model.TakeOutput()})
}

// frame draws what is to be seen at a moment of the session.
func (p *player) frame(at time.Duration) error {
	if p.o.Speed > 0 {
		time.Sleep(time.Until(p.begin.Add(time.Duration(float64(at) / p.o.Speed))))
	}
	now := p.start.Add(at)
	f := term.Frame{Log: p.model.TakeLog(), Output: p.model.TakeOutput()}
	if p.status {
		f.Status = p.model.Status(now, p.o.Columns, p.o.Rows)
	}
	err := p.draw(f)
	if p.o.Drawn != nil {
		p.o.Drawn(at)
	}
	return err
}

func (p *player) draw(f term.Frame) error {
	w := p.screen.Flush(f)
	p.frames++
	return w.Err
}
