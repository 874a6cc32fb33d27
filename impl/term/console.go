package term

import (
	"errors"
	"io"
	"os"

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

	in, err *os.File // where they are files
	inTTY   bool
	quiet   *state // the terminal's settings from before Quiet
}

// Open looks at the standard streams. environ has TERM.
func Open(in io.Reader, out, stderr io.Writer) *Console {
	c := &Console{In: in, Out: out, Err: stderr}
	c.Terminal = isTerminal(out) && isTerminal(stderr)
	c.in, _ = in.(*os.File)
	c.err, _ = stderr.(*os.File)
	c.inTTY = isTerminal(in)
	if c.Terminal {
		enableEscapes(c.Out.(*os.File), c.err)
	}
	return c
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && f != nil && xterm.IsTerminal(int(f.Fd()))
}

// Size is the terminal's, in columns and rows.
func (c *Console) Size() (columns, rows int) {
	if c.err != nil {
		if w, h, err := xterm.GetSize(int(c.err.Fd())); err == nil && w > 0 && h > 0 {
			return w, h
		}
	}
	return defaultColumns, defaultRows
}
