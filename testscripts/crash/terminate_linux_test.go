package crash

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"bst/strategies"

	"golang.org/x/sys/unix"
)

// endWithin is how long a session may take to end after it was told to, also
// where its jobs do not want to. It takes a second or two; this is for a machine
// that has much else to do, and still less than where the scheduler gives up.
const endWithin = 30 * time.Second

// stubborn are jobs that do not end by themselves, nor when they are asked to.
var stubborn = []struct {
	name string
	// element gives all.bst; port is that of a server that never answers.
	element func(port int) string
	// process is part of the arguments of a process that shows that it runs;
	// "" waits for the server to be spoken to.
	process string
}{
	{"ignores signals", commands(`trap "" TERM INT HUP QUIT TSTP; while true; do sleep 12345; done`), "sleep 12345"},
	{"leaves its session", commands(`trap "" TERM; (setsid sh -c "setsid sleep 12346; sleep 12346" &); setsid sleep 12347`), "sleep 12346"},
	{"floods its log", commands(`sh -c "sleep 1; sleep 12348" & yes`), "sleep 12348"},
	{"git server is silent", source("git", "git"), ""},
	{"git server is silent to a helper", source("git", "http"), ""},
	{"http server is silent", source("remote", "http"), ""},
}

// commands makes an element that runs a command.
func commands(line string) func(int) string {
	return func(int) string {
		return "kind: manual\nbuild-depends:\n- base.bst\nconfig:\n  build-commands:\n  - |\n    " + line + "\n"
	}
}

// source makes an element with a source from the server.
func source(kind, scheme string) func(int) string {
	return func(port int) string {
		return fmt.Sprintf("kind: import\nsources:\n- kind: %s\n  url: %s://127.0.0.1:%d/thing\n  ref: %s\n",
			kind, scheme, port, strings.Repeat("0123456789", 7)[:map[string]int{"git": 40, "remote": 64}[kind]])
	}
}

// ends are the ways to end a session.
var ends = []struct {
	name string
	do   func(*seat)
	// killed says that bst has no chance to tidy up.
	killed bool
	status int
}{
	{"^C and terminate", func(s *seat) {
		s.types("\x03")
		s.waitFor("Choice: [continue]: ")
		s.types("t\n")
	}, false, 255},
	{"^C twice", func(s *seat) {
		s.types("\x03")
		s.waitFor("Choice: [continue]: ")
		s.types("\x03")
	}, false, 255},
	{"SIGTERM", func(s *seat) { s.signal(unix.SIGTERM) }, false, 255},
	{"SIGHUP", func(s *seat) { s.signal(unix.SIGHUP) }, false, 255},
	{"the terminal goes", (*seat).leave, false, -2},
	{"the terminal goes at a question", func(s *seat) {
		s.types("\x03")
		s.waitFor("Choice: [continue]: ")
		s.leave()
	}, false, -2},
	{"SIGTERM while stopped", func(s *seat) {
		s.types("\x1a")
		s.stops()
		s.signal(unix.SIGTERM)
		s.signal(unix.SIGCONT)
	}, false, 255},
	{"kill -9", func(s *seat) { s.signal(unix.SIGKILL) }, true, -1},
	{"kill -9 of the backend", func(s *seat) {
		for _, p := range others(s.cmd.Process.Pid) {
			if isBackend(p) {
				s.must(unix.Kill(p.pid, unix.SIGKILL))
				return
			}
		}
		s.signal(unix.SIGKILL) // which is the backend as well
	}, true, -2},
}

func (s *seat) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Error(err)
	}
}

func (s *seat) signal(sig unix.Signal) {
	s.t.Helper()
	if err := unix.Kill(s.cmd.Process.Pid, sig); err != nil {
		s.t.Errorf("%v: %v", sig, err)
	}
}

// stops waits until the program is stopped.
func (s *seat) stops() {
	s.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if stateOf(s.cmd.Process.Pid) == 'T' {
			return
		}
	}
	s.t.Errorf("bst did not stop; the terminal:\n%s", s.seen())
}

func stateOf(pid int) byte {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	return strings.TrimSpace(string(b[strings.LastIndexByte(string(b), ')')+1:]))[0]
}

// TestTerminate ends sessions whose jobs do not want to. BST_CRASH_ROUNDS asks for
// every way to end every job, instead of one way each.
func TestTerminate(t *testing.T) {
	subjects := standing()
	if os.Getenv("BST_CRASH_ROUNDS") != "" {
		subjects = strategies.All()
	}
	for n, strategy := range subjects {
		t.Run(strategy.Name, func(t *testing.T) {
			for i, job := range stubborn {
				for k, end := range ends {
					// Each strategy gets other pairs, and all ways are used.
					// A backend that dies while git waits is the one that depends on it.
					always := i == 4 && k == len(ends)-1
					if os.Getenv("BST_CRASH_ROUNDS") == "" && (k+n)%len(stubborn) != i && !always {
						continue
					}
					t.Run(job.name+", "+end.name, func(t *testing.T) {
						server := silentServer(t)
						s := newStack(t, strategy.Name, map[string]string{"all.bst": job.element(server.port)})
						s.round(1)
						seat := sit(t, s.command("build", "all.bst"))
						defer seat.leave()
						if job.process == "" {
							server.spokenTo(t)
						} else {
							runs(t, seat.cmd.Process.Pid, job.process)
						}
						end.do(seat)
						status := seat.status(endWithin)
						if end.status >= -1 && status != end.status {
							t.Errorf("exit status %d, want %d", status, end.status)
						}
						wait := 3 * time.Second
						if end.killed {
							wait = grace
						}
						orphansEnd(t, wait)
						s.unmounted()
						if end.status == 255 || end.name == "kill -9" {
							seat.restored()
						}
						if left := s.leftovers(); len(left) > 0 && !end.killed {
							t.Errorf("folders are left: %v", left)
						}
						s.sound()
						if t.Failed() {
							t.Logf("the terminal:\n%s", seat.seen())
						}
					})
				}
			}
		})
	}
}

// runs waits until the text is the arguments of one of a session's processes.
func runs(t testing.TB, pid int, text string) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		for _, p := range others(pid) {
			if p.args == text {
				return
			}
		}
	}
	t.Fatalf("no process %q came", text)
}

// silent is a server that takes what is said to it and never answers.
type silent struct {
	port  int
	heard chan struct{}
}

func silentServer(t testing.TB) *silent {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &silent{port: listener.Addr().(*net.TCPAddr).Port, heard: make(chan struct{}, 1)}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				var b [1]byte
				if _, err := conn.Read(b[:]); err != nil {
					return
				}
				select {
				case s.heard <- struct{}{}:
				default:
				}
				_, _ = io.Copy(io.Discard, conn)
			}()
		}
	}()
	return s
}

func (s *silent) spokenTo(t testing.TB) {
	t.Helper()
	select {
	case <-s.heard:
	case <-time.After(patience):
		t.Fatal("nothing was asked of the server")
	}
}
