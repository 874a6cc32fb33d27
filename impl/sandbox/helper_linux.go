package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"bst/impl/sandbox/inner"
)

// The helper is this executable started anew with HelperWord. It exists because
// a mount needs a mount namespace of its own to vanish with, and a Go process,
// always multi-threaded, cannot enter a new user namespace; a new process can
// be born in one.
//
//	helper inner RECIPE    born in new mount and pid namespaces (and, for an
//	                       ordinary user, a user namespace) mounts the overlay and
//	                       becomes bubblewrap: package inner. It is the first
//	                       process of its pid namespace: when it ends the kernel
//	                       ends all others.
//	helper shell PLAN      runs in the frontend's place on its terminal: starts an
//	                       inner helper and ends with its status.
//	helper probe DIR       born like inner, tries what the overlay has to do in
//	                       DIR and says with its status whether it works.

// Exit statuses of a helper that could not do its part; bubblewrap's and the
// command's own are told apart by the status pipe.
const (
	exitUsage = 125
	exitSetup = inner.ExitSetup
	// exitNamespaces is a probe's, whose namespaces are of no use.
	exitNamespaces = 2
)

// report is one line on the status pipe: a setup error from the helper, or
// bubblewrap's own.
type report struct {
	Error    string `json:"bst-error,omitempty"`
	Mount    bool   `json:"bst-mount,omitempty"`
	ExitCode *int   `json:"exit-code,omitempty"`
	ChildPID int    `json:"child-pid,omitempty"`
}

// RunHelper is the helper's main function. main calls it before anything else
// when os.Args[1] is HelperWord, with the arguments after that word, and exits
// with what it returns.
func RunHelper(args []string) int {
	if len(args) == 2 {
		switch args[0] {
		case "shell":
			return runShell(args[1])
		case "probe":
			return runProbe(args[1])
		}
	}
	fmt.Fprintln(os.Stderr, "bst: "+HelperWord+" is for bst's own use")
	return exitUsage
}

// innerCommand makes the command that starts an inner helper in namespaces of
// its own. What it is started on (terminal, session, parent's death) is the
// caller's to add.
func innerCommand(verb, path string, namespaces bool) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", HelperWord, verb, path)
	// A Go program reads some variables at its start; the helper is to behave
	// the same whatever the environment is.
	cmd.Env = []string{"PATH=/usr/bin:/bin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if namespaces {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNS | syscall.CLONE_NEWPID
		if uid, gid := os.Geteuid(), os.Getegid(); uid != 0 {
			cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
			cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
			cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: gid, Size: 1}}
		}
	}
	return cmd
}

// runShell runs the plan on this process's terminal. It stays as the parent:
// it holds the locks, hands the terminal back, and when it is killed the inner
// helper dies with it.
func runShell(path string) int {
	p, err := readShellPlan(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bst: the sandbox is gone: "+err.Error())
		return exitSetup
	}
	for _, l := range p.Locks {
		f, err := os.Open(l)
		if err == nil {
			err = unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB)
		}
		// The process that staged holds the same locks, shared too; one that
		// cannot be had means that the sandbox is being removed.
		if err != nil {
			fmt.Fprintln(os.Stderr, "bst: the sandbox is gone: "+err.Error())
			return exitSetup
		}
		defer f.Close()
	}

	// A death signal follows the thread that started the child.
	runtime.LockOSThread()
	status, writer, err := os.Pipe()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bst: sandbox: "+err.Error())
		return exitSetup
	}
	var own *terminal
	recipe := path + innerSuffix
	if p.OwnTerminal && isTerminal(0) && isTerminal(1) {
		if own, err = openTerminal(); err == nil {
			recipe = path + terminalSuffix
		}
		// Without one of its own the shell gets the person's.
	}
	cmd := innerCommand(inner.Verb, recipe, p.OwnNamespaces)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{writer}
	restore := func() {}
	if own != nil {
		cmd.Stdin, cmd.Stdout = own.slave, own.slave
		if isTerminal(2) {
			cmd.Stderr = own.slave
		}
		cmd.SysProcAttr.Setsid = true
		restore = func() {
			if err := own.restore(); err != nil {
				fmt.Fprintln(os.Stderr, "bst: sandbox: restoring the terminal: "+err.Error())
			}
		}
	} else {
		// The terminal's signals reach the command as well, and it is for the
		// command to decide. (Handled, not ignored: a child inherits what is
		// ignored.)
		signal.Notify(make(chan os.Signal, 1), unix.SIGINT, unix.SIGQUIT)
	}
	if err := cmd.Start(); err != nil {
		restore()
		fmt.Fprintln(os.Stderr, "bst: sandbox: "+startError(err).Error())
		return exitSetup
	}
	writer.Close()
	var carried <-chan struct{}
	if own != nil {
		own.slave.Close()
		own.restoreAndDie(func() { _ = cmd.Process.Kill() })
		carried = own.carry()
	}
	result := readReports(status, nil)
	err = cmd.Wait()
	if own != nil {
		select {
		case <-carried:
		case <-time.After(outputWait): // somebody outside has the terminal open
		}
	}
	restore()
	switch {
	case result.err != "":
		fmt.Fprintln(os.Stderr, "bst: sandbox: "+result.err)
		return exitSetup
	case result.exited:
		return result.exitCode
	case err == nil || cmd.ProcessState == nil:
		return exitSetup
	}
	return waitStatus(cmd.ProcessState)
}

