package sandbox

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"bst/impl/bug"

	"golang.org/x/sys/unix"
)

// A shell's terminal.
//
// The shell lives in a process space of its own, where the process group that
// owns the person's terminal has no number. Shells with job control note that
// group when they start and want to give the terminal back to it when they end:
// dash fails to and ends with a status of its own. And what may write to the
// person's terminal can, on older kernels, type on it. So the shell gets a
// pseudo-terminal, whose session begins inside, and the helper carries bytes
// between the two; ^C and ^Z are among the bytes.

// ownTerminal is the script that makes a terminal the shell's own: the first
// process of a session that opens one gets it. It runs as the first process of
// the sandbox and stays, so that the shell below it, or another command, gets
// signals as any process does, and so that the terminal has an owner that the
// shell can give it back to.
const ownTerminal = `exec 0<>/dev/console 1>&0
test -t 2 && exec 2>&0
"$@"
exit $?`

// terminal is the person's, in raw mode, and the shell's.
type terminal struct {
	saved         unix.Termios
	master, slave *os.File
}

// isTerminal says whether the descriptor is one.
func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}

// openTerminal makes the shell's terminal like the person's on descriptor 0, and
// puts that into raw mode.
func openTerminal() (*terminal, error) {
	saved, err := unix.IoctlGetTermios(0, unix.TCGETS)
	if err != nil {
		return nil, err
	}
	t := &terminal{saved: *saved}
	if t.master, err = os.OpenFile("/dev/ptmx", os.O_RDWR, 0); err != nil {
		return nil, err
	}
	fail := func(err error) (*terminal, error) {
		t.master.Close()
		if t.slave != nil {
			t.slave.Close()
		}
		return nil, err
	}
	master := int(t.master.Fd())
	if err := unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0); err != nil {
		return fail(err)
	}
	number, err := unix.IoctlGetUint32(master, unix.TIOCGPTN)
	if err != nil {
		return fail(err)
	}
	if t.slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		return fail(err)
	}
	if err := unix.IoctlSetTermios(int(t.slave.Fd()), unix.TCSETS, saved); err != nil {
		return fail(err)
	}
	t.resize()
	raw := *saved
	raw.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	raw.Oflag &^= unix.OPOST
	raw.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	raw.Cflag = raw.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(0, unix.TCSETSW, &raw); err != nil {
		return fail(err)
	}
	return t, nil
}

// resize gives the shell's terminal the size of the person's.
func (t *terminal) resize() {
	if size, err := unix.IoctlGetWinsize(0, unix.TIOCGWINSZ); err == nil {
		_ = unix.IoctlSetWinsize(int(t.master.Fd()), unix.TIOCSWINSZ, size) // of looks alone
	}
}

// carry moves bytes until the shell's side is closed for good. The caller has
// closed its own slave.
func (t *terminal) carry() (done <-chan struct{}) {
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, unix.SIGWINCH)
	bug.Start(func() {
		for range resized {
			t.resize()
		}
	}, t.broke)
	// Ends with this process: nothing can take back a read of a terminal.
	bug.Start(func() { _, _ = io.Copy(t.master, os.Stdin) }, t.broke)
	finished := make(chan struct{})
	bug.Start(func() {
		defer close(finished)
		// It ends with EIO, when the last process that has the slave is gone.
		_, _ = io.Copy(os.Stdout, t.master)
	}, t.broke)
	return finished
}

// restore gives the person the terminal as it was.
func (t *terminal) restore() error {
	return unix.IoctlSetTermios(0, unix.TCSETSW, &t.saved)
}

// restoreAndDie restores when this process is asked to end, and ends as the
// signal does.
func (t *terminal) restoreAndDie(kill func()) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, unix.SIGTERM, unix.SIGHUP, unix.SIGINT, unix.SIGQUIT)
	bug.Start(func() {
		s := <-asked
		kill()
		_ = t.restore() // gone, if it was a hangup
		signal.Reset(s)
		_ = unix.Kill(os.Getpid(), s.(syscall.Signal))
	}, t.broke)
}

// broke ends this process, and with it the sandbox, for a bug.
func (t *terminal) broke(e *bug.Error) {
	_ = t.restore()
	fmt.Fprintf(os.Stderr, "bst: sandbox: %v\n%s", e, e.Stack)
	os.Exit(exitSetup)
}
