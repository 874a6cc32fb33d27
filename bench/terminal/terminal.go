// Package terminal gives a measured program somewhere to write: a pipe, as in
// CI; a pseudo-terminal with somebody at the other end who reads as fast as he
// can, or only so many bytes a second, or presses ^S; a model of a slow terminal;
// or a real terminal program.
//
// It counts what arrives and keeps the end of it, but for real terminals, which
// have it alone. It knows nothing of what the program is or how long it takes.
// Linux takes 16 to 19 KB into a pseudo-terminal before a writer has to wait,
// which hides what a console costs that writes synchronously: a model stands
// inside the program where that knows of models (Environ), and else slows down
// the reading of its pseudo-terminal.
package terminal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"bst/impl/term/termmodel"
)

// Columns and Rows are the size of every pseudo-terminal.
const (
	Columns = 160
	Rows    = 50
)

// tailSize is how much of the end of the output is kept.
const tailSize = 16 << 10

// linger is how long after the program's end its terminal is still read, in
// case a process that it left behind holds the terminal open.
const linger = 2 * time.Second

// Terminal is a kind of place to write to. The zero value is no terminal.
type Terminal struct {
	// PTY says that it is a pseudo-terminal.
	PTY bool
	// Rate is how many bytes a second are read from it; 0 is no limit.
	Rate int
	// Model names a model of package termmodel.
	Model string
	// Inside says that the program has the model inside: see Environ.
	Inside bool
	// Stopped says that ^S is pressed for a while: see stopAfter.
	Stopped bool
	// Real is a terminal program that shows it: see real_unix.go.
	Real string
}

// String is the terminal's name: "none", "pty", "pty@20000", "pty-stopped",
// "model-conhost" or "xterm".
func (t Terminal) String() string {
	switch {
	case !t.PTY:
		return "none"
	case t.Real != "":
		return t.Real
	case t.Model != "":
		return "model-" + t.Model
	case t.Stopped:
		return "pty-stopped"
	case t.Rate == 0:
		return "pty"
	}
	return "pty@" + strconv.Itoa(t.Rate)
}

// Environ is what a program that has models inside needs to be told.
func (t Terminal) Environ() []string {
	if t.Model == "" || !t.Inside {
		return nil
	}
	return []string{termmodel.Variable + "=" + t.Model}
}

// About says of a terminal what its name does not: of a model, where its figures
// are from.
func (t Terminal) About() string {
	switch {
	case t.Model != "":
		m, err := termmodel.Find(t.Model)
		if err != nil {
			return err.Error()
		}
		return "a model, inside bst and at the pseudo-terminal of peers; " + strings.Join(m.Sources, "; ")
	case t.Stopped:
		return fmt.Sprintf("a pseudo-terminal on which ^S is pressed after %v and ^Q %v later", stopAfter, stopFor)
	case t.Real == "xterm":
		return "the real program, under Xvfb; what it shows is not counted"
	case t.Real == "tmux":
		return "the real program, without a client; what it shows is not counted"
	}
	return ""
}

// Available says why there is no such terminal here; nil where there is.
func (t Terminal) Available() error {
	if t.PTY && !hasPTY {
		return errNoPTY
	}
	for _, program := range needs[t.Real] {
		if _, err := exec.LookPath(program); err != nil {
			return err
		}
	}
	return nil
}

// realNames are the terminal programs that a measured program can be shown by:
// xterm on an X server without a screen (Xvfb), and tmux without a client. A plan may
// name them wherever it is read; Available says whether they are there.
//
// Each runs HoldWord, this executable started anew, which gives the
// terminal up so that the measured program can have it for its own and stays the
// harness's child. A terminal is made for each run and is ready before it begins.
var realNames = []string{"xterm", "tmux"}

// needs are the programs that a real terminal is made of.
var needs = map[string][]string{"xterm": {"xterm", "Xvfb"}, "tmux": {"tmux"}}

// errNoPTY: on Windows a ConPTY is attached through a list of process attributes,
// for which os/exec has no room.
var errNoPTY = errors.New("no pseudo-terminal is made on Windows: measure with --terminal none")

// Names are the names that Parse takes.
func Names() []string {
	names := []string{"none", "pty", "pty@N", "pty-stopped"}
	for _, m := range termmodel.Names() {
		names = append(names, "model-"+m)
	}
	return append(names, realNames...)
}

// Parse is String's inverse.
func Parse(name string) (Terminal, error) {
	switch name {
	case "none":
		return Terminal{}, nil
	case "pty":
		return Terminal{PTY: true}, nil
	case "pty-stopped":
		return Terminal{PTY: true, Stopped: true}, nil
	}
	if slices.Contains(realNames, name) {
		return Terminal{PTY: true, Real: name}, nil
	}
	if model, ok := strings.CutPrefix(name, "model-"); ok {
		if _, err := termmodel.Find(model); err == nil {
			return Terminal{PTY: true, Model: model}, nil
		}
	}
	if text, ok := strings.CutPrefix(name, "pty@"); ok {
		if rate, err := strconv.Atoi(text); err == nil && rate > 0 {
			return Terminal{PTY: true, Rate: rate}, nil
		}
	}
	return Terminal{}, fmt.Errorf("terminal: %q: want one of %s, where N is bytes a second", name, strings.Join(Names(), ", "))
}

// Output is what arrived at a terminal.
type Output struct {
	// Uncounted says that a real terminal has it: all else is zero.
	Uncounted bool
	// Bytes counts all that was read, exactly. A pseudo-terminal's line
	// discipline puts a carriage return before each line feed.
	Bytes int64
	// Reads counts the reads that returned something. Two writes that lie in
	// the terminal at once are read as one: it is at most the writes' number.
	Reads int64
	// Lines counts line feeds.
	Lines int64
	// First is when the first of it arrived; the zero time where nothing did.
	First time.Time
	// Tail is the end of the output.
	Tail []byte
}

