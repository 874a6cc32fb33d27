//go:build unix

package term

import (
	"os"
	"os/exec"
	"syscall"
)

// guardScript waits for a word, or for the end of whoever would say it. Then, if the
// terminal still is as Quiet makes it, it gets its echo back, and $1 is written to
// it. Only Quiet takes the echo and leaves whole lines: a shell that has the
// terminal by now edits lines itself, and is left alone.
const guardScript = `read -r word && exit
case $(stty -a <&3) in
*-icanon*) ;;
*" -echo "*) stty echo <&3; printf %s "$1" ;;
esac`

// guard is a process that gives a terminal its echo back when this program is
// killed. Bytes on the terminal and its settings outlive a program; nothing else
// would undo what this one did to them.
type guard struct{ word *os.File }

// newGuard starts one. Without it nothing is lost but what it is for: where it
// cannot be started, nil is given.
func newGuard(in, out *os.File, reset string) *guard {
	shell, err := exec.LookPath("/bin/sh")
	if err != nil || in == nil || out == nil {
		return nil
	}
	hears, word, err := os.Pipe()
	if err != nil {
		return nil
	}
	defer hears.Close()
	cmd := exec.Command(shell, "-c", guardScript, "bst-terminal", reset)
	cmd.Stdin, cmd.Stdout, cmd.ExtraFiles = hears, out, []*os.File{in}
	cmd.Dir, cmd.Env = "/", []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	// In a session of its own it is nobody's background job, which may not set the
	// terminal; and no signal from there, nor one to this program's group, ends it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		word.Close()
		return nil
	}
	go func() { _ = cmd.Wait() }() // for nothing to be left of it
	return &guard{word}
}

// leave says that the terminal was given back.
func (g *guard) leave() {
	if g == nil {
		return
	}
	// Where somebody killed it, it need not be told.
	_, _ = g.word.WriteString("done\n")
	g.word.Close()
}
