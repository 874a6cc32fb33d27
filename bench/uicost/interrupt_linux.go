package uicost

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"time"

	"github.com/creack/pty"

	"bst/bench/place"
	"bst/bench/stacks"
	"bst/bench/terminal"
)

const interrupts = true

// interruptPatience bounds one build.
const interruptPatience = time.Minute

// interrupt presses ^C during a build of rapid tasks, and takes the time until
// the menu stands on the screen.
func (o *Options) interrupt(ctx context.Context, strategy string, r *rand.Rand) (line string, err error) {
	ctx, cancel := context.WithTimeout(ctx, interruptPatience)
	defer cancel()
	home, err := os.MkdirTemp(o.WorkDir, "interrupt-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(home)) }()
	at, err := place.Make(home, stacks.BuildStream2, 0)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, o.Program, "--config", at.Config, "-C", o.Dir, "--strategy", strategy, "build", o.Target)
	cmd.Env = at.Environ()
	screen, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: terminal.Rows, Cols: terminal.Columns})
	if err != nil {
		return "", err
	}
	defer screen.Close()

	// The status area says how far the build is, in per cent: it is in full swing.
	// The rest of the time before ^C is drawn by lot.
	var seen []byte
	await := func(what string) error {
		buf := make([]byte, 32<<10)
		for {
			if i := bytes.Index(seen, []byte(what)); i >= 0 {
				seen = seen[i+len(what):]
				return nil
			}
			n, err := screen.Read(buf)
			seen = append(seen, buf[:n]...)
			if err != nil {
				return fmt.Errorf("the screen does not show %q: %w: %q", what, err, seen[max(0, len(seen)-300):])
			}
		}
	}
	if err := await("%"); err != nil {
		return "", errors.Join(err, end(cmd))
	}
	time.Sleep(200*time.Millisecond + time.Duration(r.Int64N(int64(300*time.Millisecond))))
	pressed := time.Now()
	if _, err := io.WriteString(screen, "\x03"); err != nil {
		return "", errors.Join(err, end(cmd))
	}
	// What was drawn before is read too: the menu cannot be in it.
	if err := await("(c)ontinue"); err != nil {
		return "", errors.Join(err, end(cmd))
	}
	took := time.Since(pressed)
	_, err = io.WriteString(screen, "t\n")
	_, copied := io.Copy(io.Discard, screen) // ends with EIO when the terminal has no user any more
	_ = copied
	var exit *exec.ExitError
	if waited := cmd.Wait(); !errors.As(waited, &exit) {
		err = errors.Join(err, fmt.Errorf("terminated, the build ended with %v", waited))
	}
	return nanos(took, UnitWall), err
}

// end ends a build that does not do what it should.
func end(cmd *exec.Cmd) error {
	err := cmd.Process.Kill()
	_ = cmd.Wait() // killed
	return err
}
