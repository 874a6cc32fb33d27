package cli

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bst/impl/cli/early"
	"bst/impl/stream"
	"bst/strategies"
)

// Package early imports next to nothing, and so writes down what others say.
func TestEarlyKnowsTheStrategies(t *testing.T) {
	for _, s := range strategies.All() {
		if want := s.Serve != nil && !s.Stays(); early.Starts(s.Name) != want {
			t.Errorf("%s: a process is started early: %v, want %v", s.Name, !want, want)
		}
	}
}

// A new command is one that begins a session, or is listed here.
func TestEarlyKnowsTheCommands(t *testing.T) {
	a := &app{parts: join(), ctx: t.Context()}
	others := []string{"attach", "completion", "help", "manual-pages"}
	for _, c := range a.root().Commands() {
		if want := !slices.Contains(others, c.Name()) && !strings.HasPrefix(c.Name(), "__"); early.Sessions(c.Name()) != want {
			t.Errorf("bst %s: a session is begun: %v, want %v", c.Name(), !want, want)
		}
	}
}

// initialised is what the runtime tells of the initialisation of packages.
func initialised(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^$")
	cmd.Env = []string{"GODEBUG=inittrace=1"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// It works before the packages are initialised that take time.
func TestEarlyIsEarly(t *testing.T) {
	out := initialised(t)
	before, _, found := strings.Cut(out, "init bst/impl/cli/early ")
	const most = 35
	if n := strings.Count(before, "\n"); !found || n > most {
		t.Errorf("%d packages are initialised before it (found: %v); want at most %d:\n%s", n, found, most, out)
	}
}

// Each start of bst initialises all packages that it links. What compiles regular
// expressions or builds large tables then shows by the memory that it takes, which is
// the same each time.
func TestInitialisation(t *testing.T) {
	out := initialised(t)
	const most = 40 << 10 // bytes; what takes most has 33 KB
	packages := 0
	for line := range strings.Lines(out) {
		// init internal/bytealg @0.008 ms, 0 ms clock, 0 bytes, 0 allocs
		f := strings.Fields(line)
		if len(f) < 11 || f[0] != "init" || strings.HasPrefix(f[1], "github.com/google/go-cmp") {
			continue // the last is the tests'
		}
		packages++
		bytes, err := strconv.Atoi(f[7])
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if bytes > most {
			t.Errorf("%s takes %d bytes when the program starts, want at most %d: make it when it is first needed, or do without", f[1], bytes, most)
		}
	}
	if packages < 50 {
		t.Errorf("only %d packages were seen to be initialised", packages)
	}
}

func TestOnlyTheRightBackendIsTaken(t *testing.T) {
	fits := early.Begun{Executable: "/bin/bst", Args: []string{early.Word, "pipe"}, Environ: []string{"A=b"}, Process: &os.Process{}}
	host := stream.Host{Executable: "/bin/bst", Args: []string{early.Word, "pipe"}, Environ: []string{"A=b"}}
	if b := adopted(fits, &host); b == nil || b.Process != fits.Process {
		t.Errorf("what fits is not taken: %v", b)
	}
	for name, change := range map[string]func(*early.Begun){
		"none":                func(b *early.Begun) { b.Process = nil },
		"another program":     func(b *early.Begun) { b.Executable = "/usr/bin/bst" },
		"another strategy":    func(b *early.Begun) { b.Args = []string{early.Word, "socket"} },
		"another environment": func(b *early.Begun) { b.Environ = append(slices.Clone(b.Environ), "C=d") },
	} {
		b := fits
		change(&b)
		if got := adopted(b, &host); got != nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}
