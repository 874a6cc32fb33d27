// Package termmodel holds models of slow terminals: what a write to one costs,
// by published figures. They are for measuring: bench puts them in front of a
// program that has no terminal of the kind at hand.
//
// It knows figures and a clock. It knows no terminal: nothing here draws, and a
// model is never the thing that it is called after.
package termmodel

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Variable names the environment variable that puts a model between bst and its
// terminal: see Writer, and docs/benchmarks.md.
const Variable = "BST_TERMINAL_MODEL"

// Model is what writing costs.
type Model struct {
	// Name is what it is called on the terminal axis of bench, after "model-".
	Name string
	// Write is what each write costs, Byte each byte, Line each line feed, and
	// Escape each escape sequence.
	Write, Byte, Line, Escape time.Duration
	// Buffer is how many bytes may be on their way without a writer waiting for
	// them; 0 is a terminal that writes synchronously.
	Buffer int
	// RoundTrip is how long a byte on its way takes room in the buffer after it
	// was taken: the acknowledgement's way.
	RoundTrip time.Duration
	// Sources say where each figure is from.
	Sources []string
}

// models are all models. Where a source gives a figure a line, lines of its test
// were 80 to 100 columns wide; bytes are then not counted beside it, but at what
// OpenConsole takes, the least that any console was seen to take.
var models = []Model{
	{
		Name: "conhost", Write: 20 * time.Microsecond, Byte: 10, Line: 70 * time.Microsecond, Escape: 200,
		Sources: []string{
			"write: about 20 µs, synchronous, Windows 10: microsoft/terminal issue 368",
			"line: 70 µs, conhost on Windows 10: microsoft/terminal issue 9187",
			"byte: 10 ns: microsoft/terminal PR 15084 (OpenConsole of 2023, 21 µs + 10 ns a byte)",
			"escape: 200 ns: the same PR has 50 MB/s with colours and 100 without, 10 ns a byte more; that a sequence comes every 20 bytes is assumed",
		},
	},
	{
		Name: "wsl1", Write: 20 * time.Microsecond, Byte: 10, Line: 187 * time.Microsecond, Escape: 200,
		Sources: []string{
			"line: 187 µs, WSL on build 18363 (WSL 1) in Windows Terminal: microsoft/terminal issue 5963; issue 4129 has 186 µs",
			"write, byte, escape: as conhost, which lies behind it; what WSL 1 adds for its own system calls is not counted",
		},
	},
	{
		Name: "windows-terminal", Write: 20 * time.Microsecond, Byte: 143, Escape: 200,
		Sources: []string{
			"byte: 143 ns, 7 MB/s through ConPTY on Windows 11 24H2 (6 to 8 MB/s): microsoft/terminal issue 7019",
			"write, escape: as conhost",
		},
	},
	{
		Name: "ssh-50ms", Byte: 143, Buffer: 2 << 20, RoundTrip: 50 * time.Millisecond,
		Sources: []string{
			"byte: 143 ns, 7 MB/s by ssh in Windows Terminal and PuTTY: davidrg/ckwin PR 521",
			"buffer: 2 MiB, OpenSSH's window of a session (channels.h, CHAN_SES_WINDOW_DEFAULT)",
			"round trip: 50 ms, as is said",
		},
	},
}

// Names are the models' names.
func Names() []string {
	names := make([]string, len(models))
	for i := range models {
		names[i] = models[i].Name
	}
	return names
}

// Find finds a model by its name.
func Find(name string) (*Model, error) {
	for i := range models {
		if models[i].Name == name {
			return &models[i], nil
		}
	}
	return nil, fmt.Errorf("there is no terminal model %q; there are %s", name, strings.Join(Names(), ", "))
}

// Cost is what one write of data takes.
func (m *Model) Cost(data []byte) time.Duration {
	return m.Write + time.Duration(len(data))*m.Byte +
		time.Duration(bytes.Count(data, []byte{'\n'}))*m.Line +
		time.Duration(bytes.Count(data, []byte{0x1b}))*m.Escape
}

// Clock makes whoever pays wait for what writes cost. It keeps a debt: the
// system's sleeps below a millisecond are not exact (on Linux with Go up to 1.15
// ms), so that short costs add up until they can be slept, and what a sleep is
// too long the next is shorter. Safe for concurrent use: a terminal has one clock.
type Clock struct {
	model *Model

	mu   sync.Mutex // guards what follows; it is held while sleeping, as a console's lock is
	debt time.Duration
	free time.Time // when all that is on its way will have been taken
	// Slept is how long writers have waited.
	slept time.Duration
}

// NewClock makes a clock for one terminal.
func (m *Model) NewClock() *Clock { return &Clock{model: m} }

const shortestSleep = time.Millisecond

// Pay waits for what a write of data costs.
func (c *Clock) Pay(data []byte) {
	if len(data) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	cost := c.model.Cost(data)
	if c.model.Buffer > 0 {
		now := time.Now()
		if c.free.Before(now) {
			c.free = now
		}
		c.free = c.free.Add(cost)
		room := time.Duration(c.model.Buffer) * c.model.Byte
		if wait := c.free.Add(c.model.RoundTrip).Sub(now) - room; wait > shortestSleep {
			c.sleep(wait)
		}
		return
	}
	c.debt += cost
	if c.debt >= shortestSleep {
		c.debt -= c.sleep(c.debt)
	}
}

func (c *Clock) sleep(d time.Duration) time.Duration {
	begin := time.Now()
	time.Sleep(d)
	took := time.Since(begin)
	c.slept += took
	return took
}

// Slept is how long writers have waited in all.
func (c *Clock) Slept() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.slept
}

// Writer is a terminal's stream behind the model: a write returns once it is
// paid for. It stands inside the program, because a pseudo-terminal takes 16 to
// 19 KB before anybody outside can make a writer wait. Streams of one terminal
// share its clock.
func (c *Clock) Writer(to io.Writer) io.Writer { return &writer{to, c} }

type writer struct {
	to    io.Writer
	clock *Clock
}

func (w *writer) Write(p []byte) (int, error) {
	n, err := w.to.Write(p)
	w.clock.Pay(p[:n])
	return n, err
}