// Attached is a terminal that a command was attached to.
type Attached struct {
	// Arrived, if set before Drain, hears of everything that is read, as it comes:
	// how many bytes. What a real terminal shows is not read.
	Arrived func(n int)

	near, far *os.File // ours, and the program's
	terminal  Terminal
	hurry     atomic.Bool // the program has ended: no more reading at a rate
	done      chan struct{}
	output    Output // once done is closed
	err       error
	end       func() error // ends a real terminal; nil for others
}

// Attach makes a terminal and sets it as cmd's standard output and error, and
// as its input where it is a pseudo-terminal. The command is kept apart from the
// harness's terminal, so that nothing of that reaches it. After cmd.Start,
// whether it succeeded or not, Drain must be called.
func (t Terminal) Attach(cmd *exec.Cmd) (*Attached, error) {
	if t.Real != "" {
		return t.attachReal(cmd)
	}
	a := &Attached{terminal: t, done: make(chan struct{})}
	apart(cmd)
	var err error
	if t.PTY {
		if a.near, a.far, err = openPTY(cmd); err == nil {
			cmd.Stdin = a.far
		}
	} else {
		a.near, a.far, err = os.Pipe()
	}
	if err != nil {
		return nil, fmt.Errorf("terminal: %w", err)
	}
	cmd.Stdout, cmd.Stderr = a.far, a.far
	return a, nil
}

// Drain starts reading. The program's end of the terminal is closed here.
func (a *Attached) Drain() {
	if a.end != nil {
		a.err = a.far.Close()
		return
	}
	if a.terminal.Stopped {
		go a.pressStop()
	}
	go func() {
		defer close(a.done)
		a.err = a.far.Close()
		if err := a.read(); err != nil {
			a.err = errors.Join(a.err, err)
		}
	}()
}

// Finish is called when the program has ended. It waits for what is still on
// the way, closes the terminal and returns what arrived.
func (a *Attached) Finish() (Output, error) {
	a.hurry.Store(true)
	if a.end != nil {
		return Output{Uncounted: true}, errors.Join(a.err, a.end())
	}
	select {
	case <-a.done:
	case <-time.After(linger):
		if err := a.near.SetReadDeadline(time.Now()); err != nil {
			// It cannot be interrupted; closing is what is left.
			err = a.near.Close()
			<-a.done
			return a.output, errors.Join(a.err, err)
		}
		<-a.done
	}
	return a.output, errors.Join(a.err, a.near.Close())
}

// When ^S is pressed and for how long, with Terminal.Stopped: while the program
// draws, and for longer than a small build takes.
const (
	stopAfter = 500 * time.Millisecond
	stopFor   = 10 * time.Second
)

// pressStop presses ^S and after a while ^Q. That the terminal is gone by then is
// no error.
func (a *Attached) pressStop() {
	for _, press := range []struct {
		after time.Duration
		key   string
	}{{stopAfter, "\x13"}, {stopFor, "\x11"}} {
		time.Sleep(press.after)
		if _, err := io.WriteString(a.near, press.key); err != nil {
			return
		}
	}
}

func (a *Attached) read() error {
	buffer := make([]byte, a.readSize())
	pace := pacer{rate: a.terminal.Rate}
	pay := func([]byte) {}
	if a.terminal.Model != "" && !a.terminal.Inside {
		m, err := termmodel.Find(a.terminal.Model)
		if err != nil {
			return err
		}
		pay = m.NewClock().Pay
	}
	for {
		n, err := a.near.Read(buffer)
		if n > 0 {
			a.output.add(buffer[:n])
			if a.Arrived != nil {
				a.Arrived(n)
			}
			if !a.hurry.Load() {
				pace.took(n)
				pay(buffer[:n])
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF), errors.Is(err, syscall.EIO), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, os.ErrClosed):
			// EIO is how Linux says that nobody has the pseudo-terminal open.
			return nil
		default:
			return fmt.Errorf("terminal: %w", err)
		}
	}
}

// readSize bounds a read, so that a slow terminal takes a twentieth of a
// second's worth at once rather than all that waits.
func (a *Attached) readSize() int {
	const most = 64 << 10
	if a.terminal.Model != "" && !a.terminal.Inside {
		return 4 << 10 // about a screen: what a program writes at once
	}
	if a.terminal.Rate == 0 {
		return most
	}
	return min(max(a.terminal.Rate/20, 1), most)
}

func (o *Output) add(data []byte) {
	if o.Bytes == 0 {
		o.First = time.Now()
	}
	o.Bytes += int64(len(data))
	o.Reads++
	for _, b := range data {
		if b == '\n' {
			o.Lines++
		}
	}
	o.Tail = append(o.Tail, data...)
	if len(o.Tail) > 2*tailSize {
		o.Tail = append(o.Tail[:0], o.Tail[len(o.Tail)-tailSize:]...)
	}
}

// pacer holds a reader to a rate by a debt clock: short sleeps are not exact,
// and what one is too long the next is shorter. Time in which there was nothing
// to read earns nothing.
type pacer struct {
	rate int // bytes a second; 0 is no limit
	next time.Time
}

func (p *pacer) took(n int) {
	if p.rate == 0 {
		return
	}
	now := time.Now()
	if p.next.Before(now.Add(-time.Millisecond * 100)) {
		p.next = now
	}
	p.next = p.next.Add(time.Duration(n) * time.Second / time.Duration(p.rate))
	if wait := p.next.Sub(now); wait > time.Millisecond {
		time.Sleep(wait)
	}
}
