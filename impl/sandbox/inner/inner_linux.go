package inner

import (
	"errors"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

// Before all that this program is otherwise: see the package.
func init() {
	if len(os.Args) == 4 && os.Args[1] == Word && os.Args[2] == Verb {
		os.Exit(run(os.Args[3]))
	}
}

// run returns only when it fails.
func run(path string) int {
	syscall.CloseOnExec(StatusFD)
	say := func(mount bool, err error) int {
		status := os.NewFile(StatusFD, "status")
		if _, werr := status.Write(report(mount, err.Error())); werr != nil {
			os.Stderr.WriteString("bst: sandbox: " + err.Error() + "\n")
		}
		return ExitSetup
	}
	r, err := read(path)
	if err != nil {
		return say(false, err)
	}
	if err := closeOthers(r.Batch); err != nil {
		return say(false, err)
	}
	syscall.Umask(0o022)
	if err := os.Chdir(r.Work); err != nil {
		return say(false, err)
	}
	if r.OwnMounts {
		if err := OwnMounts(); err != nil {
			return say(false, err)
		}
	}
	if r.Overlay != "" {
		if err := MountOverlay(r.Target, r.Overlay); err != nil {
			return say(true, errors.New(r.Work+": "+err.Error()))
		}
	}
	// Bubblewrap keeps the descriptor from the command by itself.
	if _, _, errno := syscall.RawSyscall(syscall.SYS_FCNTL, StatusFD, syscall.F_SETFD, 0); errno != 0 {
		return say(false, os.NewSyscallError("fcntl", errno))
	}
	// Signals that were ignored where bst was started (nohup, a shell's &) would
	// be ignored by every command; what has a handler begins anew.
	signal.Notify(make(chan os.Signal, 1))
	// Bubblewrap gets an environment of its own: the element's must not change
	// what the host's program does (LD_PRELOAD, LD_LIBRARY_PATH).
	err = syscall.Exec(r.Program, r.Args, []string{"PATH=/usr/bin:/bin"})
	if err == syscall.E2BIG {
		err = errors.New("the command and its environment are too long for this system")
	}
	return say(false, errors.New(r.Program+": "+err.Error()))
}

// closeOthers keeps from the command what whoever started bst left open.
func closeOthers(batch bool) error {
	last := StatusFD
	if batch {
		last = BatchFD
	}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, e := range fds {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > last {
			syscall.CloseOnExec(fd)
		}
	}
	return nil
}

// OwnMounts cuts the mount namespace off from the host's and mounts the pid
// namespace's own /proc, in which bubblewrap looks for its children.
func OwnMounts() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return &os.PathError{Op: "making mounts private below", Path: "/", Err: err}
	}
	if err := syscall.Mount("proc", "/proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, ""); err != nil {
		return &os.PathError{Op: "mounting", Path: "/proc", Err: err}
	}
	return nil
}

// MountOverlay mounts an overlay with these options, whose paths start where the
// process is.
func MountOverlay(target, options string) error {
	if len(options) >= os.Getpagesize() {
		return errors.New("overlay mount options of " + strconv.Itoa(len(options)) + " bytes are longer than a page")
	}
	if err := syscall.Mount("overlay", target, "overlay", syscall.MS_NOSUID|syscall.MS_NODEV, options); err != nil {
		return &os.PathError{Op: "mounting an overlay on", Path: target, Err: err}
	}
	return nil
}
