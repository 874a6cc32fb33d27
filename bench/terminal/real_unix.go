//go:build unix

package terminal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// HoldWord is the argument that starts Hold; the file's path follows it.
const HoldWord = "__hold-terminal"

// holdPatience bounds how long a terminal program may take to start.
const holdPatience = 20 * time.Second

// Hold gives up the terminal that this process was started on, keeps it open,
// writes its name to a file, and waits for the terminal's end. The caller ignores SIGHUP,
// which the terminal sends to those who lose it.
func Hold(file string) error {
	name, err := os.Readlink("/proc/self/fd/0")
	if err != nil {
		return err
	}
	if err := unix.IoctlSetInt(0, unix.TIOCNOTTY, 0); err != nil {
		return fmt.Errorf("giving up %s: %w", name, err)
	}
	if err := os.WriteFile(file+".new", []byte(name), 0o600); err != nil {
		return err
	}
	if err := os.Rename(file+".new", file); err != nil {
		return err
	}
	// Without events, poll tells of the hangup alone.
	fds := []unix.PollFd{{Fd: 0}}
	for {
		if _, err := unix.Poll(fds, -1); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// attachReal starts a terminal program and sets its terminal as cmd's.
func (t Terminal) attachReal(cmd *exec.Cmd) (_ *Attached, err error) {
	dir, err := os.MkdirTemp("", "bst-bench-terminal-")
	if err != nil {
		return nil, fmt.Errorf("terminal: %w", err)
	}
	var ends []func() error
	end := func() error {
		var errs []error
		for i := len(ends) - 1; i >= 0; i-- {
			errs = append(errs, ends[i]())
		}
		return errors.Join(append(errs, os.RemoveAll(dir))...)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("terminal: %s: %w", t.Real, errors.Join(err, end()))
		}
	}()
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "tty")
	hold := []string{self, HoldWord, file}
	switch t.Real {
	case "xterm":
		display, err := start(&ends, "Xvfb", "-displayfd", "3", "-nolisten", "tcp", "-screen", "0", "1280x1024x24")
		if err != nil {
			return nil, err
		}
		_, err = start(&ends, "xterm", append([]string{"-display", ":" + display, "-geometry", fmt.Sprintf("%dx%d", Columns, Rows), "-e"}, hold...)...)
		if err != nil {
			return nil, err
		}
	case "tmux":
		socket := filepath.Join(dir, "tmux")
		tmux := func(args ...string) error {
			out, err := exec.Command("tmux", append([]string{"-S", socket, "-f", os.DevNull}, args...)...).CombinedOutput()
			if err != nil {
				return fmt.Errorf("tmux: %w: %s", err, bytes.TrimSpace(out))
			}
			return nil
		}
		err := tmux(append([]string{"new-session", "-d", "-x", strconv.Itoa(Columns), "-y", strconv.Itoa(Rows), "--"}, hold...)...)
		if err != nil {
			return nil, err
		}
		// With its last pane the server ends by itself.
		ends = append(ends, func() error { _ = tmux("kill-server"); return nil })
	}
	far, err := heldTerminal(file)
	if err != nil {
		return nil, err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = far, far, far
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	return &Attached{terminal: t, far: far, end: end}, nil
}

// heldTerminal waits for the terminal that Hold tells of, and opens it.
func heldTerminal(file string) (*os.File, error) {
	for end := time.Now().Add(holdPatience); ; time.Sleep(5 * time.Millisecond) {
		name, err := os.ReadFile(file)
		if err == nil {
			return sized(string(name))
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("it did not start within %v: %w", holdPatience, err)
		}
	}
}

// sized opens a terminal and waits until it has the size that all have.
func sized(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	for end := time.Now().Add(holdPatience); ; time.Sleep(5 * time.Millisecond) {
		size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
		if err == nil && size.Col == Columns && size.Row == Rows {
			return f, nil
		}
		if err == nil && time.Now().After(end) {
			err = fmt.Errorf("its size is %dx%d, not %dx%d", size.Col, size.Row, Columns, Rows)
		}
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
}

// start starts a program that runs until ends are called. Where it is given a
// descriptor 3 to write to, its first line is returned.
func start(ends *[]func() error, name string, args ...string) (line string, err error) {
	cmd := exec.Command(name, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	r, w, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer r.Close()
	cmd.ExtraFiles = []*os.File{w}
	err = cmd.Start()
	err = errors.Join(err, w.Close())
	if err != nil {
		return "", err
	}
	*ends = append(*ends, func() error {
		// It has no work of its own to lose; that it is gone already is as well.
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil
	})
	if args[0] != "-displayfd" {
		return "", nil
	}
	if err := r.SetReadDeadline(time.Now().Add(holdPatience)); err != nil {
		return "", err
	}
	buffer := make([]byte, 64)
	for !strings.Contains(line, "\n") {
		n, err := r.Read(buffer)
		line += string(buffer[:n])
		if err != nil {
			return "", fmt.Errorf("%s did not say its display: %w: %s", name, err, bytes.TrimSpace(said.Bytes()))
		}
	}
	return strings.TrimSpace(line), nil
}
