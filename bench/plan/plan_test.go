package plan

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"bst/bench/harness"
	"bst/bench/stacks"
	"bst/bench/terminal"
)

const whole = `question: What does it cost?
estimate: 2m
records:
- file: a
  stacks: [debian-git, rapid-20]
  projects: [sdk]
  strategies: [pipe, warm]
  commands: [show, show-cold]
  terminals: [none, pty@200]
  builders: [1, 8]
  frames: [45ms]
  windows: [5ms]
  per-event: true
  in-memory: true
  peers: [ninja, bst-1.6.8=/usr/bin/bst]
  repetitions: 6
  peer-repetitions: 2
  timeout: 1m
- file: parts/spawn-linux
  kind: spawn
  stacks: [chain-10]
  terminal: pty
  repetitions: 10
`

func TestParse(t *testing.T) {
	got, err := Parse("dir/cost.yaml", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	want := &Plan{
		Path: "dir/cost.yaml", Name: "cost", Question: "What does it cost?", Estimate: 2 * time.Minute,
		Records: []Record{
			{
				File: "a", Kind: Runs, Projects: []string{"sdk"},
				Stacks:     []stacks.Spec{{Kind: stacks.Debian, Root: "git"}, {Kind: stacks.Rapid, N: 20}},
				Strategies: []string{"pipe", "warm"},
				Commands:   []harness.Command{harness.Show, harness.ShowCold},
				Terminals:  []terminal.Terminal{{}, {PTY: true, Rate: 200}},
				Builders:   []int{1, 8}, Frames: []time.Duration{45 * time.Millisecond}, Windows: []time.Duration{5 * time.Millisecond},
				PerEvent: true, InMemory: true, Peers: []string{"ninja", "bst-1.6.8=/usr/bin/bst"},
				Repetitions: 6, PeerRepetitions: 2, Timeout: time.Minute,
			},
			{
				File: "parts/spawn-linux", Kind: Spawn, Stacks: []stacks.Spec{{Kind: stacks.Chain, N: 10}},
				Terminals: []terminal.Terminal{{PTY: true}}, Repetitions: 10,
			},
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Plan{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMistakes(t *testing.T) {
	for _, test := range []struct{ old, new, want string }{
		{whole, "", `p.yaml:1:1: it is empty; a plan has question, estimate and records`},
		{whole, "[]", `p.yaml:1:1: here is a list; want a mapping`},
		{"question:", "qestion:", `p.yaml:1:1: unknown key "qestion"; there are question, estimate, plans, records`},
		{"estimate: 2m\n", "", `p.yaml:1:1: estimate is missing`},
		{"estimate: 2m", "estimate: soon", `p.yaml:2:11: "soon": want a time between 1s and 24h0m0s, as in 90s or 5m`},
		{"  builders: [1, 8]", "  bilders: [1, 8]", `p.yaml:10:3: unknown key "bilders"; there are file, kind, stacks, `},
		{"[pipe, warm]", "[pipe, carrier-pigeon]", `p.yaml:7:22: unknown strategy "carrier-pigeon"; there are inprocess, `},
		{"debian-git", "cube-3", `p.yaml:5:12: no kind "cube" in "cube-3"; there are [chain `},
		{"show-cold", "dance", `p.yaml:8:20: no command "dance"; there are [`},
		{"pty@200", "vt100", `p.yaml:9:21: "vt100": want one of none, pty, `},
		{"[1, 8]", "[1, 8, 1]", `p.yaml:10:20: 1 is here twice`},
		{"[1, 8]", "[0]", `p.yaml:10:14: "0": want a number between 1 and 1000`},
		{"[1, 8]", "8", `p.yaml:10:13: here is a single value; want a list`},
		{"[1, 8]", "[]", `p.yaml:10:13: here are 0 values; want between 1 and 100`},
		{"[45ms]", "[11]", `p.yaml:11:12: "11": want a time between 1ms and 1m0s, as in 90s or 5m`},
		{"true", "yes please", `p.yaml:13:14: "yes please": want true or false`},
		{"ninja", "Ninja", `p.yaml:15:11: "Ninja": want NAME or NAME=PATH`},
		{"  repetitions: 6\n", "", `p.yaml:4:3: repetitions is missing in this record`},
		{"file: parts/spawn-linux", "file: a", `p.yaml:1:1: record 2 writes a, as one before it does`},
		{"file: parts/spawn-linux", "file: ../up", `p.yaml:19:9: "../up": want a file's name of small letters`},
		{"kind: spawn", "kind: sprawn", `p.yaml:20:9: unknown kind "sprawn"; there are runs, spawn, codecs, timeline, ui`},
		{"  terminal: pty\n", "  builders: [3]\n", `p.yaml:22:3: a record of kind spawn has no builders`},
		{"  kind: spawn\n", "", `p.yaml:19:3: commands is missing in this record`},
		{"  timeout: 1m\n", "  timeout: 1m\n  timeout: 2m\n", `timeout`},
		{"question: What does it cost?", "question: *what", `p.yaml:1:1: it is not YAML: `},
		{"records:", "records: [", `it is not YAML: `},
		{"question: What", "question: a\n---\nquestion: What", `p.yaml:2:1: a second document; a plan is one`},
	} {
		text := strings.Replace(whole, test.old, test.new, 1)
		if text == whole {
			t.Errorf("%q is not in the plan", test.old)
		}
		_, err := Parse("p.yaml", []byte(text))
		var mistake *Error
		if !errors.As(err, &mistake) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q for %q: %v\nwant %s", test.new, test.old, err, test.want)
		}
	}
}

// The plans of the repository are read, and each says what it is for.
func TestPlans(t *testing.T) {
	plans, err := ReadDir("../plans")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range plans {
		names = append(names, p.Name)
	}
	for _, want := range []string{"quick", "full", "full-short", "precise", "warm", "disk", "splitting", "batching", "spawn", "wsl1", "terminals", "scaling", "codec", "frame-rate", "window", "builders"} {
		if _, err := os.Stat(filepath.Join("../plans", want+".yaml")); err != nil {
			t.Errorf("there is no plan %s among %v", want, names)
		}
	}
}

func TestInclude(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name+".yaml")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	head := "question: q\nestimate: 1m\n"
	record := func(file string) string {
		return "records:\n- {file: " + file + ", stacks: [fan-3], commands: [show], terminals: [none], repetitions: 1}\n"
	}
	write("one", head+record("one"))
	write("two", head+record("two"))
	write("broken", head+"colour: red\n")
	write("outer", head+"plans: [one]\n")
	p, err := Read(write("both", head+"plans: [one, two]\n"+record("three")))
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, r := range p.Records {
		files = append(files, r.File)
	}
	if diff := cmp.Diff([]string{"one", "two", "three"}, files); diff != "" {
		t.Error(diff)
	}
	for _, test := range []struct{ text, want string }{
		{"plans: [one, none]\n", "bad.yaml:3:14: plan: open "},
		{"plans: [broken]\n", `broken.yaml:3:1: unknown key "colour"`},
		{"plans: [outer]\n", "outer is made of other plans itself; name those"},
		{"plans: [one]\n" + record("one"), "two of its records write one"},
		{"plans: [../one]\n", `bad.yaml:3:9: "../one": want a plan's name`},
	} {
		if _, err := Read(write("bad", head+test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v\nwant %s", test.text, err, test.want)
		}
	}
}

// The program has the plans with it, those that are made of others too.
func TestBuiltIn(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"quick", "full", "full-short", "platform", "gvisor", "wine"} {
		if p, err := Read(name); err != nil || p.Name != name || len(p.Records) == 0 {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	if _, err := Read("no-such-plan"); err == nil {
		t.Error("no error for a plan that is not there")
	}
}

// Whatever a plan holds, it is read or refused with its place.
func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte("question: &a x\nestimate: *a\nrecords: [*a, {<<: *a}]\n"))
	f.Add([]byte("? [a]\n: b\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		p, err := Parse("fuzz.yaml", content)
		var mistake *Error
		if err != nil && (!errors.As(err, &mistake) || mistake.Line < 1 || mistake.Column < 1) {
			t.Errorf("%v", err)
		}
		if err == nil && (len(p.Records)+len(p.includes) == 0 || p.Estimate <= 0) {
			t.Errorf("%+v", p)
		}
	})
}