// waitStatus is the shell's form of how a process ended.
func waitStatus(state *os.ProcessState) int {
	if state == nil {
		return exitSetup
	}
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return state.ExitCode()
}

// runProbe tries, in the empty directory dir, what staging asks of overlayfs:
// a mount of two layers, a whiteout, a replaced directory, a copy-up.
func runProbe(dir string) int {
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := os.Chdir(dir); err != nil {
		return fail(err)
	}
	for _, d := range []string{"a/d", "b", upperName, ovlWorkName, mountName} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return fail(err)
		}
	}
	for _, f := range []string{"a/f", "a/g", "a/d/f"} {
		if err := os.WriteFile(f, []byte("lower"), 0o644); err != nil {
			return fail(err)
		}
	}
	if err := inner.OwnMounts(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitNamespaces
	}
	p := &plan{Work: dir, Overlay: true, UserXattr: userXattr(), Layers: []string{"b", "a"}}
	if err := inner.MountOverlay(mountName, p.options()); err != nil {
		return fail(err)
	}
	in := func(name string) string { return filepath.Join(mountName, name) }
	err := errors.Join(
		os.Remove(in("f")),
		os.RemoveAll(in("d")),
		os.Mkdir(in("d"), 0o755),
		os.WriteFile(in("g"), []byte("upper"), 0o644),
	)
	if err != nil {
		return fail(err)
	}
	up := filepath.Join(upperName, "f")
	if st, err := os.Lstat(up); err != nil || !isWhiteout(st) {
		return fail(fmt.Errorf("no whiteout appeared at %s: %v", up, err))
	}
	if opaque, err := isOpaque(filepath.Join(upperName, "d")); err != nil || !opaque {
		return fail(fmt.Errorf("a replaced directory is not marked opaque: %v", err))
	}
	if b, err := os.ReadFile("a/g"); err != nil || string(b) != "lower" {
		return fail(errors.New("a write reached the lower layer"))
	}
	return 0
}

// userXattr says whether the helper's overlay must use user.* attributes: in a
// user namespace trusted.* ones cannot be written. Seen from the helper of an
// ordinary user, who is 0 there, the id map tells.
func userXattr() bool {
	b, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return os.Geteuid() != 0
	}
	var inside, outside, count int64
	if n, err := fmt.Sscan(string(b), &inside, &outside, &count); n != 3 || err != nil {
		return true
	}
	return !(inside == 0 && outside == 0 && count >= 1<<32-1)
}

// startError says what a person can do about an inner helper that did not start.
func startError(err error) error {
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("this system does not let an ordinary user make namespaces: %w", err)
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EUSERS):
		return fmt.Errorf("the limit on namespaces (sysctl user.max_user_namespaces) is reached: %w", err)
	}
	return err
}

func itoa(n int) string { return strconv.Itoa(n) }
