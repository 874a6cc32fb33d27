package crash

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"bst/impl/cli"

	"golang.org/x/sys/unix"
)

// bstWord as argv[0] makes this test's executable bst.
const bstWord = "bst"

func TestMain(m *testing.M) {
	// As a backend or a sandbox's helper too it is bst: under the test's own
	// name it would run all tests again.
	if filepath.Base(os.Args[0]) == bstWord || len(os.Args) > 1 && strings.HasPrefix(os.Args[1], "__") {
		os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
	}
	// Whoever loses its parent becomes a child of this process: so every process
	// that a session leaves behind can be found, whatever it did to hide.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// proc is one process below the test.
type proc struct {
	pid, parent int
	name        string // the program's, at most 15 bytes
	state       byte
	args        string
	// forked says that it still is a copy of its parent, about to start something.
	forked bool
}

func (p proc) String() string {
	return fmt.Sprintf("%d (parent %d, state %c) %s", p.pid, p.parent, p.state, p.args)
}

// processes gives what is below a process, parents before children.
func processes(of int) []proc {
	names, _ := filepath.Glob("/proc/[0-9]*/stat")
	children := map[int][]proc{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // ended meanwhile
		}
		text := string(b)
		open, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
		fields := strings.Fields(text[end+1:])
		p := proc{name: text[open+1 : end], state: fields[0][0]}
		p.pid, _ = strconv.Atoi(strings.TrimSpace(text[:open]))
		p.parent, _ = strconv.Atoi(fields[1])
		children[p.parent] = append(children[p.parent], p)
	}
	all := children[of]
	for i := 0; i < len(all); i++ {
		if all[i].args = argsOf(all[i].pid); all[i].args == "" {
			all[i].args = "[" + all[i].name + "]"
		}
		of := all[i].args
		for _, child := range children[all[i].pid] {
			child.forked = argsOf(child.pid) == of
			all = append(all, child)
		}
	}
	return all
}

// argsOf gives a process's arguments, "" for one that has ended.
func argsOf(pid int) string {
	args, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return strings.TrimSpace(strings.ReplaceAll(string(args), "\x00", " "))
}

// others gives the processes of a session but the program that was started: all
// that are below this one, where tests take turns. A backend that stays, and what
// it runs, are below the program only if that started it, and only until it ends.
// The dead, whom nobody has taken in yet, are none of them.
func others(bst int) []proc {
	return slices.DeleteFunc(processes(os.Getpid()), func(p proc) bool { return p.pid == bst || p.state == 'Z' })
}

func isBackend(p proc) bool { return !p.forked && strings.Contains(p.args, " __backend ") }

// staying tells a backend that waits for the next session: nobody's child any more.
func staying(p proc) bool {
	return isBackend(p) && strings.Contains(p.args, " __backend warm ") && p.parent == os.Getpid()
}

// orphansEnd waits until no process below this one is left but a backend that
// stays, and takes in those that ended without their parent.
func orphansEnd(t testing.TB, patience time.Duration) { allEnd(t, patience, staying) }

// allEnd waits until there is no process but those that may be.
func allEnd(t testing.TB, patience time.Duration, mayBe func(proc) bool) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		left := processes(os.Getpid())
		for _, p := range left {
			if p.parent == os.Getpid() && p.state == 'Z' {
				_, _ = unix.Wait4(p.pid, nil, unix.WNOHANG, nil)
			}
		}
		left = slices.DeleteFunc(left, mayBe)
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			var text strings.Builder
			for _, p := range left {
				fmt.Fprintln(&text, p)
				_ = unix.Kill(p.pid, unix.SIGKILL)
			}
			t.Errorf("%v after the session these processes are left:\n%s", patience, &text)
			return
		}
	}
}

// unmounted wants nothing to be mounted in the stack's folders. What else is mounted
// on this machine, and meanwhile, is not ours.
func (s *stack) unmounted() {
	s.t.Helper()
	b, err := os.ReadFile("/proc/self/mountinfo")
	s.must(err)
	for line := range strings.Lines(string(b)) {
		if strings.Contains(line, s.dir) {
			s.t.Errorf("a mount is left: %s", line)
		}
	}
}

var needSandbox = sync.OnceValue(func() string {
	if exec.Command("bwrap", "--ro-bind", "/", "/", "--unshare-all", "true").Run() != nil {
		return "bubblewrap cannot make a sandbox here: apt-get install bubblewrap"
	}
	for program, pkg := range map[string]string{"busybox": "busybox-static", "git": "git"} {
		if _, err := exec.LookPath(program); err != nil {
			return program + " is not installed: apt-get install " + pkg
		}
	}
	return ""
})
