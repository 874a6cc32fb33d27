//go:build windows

package term

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"golang.org/x/sys/windows"
)

// state is unused: Windows consoles are not made quiet.
type state struct{}

// guard is unused: see state.
type guard struct{}

// changed are the modes that consoles had before enableEscapes. They belong to the
// console, and the shell that comes after this program has the same one.
var changed struct {
	mu    sync.Mutex // guards modes
	modes map[windows.Handle]uint32
}

// enableEscapes asks the console to obey escape sequences, until Close. Consoles
// older than Windows 10's refuse; what is drawn there is not pretty.
func enableEscapes(files ...*os.File) {
	changed.mu.Lock()
	defer changed.mu.Unlock()
	for _, f := range files {
		if f == nil {
			continue
		}
		h := windows.Handle(f.Fd())
		var mode uint32
		if windows.GetConsoleMode(h, &mode) != nil || mode&windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING != 0 {
			continue
		}
		if windows.SetConsoleMode(h, mode|windows.ENABLE_PROCESSED_OUTPUT|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil {
			if changed.modes == nil {
				changed.modes = make(map[windows.Handle]uint32)
			}
			changed.modes[h] = mode
		}
	}
}

// Close gives consoles the modes back that they had.
func (c *Console) Close() {
	changed.mu.Lock()
	defer changed.mu.Unlock()
	for h, mode := range changed.modes {
		_ = windows.SetConsoleMode(h, mode) // the console may be gone
	}
	changed.modes = nil
}

// Foreground is always true: Windows has no job control.
func (c *Console) Foreground() bool { return true }

// Quiet does nothing: a console echoes only while somebody reads.
func (c *Console) Quiet(string) {}

// Guard has nothing to undo.
func (c *Console) Guard(string) {}

// Restore undoes Quiet.
func (c *Console) Restore() {}

// DropInput forgets what was typed before a question was asked.
func (c *Console) DropInput() {
	if c.inTTY {
		_ = windows.FlushConsoleInputBuffer(windows.Handle(c.in.Fd()))
	}
}

// ReadLine reads a line, without its end, until ctx is done: ErrCancelled. The
// read itself cannot be given up on Windows; its goroutine stays until a line
// is typed or the program ends.
func (c *Console) ReadLine(ctx context.Context) (string, error) {
	type result struct {
		line string
		err  error
	}
	got := make(chan result, 1)
	go func() {
		var line bytes.Buffer
		var b [1]byte
		for line.Len() < 4096 {
			n, err := c.In.Read(b[:])
			if n == 1 && b[0] == '\n' {
				break
			}
			if n == 1 {
				line.WriteByte(b[0])
				continue
			}
			if err != nil {
				if errors.Is(err, io.EOF) && line.Len() > 0 {
					break
				}
				got <- result{err: err}
				return
			}
		}
		got <- result{line: string(bytes.TrimSuffix(line.Bytes(), []byte("\r")))}
	}()
	select {
	case r := <-got:
		return r.line, r.err
	case <-ctx.Done():
		return "", ErrCancelled
	}
}

// Run lends the terminal to a program and waits for it. When ctx is done the
// program is ended.
func (c *Console) Run(ctx context.Context, argv, env []string, dir string) (status int, err error) {
	if len(argv) == 0 {
		return 0, errors.New("there is no program to run")
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env, cmd.Dir = env, dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.In, c.Out, c.Err
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// Pager gives the command that shows a file page by page.
func Pager(getenv func(string) string, path string) []string {
	return []string{"cmd", "/c", "more", path}
}

// IsClosed says that an error of a write means that nobody reads any more.
func IsClosed(err error) bool {
	const noData = syscall.Errno(232) // ERROR_NO_DATA
	return errors.Is(err, syscall.ERROR_BROKEN_PIPE) || errors.Is(err, syscall.EPIPE) || errors.Is(err, noData) ||
		errors.Is(err, os.ErrClosed) || errors.Is(err, io.ErrClosedPipe)
}

// NonBlocking says that a stream is a file whose writes may fail for want of
// room; Windows has none.
func NonBlocking(any) bool { return false }
