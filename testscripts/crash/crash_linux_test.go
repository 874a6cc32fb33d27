package crash

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bst/strategies"

	"golang.org/x/sys/unix"
)

// few is how many rounds a strategy gets where BST_CRASH_ROUNDS does not say, and
// fewer how many one gets that decorates another.
const few, fewer = 4, 1

// grace is how long what was left alone may take to end: a backend gives its
// jobs 15 s and 3 s.
const grace = 25 * time.Second

// victims are who can be killed, by what a process looks like.
var victims = []struct {
	name string
	is   func(bst int, p proc) bool
}{
	{"frontend", func(bst int, p proc) bool { return p.pid == bst }},
	{"backend", func(_ int, p proc) bool { return isBackend(p) }},
	{"sandbox helper", func(_ int, p proc) bool { return strings.Contains(p.args, " __sandbox ") }},
	{"bwrap", func(_ int, p proc) bool { return p.name == "bwrap" }},
	{"command", func(_ int, p proc) bool { return strings.HasPrefix(p.args, "sh ") || p.name == "sleep" }},
	{"git", func(_ int, p proc) bool { return strings.HasPrefix(p.name, "git") }},
	{"anybody", func(int, proc) bool { return true }},
}

// standing are the strategies that stand for themselves. In those that decorate
// another the same processes live and die; only TestKilled, and TestTerminate where
// BST_CRASH_ROUNDS asks for all there is, have them.
func standing() []strategies.Strategy {
	return slices.DeleteFunc(strategies.All(), func(s strategies.Strategy) bool { return s.Decorates != "" })
}

