package early

import (
	"os"
	"syscall"
)

var begun Begun

// Before nearly all else that this program is: see the package.
func init() {
	if strategy := wanted(os.Args, os.Getenv(Variable)); strategy != "" {
		// Where it fails, whoever wants a backend starts one, and says what is wrong.
		begun, _ = start(strategy)
	}
}

// Take gives the process that was begun, once.
func Take() Begun {
	b := begun
	begun = Begun{}
	return b
}

// start starts this executable as a strategy's backend, in a process group of its
// own, as package child does.
func start(strategy string) (Begun, error) {
	executable, err := os.Executable()
	if err != nil {
		return Begun{}, err
	}
	b := Begun{Executable: executable, Args: []string{Word, strategy}, Environ: os.Environ()}
	var theirs [3]*os.File
	var made []*os.File
	pair := func(a, b *os.File, err error) (*os.File, *os.File, error) {
		if err == nil {
			made = append(made, a, b)
		}
		return a, b, err
	}
	if endsOf(strategy) == pipes {
		if theirs[0], b.Orders, err = pair(os.Pipe()); err == nil {
			b.Events, theirs[1], err = pair(os.Pipe())
		}
	} else {
		b.Orders, theirs[0], err = pair(socketPair())
		b.Events = b.Orders
		if err == nil {
			if theirs[1], err = os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
				made = append(made, theirs[1])
			}
		}
	}
	if err == nil {
		b.Stderr, theirs[2], err = pair(os.Pipe())
	}
	if err == nil {
		argv := append([]string{executable}, b.Args...)
		b.Process, err = os.StartProcess(executable, argv, &os.ProcAttr{Env: b.Environ, Files: theirs[:], Sys: &syscall.SysProcAttr{Setpgid: true}})
	}
	for _, f := range made {
		if err != nil || f == theirs[0] || f == theirs[1] || f == theirs[2] {
			f.Close() // it has nothing to write that could be lost
		}
	}
	if err != nil {
		return Begun{}, err
	}
	return b, nil
}

func socketPair() (ours, theirs *os.File, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	return os.NewFile(uintptr(fds[0]), "frontend's socket"), os.NewFile(uintptr(fds[1]), "backend's socket"), nil
}
