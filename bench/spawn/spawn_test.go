package spawn

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bst/bench/stacks"
	"bst/bench/terminal"
	"bst/impl/cli"
	"bst/impl/stream"
	"bst/impl/wire"

	"golang.org/x/perf/benchfmt"
)

// The test's own program is bst where it is called so.
func TestMain(m *testing.M) {
	if strings.HasPrefix(filepath.Base(os.Args[0]), "bst-of-test") {
		os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
	}
	os.Exit(m.Run())
}

func TestRun(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "bst-of-test"+filepath.Ext(self))
	// Not a link: Windows would not remove it while the test runs.
	content, err := os.ReadFile(self)
	if err == nil {
		err = os.WriteFile(program, content, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	spec, err := stacks.ParseName("rapid-3")
	if err != nil {
		t.Fatal(err)
	}
	stack, err := stacks.Generate(spec)
	if err != nil {
		t.Fatal(err)
	}
	project := Project{Name: spec.Name(), Dir: filepath.Join(dir, "project"), Target: spec.Target(), Elements: len(stack.Elements)}
	if err := stack.Write(project.Dir, stacks.BuildStream2); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = Run(t.Context(), Options{
		Program: program, Strategies: []string{"inprocess", "pipe"}, Projects: []Project{project}, Terminal: terminal.Terminal{},
		Rounds: 1, WorkDir: dir, Timeout: time.Minute, Log: io.Discard,
	}, &out)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "init-1: ") || !strings.Contains(out.String(), "elements-rapid-3: 3\n") {
		t.Errorf("facts are missing:\n%s", out.String())
	}
	seen := 0
	reader := benchfmt.NewReader(bytes.NewReader(out.Bytes()), "record")
	for reader.Scan() {
		r, ok := reader.Result().(*benchfmt.Result)
		if !ok {
			continue
		}
		seen++
		values := map[string]float64{}
		for _, v := range r.Values {
			values[v.Unit] = v.Value
		}
		crosses := strings.Contains(string(r.Name), "strategy=pipe")
		if handed := values[UnitOrderBytes] > 0 && values[UnitHello] > 0 && values[UnitEnviron] > 0 && values[UnitEventBytes] > 0; handed != crosses {
			t.Errorf("%s: %v", r.Name, values)
		}
	}
	if want := len(Commands) * 2; seen != want {
		t.Errorf("%d lines, want %d:\n%s", seen, want, out.String())
	}
}

func TestMilestones(t *testing.T) {
	at := func(ms int) time.Time { return time.UnixMilli(int64(ms)) }
	whole := []wire.Crossed{
		{Time: at(1), Order: &stream.Show{}, Bytes: 300},
		{Time: at(5), Event: &stream.Started{Time: at(3)}, Bytes: 20},
		{Time: at(6), Event: &stream.ElementShown{}, Bytes: 50},
		{Time: at(7), Event: &stream.ElementShown{}, Bytes: 50},
		{Time: at(8), Order: &stream.Quit{}, Bytes: 2},
	}
	m, err := milestones(whole)
	want := marks{order: at(1), started: at(3), first: at(5), loaded: at(6), orderBytes: 300, events: 3, eventBytes: 120}
	if err != nil || m != want {
		t.Errorf("%+v, %v; want %+v", m, err, want)
	}
	for i := range 3 {
		if _, err := milestones(append(whole[:i:i], whole[4])); err == nil && i > 0 {
			t.Errorf("a trace of %d lines is enough", i)
		}
	}
}
