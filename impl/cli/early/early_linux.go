package early

import (
	"os"
	"syscall"

	"bst/impl/slack"
)

// begun is what was started: a process, and this end of its orders, events and
// standard error. It stays numbers until somebody takes it: what package os does
// besides (it tries out whether the kernel has handles of processes, and polls what
// it opens) would delay the process.
var begun struct {
	pid                    int // 0 for none
	executable             string
	args, environ          []string
	orders, events, stderr int
}

// Before nearly all else that this program is: see the package.
func init() {
	if strategy := wanted(os.Args, os.Getenv(Variable)); strategy != "" {
		// Where it fails, whoever wants a backend starts one, and says what is wrong.
		_ = start(strategy)
	}
}

// Take gives the process that was begun, once.
func Take() Begun {
	if begun.pid == 0 {
		return Begun{}
	}
	b := Begun{Executable: begun.executable, Args: begun.args, Environ: begun.environ}
	// It was not waited for: the number is still its own, and Unix finds any.
	b.Process, _ = os.FindProcess(begun.pid)
	begun.pid = 0
	b.Orders = file(begun.orders, "orders")
	if b.Events = b.Orders; begun.events != begun.orders {
		b.Events = file(begun.events, "events")
	}
	b.Stderr = file(begun.stderr, "backend's standard error")
	return b
}

// file makes a file that is polled, as that of os.Pipe is: closing it ends reading.
func file(fd int, name string) *os.File {
	_ = syscall.SetNonblock(fd, true) // where it fails, reading ends with the process
	return os.NewFile(uintptr(fd), name)
}

// start starts this executable as a strategy's backend, in a process group of its
// own, as package child does.
func start(strategy string) error {
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	var made []int
	pair := func(of func() ([2]int, error)) (a, b int) {
		if err != nil {
			return
		}
		var fds [2]int
		if fds, err = of(); err == nil {
			made = append(made, fds[:]...)
		}
		return fds[0], fds[1]
	}
	pipe := func() (fds [2]int, err error) {
		err = syscall.Pipe2(fds[:], syscall.O_CLOEXEC)
		return fds, err
	}
	var theirs [3]int
	if endsOf(strategy) == pipes {
		theirs[0], begun.orders = pair(pipe)
		begun.events, theirs[1] = pair(pipe)
	} else {
		begun.orders, theirs[0] = pair(func() ([2]int, error) {
			return syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
		})
		begun.events = begun.orders
		if err == nil {
			if theirs[1], err = syscall.Open(os.DevNull, syscall.O_WRONLY|syscall.O_CLOEXEC, 0); err == nil {
				made = append(made, theirs[1])
			}
		}
	}
	begun.stderr, theirs[2] = pair(pipe)
	begun.executable, begun.args, begun.environ = executable, []string{Word, strategy}, os.Environ()
	if err == nil {
		attr := syscall.ProcAttr{Env: begun.environ, Sys: &syscall.SysProcAttr{Setpgid: true}}
		for _, fd := range theirs {
			attr.Files = append(attr.Files, uintptr(fd))
		}
		argv := append([]string{executable}, begun.args...)
		err = slack.OfBackend(func() (err error) {
			begun.pid, err = syscall.ForkExec(executable, argv, &attr)
			return err
		})
	}
	for _, fd := range made {
		if err != nil || fd == theirs[0] || fd == theirs[1] || fd == theirs[2] {
			_ = syscall.Close(fd) // it has nothing to write that could be lost
		}
	}
	return err
}