// TestKilled kills one process of a session at a random moment, again and again.
//
//	BST_CRASH_ROUNDS=300 BST_CRASH_SEED=7 go test ./testscripts/crash -run Killed
func TestKilled(t *testing.T) {
	wanted, seed := 0, uint64(time.Now().UnixNano())
	if n, err := strconv.Atoi(os.Getenv("BST_CRASH_ROUNDS")); err == nil {
		wanted = n
	}
	if n, err := strconv.ParseUint(os.Getenv("BST_CRASH_SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Logf("BST_CRASH_SEED=%d", seed)
	for _, strategy := range strategies.All() {
		t.Run(strategy.Name, func(t *testing.T) {
			rounds := wanted
			switch {
			case wanted > 0:
			case testing.Short() || racing || strategy.Decorates != "":
				rounds = fewer
			default:
				rounds = few
			}
			var s *stack
			var usual int
			hits := map[string]int{}
			for n := range rounds {
				random := rand.New(rand.NewPCG(seed, uint64(n)))
				if n%20 == 0 {
					if s != nil {
						s.close()
					}
					s, usual = killable(t, strategy.Name)
				}
				t.Run(strconv.Itoa(n), func(t *testing.T) {
					s.t = t
					hits[s.killed(n+1, usual, random)]++
				})
				s.t = t
			}
			t.Logf("%d rounds: %v", rounds, hits)
		})
	}
}

// killable makes a stack whose build keeps many kinds of processes busy, and
// counts the lines of its log.
func killable(t *testing.T, strategy string) (*stack, int) {
	t.Helper()
	elements := map[string]string{}
	const wide = 7
	all := "kind: stack\ndepends:\n- gits.bst\n"
	for i := range wide {
		name := fmt.Sprintf("e%d.bst", i)
		depends := "- base.bst\n"
		if i >= 4 {
			depends += fmt.Sprintf("- e%d.bst\n", i-4)
		}
		elements[name] = fmt.Sprintf(`kind: manual
depends:
%sconfig:
  build-commands:
  - for i in $(seq 40); do echo "%%{round} %d $i" > file$i; done
  - (setsid sleep 0.1 &) ; sleep 0.0%d
  install-commands:
  - mkdir -p %%{install-root}/%d && cp file* %%{install-root}/%d
  strip-commands: []
`, depends, i, i, i, i)
		all += "- " + name + "\n"
	}
	elements["all.bst"] = all
	s := newStack(t, strategy, elements)
	commit := s.repository()
	s.write("project/elements/gits.bst", "kind: import\nsources:\n- kind: git\n  url: here:repo\n  track: main\n  ref: "+commit+"\n"+
		"config:\n  target: /git-%{round}\n")
	usual := 0
	for n := range 2 { // the first also stores the system to build in
		s.round(-n)
		usual = strings.Count(s.run("build", "all.bst"), "\n")
	}
	return s, usual
}

// kill kills one of the processes that there are now, and gives what it was. It
// chooses among the kinds first: most processes are of few kinds.
func kill(bst *os.Process, random *rand.Rand) string {
	all := append([]proc{{pid: bst.Pid}}, others(bst.Pid)...)
	for _, i := range random.Perm(len(victims)) {
		for _, k := range random.Perm(len(all)) {
			p := all[k]
			if p.state != 'Z' && victims[i].is(bst.Pid, p) && killOne(bst, p) {
				return victims[i].name
			}
		}
	}
	return "nobody"
}

// backend gives the backend that waits for the next session, 0 where none does.
func (s *stack) backend() int {
	for _, p := range processes(os.Getpid()) {
		if staying(p) {
			return p.pid
		}
	}
	return 0
}

// killOne kills a process that is bst or still below it: numbers are used again,
// and this machine's other processes are not ours.
func killOne(bst *os.Process, p proc) bool {
	if p.pid == bst.Pid {
		return bst.Kill() == nil
	}
	fd, err := unix.PidfdOpen(p.pid, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	for _, now := range others(bst.Pid) {
		if now.pid == p.pid && now.parent == p.parent {
			return unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0) == nil
		}
	}
	return false
}

// killed is one round. It gives what was killed.
func (s *stack) killed(n, usual int, random *rand.Rand) string {
	t := s.t
	s.round(n)
	for _, dir := range []string{"sources/git", "elementsources", "source_protos"} {
		s.must(os.RemoveAll(s.cache(dir))) // fetch anew
	}
	s.must(os.RemoveAll(s.cache("artifacts/refs/crash/base")))
	stays := s.backend()

	// Half of the sessions ask a person what to do about a failure.
	// The terminal gets a digest, the file every line.
	log := s.path("log")
	s.must(os.RemoveAll(log))
	args := []string{"--log-file", log, "build", "all.bst"}
	choice := []string{"", "continue", "quit", "terminate"}[random.IntN(4)]
	if choice != "" {
		args = append([]string{"--on-error", choice}, args...)
	}
	seat := sit(t, s.command(args...))
	defer seat.leave()

	// Somewhere on its way, and at some moment there.
	until, moment := random.IntN(usual+1), time.Duration(random.IntN(50))*time.Millisecond
	for logged := 0; logged < until; time.Sleep(time.Millisecond) {
		text, err := os.ReadFile(log)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
		logged = bytes.Count(text, []byte("\n"))
		select {
		case <-seat.ended:
			logged = until
		default:
		}
	}
	time.Sleep(moment)
	hit := kill(seat.cmd.Process, random)

	// A person would answer: to go on, to quit, to end it all, to try again.
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		answers := []string{"continue", "quit", "terminate", "retry"}
		for menus := 0; ; time.Sleep(5 * time.Millisecond) {
			select {
			case <-seat.ended:
				return
			default:
			}
			if n := strings.Count(seat.seen(), "Choice: ["); n > menus {
				menus = n
				seat.types(answers[random.IntN(len(answers))] + "\n")
			}
		}
	}()
	status := seat.status(patience)
	<-asked
	orphansEnd(t, grace)
	text := seat.seen()
	s.unmounted()
	if hit == "frontend" && s.backend() != stays {
		t.Errorf("the backend that stays was %d before its frontend was killed, and is %d", stays, s.backend())
	}
	killedItself := seat.cmd.ProcessState.ExitCode() == -1
	seat.restored() // also where bst itself was killed
	if !killedItself {
		done := strings.Contains(text, "SUCCESS Build")
		switch {
		case status == 0 && !done:
			t.Errorf("status 0, and no success")
		case status != 0 && status != 255:
			t.Errorf("status %d", status)
		case hit == "backend" && status == 255 && !strings.Contains(text, "went away"):
			t.Errorf("nothing tells that the backend died")
		case status == 255 && !strings.Contains(text, "FAILURE") && !strings.Contains(text, "went away"):
			t.Errorf("nothing tells what failed")
		}
		for _, bad := range []string{"panic:", "goroutine ", "BUG"} {
			if strings.Contains(text, bad) {
				t.Errorf("%q is on the screen", bad)
			}
		}
	}
	s.sound()
	lines, err := os.ReadFile(log)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // killed before it was made
		t.Error(err)
	}
	s.keeps(string(lines))
	again := s.run("build", "--retry-failed", "all.bst")
	if !strings.Contains(again, "SUCCESS Build") {
		t.Errorf("the next build did not succeed:\n%s", again)
	}
	orphansEnd(t, grace)
	s.sound()
	for name, state := range s.states() {
		if state != "cached" {
			t.Errorf("%s is %s after the next build", name, state)
		}
	}
	if t.Failed() {
		t.Logf("killed: %s, on error: %q, status %d; the terminal:\n%s", hit, choice, status, text)
	}
	return hit
}
