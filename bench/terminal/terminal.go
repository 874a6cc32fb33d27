// Package terminal gives a measured program somewhere to write: a pipe, as in
// CI, or a pseudo-terminal with somebody at the other end who reads as fast as
// he can or only so many bytes a second.
//
// It counts what arrives and keeps the end of it. It knows nothing of what the
// program is or how long it takes. A pseudo-terminal that is read slowly is a
// model of a slow terminal and is called by its rate, not by a terminal's name:
// Linux takes 16 to 19 KB into the pseudo-terminal before a writer has to wait,
// which hides what a console costs that writes synchronously.
package terminal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
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
}

// String is the terminal's name: "none", "pty" or "pty@20000".
func (t Terminal) String() string {
	switch {
	case !t.PTY:
		return "none"
	case t.Rate == 0:
		return "pty"
	}
	return "pty@" + strconv.Itoa(t.Rate)
}

// Parse is String's inverse.
func Parse(name string) (Terminal, error) {
	switch name {
	case "none":
		return Terminal{}, nil
	case "pty":
		return Terminal{PTY: true}, nil
	}
	if text, ok := strings.CutPrefix(name, "pty@"); ok {
		if rate, err := strconv.Atoi(text); err == nil && rate > 0 {
			return Terminal{PTY: true, Rate: rate}, nil
		}
	}
	return Terminal{}, fmt.Errorf("terminal: %q: want none, pty, or pty@N for N bytes a second", name)
}

// Output is what arrived at a terminal.
type Output struct {
	// Bytes counts all that was read, exactly. A pseudo-terminal's line
	// discipline puts a carriage return before each line feed.
	Bytes int64
	// Reads counts the reads that returned something. Two writes that lie in
	// the terminal at once are read as one: it is at most the writes' number.
	Reads int64
	// Lines counts line feeds.
	Lines int64
	// Tail is the end of the output.
	Tail []byte
}

// Attached is a terminal that a command was attached to.
type Attached struct {
	near, far *os.File // ours, and the program's
	terminal  Terminal
	hurry     atomic.Bool // the program has ended: no more reading at a rate
	done      chan struct{}
	output    Output // once done is closed
	err       error
}

// Attach makes a terminal and sets it as cmd's standard output and error, and
// as its input where it is a pseudo-terminal. The command gets a session of its
// own, so that nothing of the harness's terminal reaches it. After cmd.Start,
// whether it succeeded or not, Drain must be called.
func (t Terminal) Attach(cmd *exec.Cmd) (*Attached, error) {
	a := &Attached{terminal: t, done: make(chan struct{})}
	attributes := &syscall.SysProcAttr{Setsid: true}
	if t.PTY {
		near, far, err := pty.Open()
		if err != nil {
			return nil, fmt.Errorf("terminal: %w", err)
		}
		err = pty.Setsize(near, &pty.Winsize{Rows: Rows, Cols: Columns})
		if err == nil {
			near, err = interruptible(near)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("terminal: %w", err), near.Close(), far.Close())
		}
		a.near, a.far = near, far
		attributes.Setctty = true // the child's descriptor 0
		cmd.Stdin = far
	} else {
		near, far, err := os.Pipe()
		if err != nil {
			return nil, fmt.Errorf("terminal: %w", err)
		}
		a.near, a.far = near, far
	}
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = a.far, a.far, attributes
	return a, nil
}

// interruptible replaces f, which package pty has set to block, by a file whose
// reads obey a deadline. On failure f is returned as it is.
func interruptible(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return f, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return f, errors.Join(err, unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), f.Name()), f.Close()
}

// Drain starts reading. The program's end of the terminal is closed here.
func (a *Attached) Drain() {
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

func (a *Attached) read() error {
	buffer := make([]byte, a.readSize())
	pace := pacer{rate: a.terminal.Rate}
	for {
		n, err := a.near.Read(buffer)
		if n > 0 {
			a.output.add(buffer[:n])
			if !a.hurry.Load() {
				pace.took(n)
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
	if a.terminal.Rate == 0 {
		return most
	}
	return min(max(a.terminal.Rate/20, 1), most)
}

func (o *Output) add(data []byte) {
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
