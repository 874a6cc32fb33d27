//go:build unix

package term

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// state is a terminal's settings.
type state = unix.Termios

func enableEscapes(...*os.File) {}

// Close gives back what Open took: nothing, here.
func (c *Console) Close() {}

// Foreground says that the program's process group owns the terminal.
func (c *Console) Foreground() bool {
	if c.err == nil {
		return c.size.Load() != nil
	}
	group, err := unix.IoctlGetInt(int(c.err.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// Quiet turns off the echo of what is typed, which would scroll the status area
// away under the screen's cursor. Restore undoes it; where this program is killed
// instead, another one does, and writes reset to the terminal.
func (c *Console) Quiet(reset string) {
	if c.quiet != nil {
		return
	}
	old := c.echoing()
	if old == nil {
		return
	}
	c.Guard(reset)
	silent := *old
	silent.Lflag &^= unix.ECHO | unix.ECHONL
	if unix.IoctlSetTermios(int(c.in.Fd()), setTermios, &silent) == nil {
		c.quiet = old
	}
}

// echoing gives the terminal's settings where it echoes what is typed. Where it does
// not, that is somebody else's affair.
func (c *Console) echoing() *unix.Termios {
	if !c.inTTY || !c.Foreground() {
		return nil
	}
	now, err := unix.IoctlGetTermios(int(c.in.Fd()), getTermios)
	if err != nil || now.Lflag&unix.ECHO == 0 {
		return nil
	}
	return now
}

// Guard starts the process that undoes what Quiet does, where it is killed, before
// Quiet does: a start while all processors are busy takes up to 12 ms, and one of
// them does nothing else meanwhile.
func (c *Console) Guard(reset string) {
	if c.guard == nil && c.echoing() != nil {
		c.guard = newGuard(c.in, c.err, reset)
	}
}

// Restore gives the terminal its settings back.
func (c *Console) Restore() {
	if c.quiet != nil && c.Foreground() {
		// Nothing sensible can be done where this fails: the terminal is gone.
		_ = unix.IoctlSetTermios(int(c.in.Fd()), setTermios, c.quiet)
	}
	c.quiet = nil
	c.guard.leave()
	c.guard = nil
}

// DropInput forgets what was typed before a question was asked.
func (c *Console) DropInput() {
	if c.inTTY && c.Foreground() {
		_ = flushInput(int(c.in.Fd()))
	}
}

// ReadLine reads a line, without its end, until ctx is done: ErrCancelled.
// io.EOF says that the input ended before a line was begun.
func (c *Console) ReadLine(ctx context.Context) (string, error) {
	var line bytes.Buffer
	wait := func() error { return nil }
	if c.in != nil {
		wake, done, err := os.Pipe()
		if err != nil {
			return "", err
		}
		defer wake.Close()
		stop := context.AfterFunc(ctx, func() { done.Close() })
		defer func() {
			if stop() {
				done.Close()
			}
		}()
		fds := []unix.PollFd{
			{Fd: int32(c.in.Fd()), Events: unix.POLLIN},
			{Fd: int32(wake.Fd()), Events: unix.POLLIN},
		}
		wait = func() error {
			for {
				_, err := unix.Poll(fds, -1)
				if errors.Is(err, unix.EINTR) {
					continue
				}
				if err != nil {
					return err
				}
				if fds[1].Revents != 0 {
					return ErrCancelled
				}
				if fds[0].Revents != 0 {
					return nil
				}
			}
		}
	}
	// A byte at a time: what follows the line is the next reader's, which may
	// be a shell.
	var b [1]byte
	for {
		if err := wait(); err != nil {
			return "", err
		}
		n, err := c.In.Read(b[:])
		if n == 1 {
			if b[0] == '\n' {
				return string(bytes.TrimSuffix(line.Bytes(), []byte("\r"))), nil
			}
			line.WriteByte(b[0])
			if line.Len() > 4096 {
				return line.String(), nil
			}
			continue
		}
		if err != nil {
			if errors.Is(err, io.EOF) && line.Len() > 0 {
				return line.String(), nil
			}
			return "", err
		}
	}
}

// Run lends the terminal to a program and waits for it. Its process group is
// the terminal's foreground group for that time; when it is stopped (^Z) this
// program stops too, and when this one is continued so is it. When ctx is done
// the program is ended. status is as a shell tells it: 128 and the signal's
// number for one that was killed.
func (c *Console) Run(ctx context.Context, argv, env []string, dir string) (status int, err error) {
	if len(argv) == 0 {
		return 0, errors.New("there is no program to run")
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return 0, err
	}
	if c.in == nil || c.err == nil || c.out == nil {
		return c.runPiped(ctx, path, argv, env, dir)
	}
	lend := c.inTTY && c.Foreground()
	attr := &os.ProcAttr{
		Dir:   dir,
		Env:   env,
		Files: []*os.File{c.in, c.out, c.err},
		Sys:   &syscall.SysProcAttr{Setpgid: lend, Foreground: lend},
	}
	var saved *unix.Termios
	if lend {
		attr.Sys.Ctty = int(c.in.Fd())
		saved, _ = unix.IoctlGetTermios(attr.Sys.Ctty, getTermios)
	}
	p, err := os.StartProcess(path, argv, attr)
	if err != nil {
		return 0, err
	}
	pid := p.Pid
	target := pid
	if lend {
		target = -pid
	}
	ended := make(chan struct{})
	defer close(ended)
	stop := context.AfterFunc(ctx, func() {
		_ = syscall.Kill(target, syscall.SIGHUP)
		_ = syscall.Kill(target, syscall.SIGCONT)
		select {
		case <-ended:
		case <-time.After(2 * time.Second):
			_ = syscall.Kill(target, syscall.SIGKILL)
		}
	})
	defer stop()
	if lend {
		defer func() {
			c.takeBack(unix.Getpgrp())
			if saved != nil {
				_ = unix.IoctlSetTermios(int(c.in.Fd()), setTermios, saved)
			}
		}()
	}
	defer p.Release()
	for {
		var ws syscall.WaitStatus
		_, err := syscall.Wait4(pid, &ws, syscall.WUNTRACED, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 0, err
		case ws.Exited():
			return ws.ExitStatus(), nil
		case ws.Signaled():
			return 128 + int(ws.Signal()), nil
		case ws.Stopped() && lend:
			c.takeBack(unix.Getpgrp())
			if err := StopSelf(); err != nil {
				return 0, err
			}
			c.takeBack(pid)
			_ = syscall.Kill(target, syscall.SIGCONT)
		}
	}
}

// takeBack makes a process group the terminal's foreground group, also while
// this program is in the background.
func (c *Console) takeBack(group int) {
	signal.Ignore(syscall.SIGTTOU)
	defer signal.Reset(syscall.SIGTTOU)
	_ = unix.IoctlSetPointerInt(int(c.in.Fd()), unix.TIOCSPGRP, group)
}

// runPiped runs a program whose streams are not all files.
func (c *Console) runPiped(ctx context.Context, path string, argv, env []string, dir string) (int, error) {
	cmd := exec.CommandContext(ctx, path)
	cmd.Args, cmd.Env, cmd.Dir = argv, env, dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.In, c.Out, c.Err
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			return 128 + int(ws.Signal()), nil
		}
		return exit.ExitCode(), nil
	}
	return 0, err
}

// Pager gives the command that shows a file page by page.
func Pager(getenv func(string) string, path string) []string {
	pager := getenv("PAGER")
	if pager == "" {
		pager = "less"
		if _, err := exec.LookPath(pager); err != nil {
			pager = "more"
		}
	}
	// Logs have the colours that programs gave them.
	return []string{"/bin/sh", "-c", `export LESS="${LESS--R}"; ` + pager + ` "$0"`, path}
}

// IsClosed says that an error of a write means that nobody reads any more.
func IsClosed(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.EIO) || errors.Is(err, os.ErrClosed) || errors.Is(err, io.ErrClosedPipe)
}

// NonBlocking says that a stream is a file whose writes may fail for want of
// room, which no program that prints can live with.
func NonBlocking(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok || f == nil {
		return false
	}
	// Not f.Fd(), which would change what is asked for.
	raw, err := f.SyscallConn()
	if err != nil {
		return false
	}
	blocked := false
	err = raw.Control(func(fd uintptr) {
		flags, e := unix.FcntlInt(fd, unix.F_GETFL, 0)
		blocked = e == nil && flags&unix.O_NONBLOCK != 0
	})
	return err == nil && blocked
}
