package term

import (
	"errors"
	"io"
	"os"
	"sync/atomic"

	xterm "golang.org/x/term"
)

// ErrCancelled says that ReadLine was given up.
var ErrCancelled = errors.New("reading a line was cancelled")

// Size of a terminal whose real size is not known.
const (
	defaultColumns = 80
	defaultRows    = 24
)

// Console is the three standard streams and what is known of them.
type Console struct {
	In       io.Reader
	Out, Err io.Writer
	// Terminal says that both Out and Err are terminals: only then may there be
	// a status area, prompts and, unless asked for, colours.
	Terminal bool

	in, out, err *os.File               // where they are files
	size         atomic.Pointer[[2]int] // columns and rows where the terminal is emulated
	inTTY        bool
	quiet        *state // the terminal's settings from before Quiet
	guard        *guard // of what Quiet did
}

// Open looks at the standard streams. environ has TERM.
func Open(in io.Reader, out, stderr io.Writer) *Console {
	c := &Console{In: in, Out: out, Err: stderr}
	c.Terminal = On(out, stderr)
	c.in, _ = in.(*os.File)
	c.out, _ = out.(*os.File)
	c.err, _ = stderr.(*os.File)
	c.inTTY = isTerminal(in)
	if c.Terminal {
		enableEscapes(c.out, c.err)
	}
	return c
}

// Emulated is a console whose terminal is not a file: what is written to it goes
// to w, which plays the terminal. It is always in the foreground.
func Emulated(in io.Reader, w io.Writer, columns, rows int) *Console {
	c := &Console{In: in, Out: w, Err: w, Terminal: true}
	c.Resize(columns, rows)
	return c
}

// Resize gives an emulated terminal another size. Nobody is told: that is a
// signal's part.
func (c *Console) Resize(columns, rows int) { c.size.Store(&[2]int{columns, rows}) }

// On says that the standard output and error are terminals; nothing is done to
// them.
func On(out, stderr io.Writer) bool { return isTerminal(out) && isTerminal(stderr) }

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && f != nil && xterm.IsTerminal(int(f.Fd()))
}

// Behind puts something between the program and its terminal's output: what it
// writes itself goes there, what it runs (Run) still has the terminal. It does
// nothing where there is no terminal.
func (c *Console) Behind(wrap func(io.Writer) io.Writer) {
	if c.Terminal {
		c.Out, c.Err = wrap(c.Out), wrap(c.Err)
	}
}

// Size is the terminal's, in columns and rows.
func (c *Console) Size() (columns, rows int) {
	if size := c.size.Load(); size != nil {
		return size[0], size[1]
	}
	if c.err != nil {
		if w, h, err := xterm.GetSize(int(c.err.Fd())); err == nil && w > 0 && h > 0 {
			return w, h
		}
	}
	return defaultColumns, defaultRows
}
