package report

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bst/bench/environ"
	"bst/impl/platform"
	"bst/strategies"
)

// measured is a file in which each case of build takes a time that is the product
// of its strategy's factor and a little noise, round by round.
type measured struct {
	platform string
	rounds   int
	terminal string
	// stacks gives a stack its factors by strategy; inprocess has 1.
	stacks map[string]map[string]float64
	tool   string // bst where empty
	set    string // settings
}

func (m measured) file() *File {
	f := &File{Name: m.platform + "-" + m.terminal, Facts: []environ.Pair{{Key: "platform", Value: m.platform}, {Key: "tool-bst", Value: "ours, version 1"}, {Key: "tool-old", Value: "peer, version 1.6.8"}}}
	tool := m.tool
	if tool == "" {
		tool = "bst"
	}
	for stack, factors := range m.stacks {
		for round := 1; round <= m.rounds; round++ {
			drift := 1 + float64(round*round%7)/5 // the machine's, the same for all in a round
			add := func(strategy, settings string, factor float64) {
				noise := 1 + float64((round*len(strategy)*31)%11-5)/1000
				f.Runs = append(f.Runs, Run{Axes{"build", stack, tool, strategy, m.terminal, settings}, round, map[string]float64{wall: factor * drift * noise}})
			}
			add(control, "", 1)
			for strategy, factor := range factors {
				add(strategy, m.set, factor)
			}
		}
	}
	return f
}

func one(factors map[string]float64) map[string]map[string]float64 {
	return map[string]map[string]float64{"a": factors}
}

// Who is chosen, by the rule.
func TestSelection(t *testing.T) {
	for _, c := range []struct {
		name  string
		m     measured
		place place
		want  string
		why   string
	}{
		{"quicker beyond doubt", measured{platform: "linux", rounds: 6, terminal: "none", stacks: one(map[string]float64{"pipe": 0.7})}, place{"linux", "none"}, "pipe", "pipe takes 0.699"},
		{"the same", measured{platform: "linux", rounds: 20, terminal: "none", stacks: one(map[string]float64{"pipe": 1, "batched": 1})}, place{"linux", "none"}, "inprocess", "no other is 2 % quicker"},
		{"too little", measured{platform: "linux", rounds: 20, terminal: "none", stacks: one(map[string]float64{"pipe": 0.99})}, place{"linux", "none"}, "inprocess", "no other is 2 % quicker"},
		{"slower", measured{platform: "linux", rounds: 6, terminal: "none", stacks: one(map[string]float64{"pipe": 1.5})}, place{"linux", "none"}, "inprocess", "1.5"},
		{"too few rounds", measured{platform: "linux", rounds: 5, terminal: "none", stacks: one(map[string]float64{"pipe": 0.5})}, place{"linux", "none"}, "inprocess", "too few"},
		{"a tie goes to the simpler", measured{platform: "linux", rounds: 10, terminal: "none", stacks: one(map[string]float64{"pipe": 0.7, "socket": 0.695, "batched": 0.699})}, place{"linux", "none"}, "batched", "batched takes"},
		{"the quickest of three", measured{platform: "linux", rounds: 10, terminal: "none", stacks: one(map[string]float64{"batched": 0.9, "pipe": 0.7, "socket": 0.5})}, place{"linux", "none"}, "socket", "socket takes"},
		{"one that stays", measured{platform: "linux", rounds: 10, terminal: "none", stacks: one(map[string]float64{"warm": 0.1})}, place{"linux", "none"}, "inprocess", "no other strategy that may be a default"},
		{"worse for one stack", measured{platform: "linux", rounds: 10, terminal: "none", stacks: map[string]map[string]float64{
			"a": {"pipe": 0.5}, "b": {"pipe": 1.1}}}, place{"linux", "none"}, "inprocess", "pipe, shorter by and large, is longer for build of b"},
		{"another terminal", measured{platform: "linux", rounds: 10, terminal: "pty@20000", stacks: one(map[string]float64{"pipe": 0.5})}, place{"linux", "none"}, "inprocess", "nothing stands in"},
		{"a slow terminal", measured{platform: "linux", rounds: 10, terminal: "pty@20000", stacks: one(map[string]float64{"pipe": 0.5})}, place{"linux", "slow"}, "pipe", "pipe takes"},
		{"other settings", measured{platform: "linux", rounds: 10, terminal: "none", set: "builders=8", stacks: one(map[string]float64{"pipe": 0.5})}, place{"linux", "none"}, "inprocess", "nothing stands in"},
		{"drawn on every event", measured{platform: "linux", rounds: 10, terminal: "none", tool: "bst-per-event", stacks: one(map[string]float64{"pipe": 0.5})}, place{"linux", "none"}, "inprocess", "nothing stands in"},
		{"a peer", measured{platform: "linux", rounds: 10, terminal: "none", tool: "old", stacks: one(map[string]float64{"pipe": 0.5})}, place{"linux", "none"}, "inprocess", "nothing stands in"},
		{"wsl1 by gVisor", measured{platform: "gvisor", rounds: 10, terminal: "none", stacks: one(map[string]float64{"pipe": 0.5})}, place{"wsl1", "none"}, "pipe", "on its stand-in, gvisor, pipe takes"},
		{"wsl1 by the model", measured{platform: "linux", rounds: 10, terminal: "model-wsl1", stacks: one(map[string]float64{"pipe": 0.5})}, place{"wsl1", "slow"}, "pipe", "linux with model-wsl1"},
		{"wsl1 itself", measured{platform: "wsl1", rounds: 10, terminal: "none", stacks: one(map[string]float64{"pipe": 0.5})}, place{"wsl1", "none"}, "pipe", "pipe takes"},
		{"windows by the model", measured{platform: "linux", rounds: 10, terminal: "model-conhost", stacks: one(map[string]float64{"pipe": 0.5})}, place{"windows", "slow"}, "pipe", "models of its terminals"},
		{"nothing by Wine", measured{platform: "wine", rounds: 10, terminal: "none", stacks: one(map[string]float64{"pipe": 0.5})}, place{"windows", "none"}, "inprocess", "nothing stands in"},
		{"elsewhere", measured{platform: "linux", rounds: 10, terminal: "none", stacks: one(map[string]float64{"pipe": 0.5})}, place{}, "inprocess", "was not measured"},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := &Set{Files: []*File{c.m.file()}}
			for _, choice := range set.Choices() {
				if choice.Platform == c.place.platform && choice.Terminal == c.place.terminal {
					if choice.Strategy != c.want || !strings.Contains(choice.Why, c.why) {
						t.Errorf("chosen: %s, because %s", choice.Strategy, choice.Why)
					}
					return
				}
			}
			t.Errorf("there is no row for %v", c.place)
		})
	}
}

func TestInShort(t *testing.T) {
	for want, set := range map[string]*Set{
		"Use inprocess everywhere. Of 9 places, kinds of terminal on platforms, 0 were measured, 0 go by a stand-in, 9 by what is simplest.": {},
		"Use pipe on linux (none) and wsl2 (none); inprocess on linux (fast), linux (slow), wsl1 (none), wsl1 (slow), wsl2 (slow), windows (none) and windows (slow). " +
			"Of 9 places, kinds of terminal on platforms, 1 were measured, 1 go by a stand-in, 7 by what is simplest.": {Files: []*File{
			measured{platform: "linux", rounds: 6, terminal: "none", stacks: one(map[string]float64{"pipe": 0.7})}.file()}},
	} {
		if got := set.inShort(); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}

// Files of several machines count together, each round for itself.
func TestSelectionOverMachines(t *testing.T) {
	half := measured{platform: "linux", rounds: 3, terminal: "none", stacks: one(map[string]float64{"pipe": 0.5})}
	other := half.file()
	other.Name, other.Facts = "other", append(other.Facts, environ.Pair{Key: "machine", Value: "other"})
	set := &Set{Files: []*File{half.file(), other}}
	p := set.pooled(wall, against("pipe", control, ours))
	if len(p.ratios) != 6 || !p.ratios.below(0.52) || strings.Join(p.files(), " ") != "linux-none other" {
		t.Errorf("%s from %v", p, p.files())
	}
	if choice := set.Choices()[0]; choice.Strategy != "pipe" {
		t.Errorf("chosen: %+v", choice)
	}
}

// A round that lacks one of its cases is left out: another mix would be another
// figure.
func TestPoolTakesWholeRounds(t *testing.T) {
	f := measured{platform: "linux", rounds: 4, terminal: "none", stacks: map[string]map[string]float64{"a": {"pipe": 0.5}, "b": {"pipe": 2}}}.file()
	for i, run := range f.Runs {
		if run.Round == 2 && run.Stack == "b" && run.Strategy == "pipe" {
			f.Runs = append(f.Runs[:i:i], f.Runs[i+1:]...)
			break
		}
	}
	p := (&Set{Files: []*File{f}}).pooled(wall, against("pipe", control, ours))
	if len(p.ratios) != 3 || len(p.cases) != 2 {
		t.Fatalf("%s: %v", p, p.ratios)
	}
	for _, r := range p.ratios {
		if r < 0.98 || r > 1.02 {
			t.Errorf("the mean of a half and twice is %v", r)
		}
	}
}

// One place that was measured hundreds of times does not outvote the others.
func TestPoolWeighsFilesAlike(t *testing.T) {
	of := func(stack string, rounds int, pipe float64) *File {
		return measured{platform: "linux", rounds: rounds, terminal: "none", stacks: map[string]map[string]float64{stack: {"pipe": pipe}}}.file()
	}
	s := &Set{Files: []*File{of("a", 10, 1), of("b", 10, 1.1), of("c", 10, 1.1), of("d", 605, 2)}}
	p := s.pooled(wall, against("pipe", control, ours))
	if n := len(p.ratios); n != 40 {
		t.Errorf("%d rounds count, want 10 of each file", n)
	}
	if middle := p.ratios.summary().Center; middle < 1.07 || middle > 1.13 {
		t.Errorf("the pool's median is %v, want that of most files, 1.1", middle)
	}
}

// Every row can be read by bst where it runs: of a platform and a kind of terminal
// that package platform tells, and with a strategy that works there.
func TestDefaultsFitThePlatforms(t *testing.T) {
	known := map[string]bool{platform.Linux: true, platform.WSL1: true, platform.WSL2: true, platform.Windows: true, "": true}
	for _, c := range strategies.Defaults() {
		if !known[c.Platform] || c.Terminal != "" && !strings.Contains(strings.Join(platform.Terminals, " "), c.Terminal) {
			t.Errorf("no place is like %+v", c)
		}
		goos := "linux"
		if c.Platform == platform.Windows {
			goos = "windows"
		}
		for _, s := range strategies.Every() {
			if s.Name == c.Strategy && s.Platforms != nil && !strings.Contains(strings.Join(s.Platforms, " "), goos) {
				t.Errorf("%s does not work on %s", c.Strategy, c.Platform)
			}
		}
	}
}

// The generated table is Go, and has the evidence of each row.
func TestWriteDefaults(t *testing.T) {
	var out bytes.Buffer
	set := &Set{Files: []*File{measured{platform: "linux", rounds: 6, terminal: "none", stacks: one(map[string]float64{"pipe": 0.7, "warm": 0.5})}.file()}}
	if err := set.WriteDefaults(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"// From linux-none:\n\t// pipe: 0.699", "warm: 0.499", "no candidate, its backend stays",
		`{Platform: "linux", Terminal: "none", Strategy: "pipe",`, `{Platform: "", Terminal: "", Strategy: "inprocess",`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it lacks %q:\n%s", want, out.String())
		}
	}
}

// The answers are worked out from the figures.
func TestAnswers(t *testing.T) {
	event := func(terminal string, inprocess, pipe float64) *File {
		frames := measured{platform: "linux", rounds: 8, terminal: terminal, stacks: one(nil)}.file()
		frames.Name = "split"
		split := measured{platform: "linux", rounds: 8, terminal: terminal, tool: "bst-per-event", stacks: one(map[string]float64{"pipe": pipe})}.file()
		for _, run := range split.Runs {
			run.Values[wall] *= inprocess
			frames.Runs = append(frames.Runs, run)
		}
		frames.Runs = append(frames.Runs, measured{platform: "linux", rounds: 8, terminal: "none", stacks: one(map[string]float64{"pipe": 1.3})}.file().Runs...)
		return frames
	}
	all := func(set *Set) string {
		var text string
		for _, a := range set.answers() {
			text += fmt.Sprintf("%s %s %s\n", a.question, a.short, strings.Join(a.missing, "; "))
		}
		return text
	}
	for _, c := range []struct {
		name string
		set  *Set
		want []string
	}{
		{"nothing", &Set{}, []string{"It was not measured", "bench/plans/splitting.yaml", "Nothing was measured."}},
		{"a split that pays", &Set{Files: []*File{measured{platform: "wsl1", rounds: 8, terminal: "none", stacks: one(map[string]float64{"pipe": 0.6})}.file()}},
			[]string{"For build on wsl1, no terminal (pipe: 0.599", "quicker beyond doubt in 1 and slower in 0"}},
		{"as in 2019", &Set{Files: []*File{event("model-wsl1", 2, 0.65)}}, []string{
			"Nowhere that was measured.", "quicker beyond doubt in 0 and slower in 1",
			"a build with pipe takes 0.649", "on model-wsl1 a build drawn on every event takes 2.00×", "drawn on every event in one process, 2.00×", "drawn on every event with pipe, 1.30×",
			"plitting alone (pipe, drawn on every event) saves 35 %", ": as was reported", "atching alone (drawn in frames, one process) saves 50 %", ": more than was reported",
		}},
		{"less than in 2019", &Set{Files: []*File{event("model-wsl1", 1.1, 0.9)}}, []string{"saves 10 %", ": less than was reported"}},
		{"a split that costs", &Set{Files: []*File{event("model-wsl1", 2, 1.25)}}, []string{"plitting alone (pipe, drawn on every event) costs 25 %", ": less than was reported"}},
		{"no gain by frames", &Set{Files: []*File{event("pty", 1, 1)}}, []string{"Drawing in frames saves nothing that can be told"}},
		{"without the model", &Set{Files: []*File{event("pty", 2, 0.65)}}, []string{"What would WSL1 see, by the model? It was not measured", "bench/plans/wsl1.yaml"}},
	} {
		text := all(c.set)
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the answers lack %q:\n%s", c.name, want, text)
			}
		}
	}
}

// Figures of different commits are no figures of one program, and it is said.
func TestCommitsAreTold(t *testing.T) {
	var files []*File
	for _, commit := range []string{"abc", "abc+changes", "def"} {
		f := measured{platform: "linux", rounds: 1, terminal: "none", stacks: one(nil)}.file()
		f.Facts = append(f.Facts, environ.Pair{Key: "commit", Value: commit})
		files = append(files, f)
	}
	if got := (&Set{Files: files}).howSure().short; !strings.Contains(got, "They are of 2 commits: abc and def.") {
		t.Error(got)
	}
	if got := (&Set{Files: files[:2]}).howSure().short; strings.Contains(got, "commit") {
		t.Error(got)
	}
}

func TestOutliers(t *testing.T) {
	for want, s := range []series{
		{1: 1, 2: 1.1, 3: 1.2, 4: 1.1, 5: 0.9, 6: 1},
		{1: 1, 2: 1.1, 3: 1.2, 4: 1.1, 5: 0.9, 6: 5},
		{1: 1, 2: 1.1, 3: 1.2, 4: 1.1, 5: 0.9, 6: 1, 7: 1.05, 8: 1.15, 9: 5, 10: 0.01},
	} {
		if got := s.outliers(); got != want {
			t.Errorf("%v: %d outliers, want %d", s, got, want)
		}
	}
}

func TestBounds(t *testing.T) {
	six := func(values ...float64) series {
		s := series{}
		for i, v := range values {
			s[i+1] = v
		}
		return s
	}
	for _, c := range []struct {
		b    bound
		s    series
		want string
	}{
		{under(2), six(1, 1, 1, 1, 1, 1), "reached"},
		{under(1), six(1, 1, 1, 1, 1, 1), "**missed**"},
		{atMost(1), six(1, 1, 1, 1, 1, 1), "reached"},
		{atMost(1), six(0.9, 0.9, 0.9, 0.9, 0.9, 1.1), "reached, in doubt"},
		{atLeast(40), six(30, 30, 30, 30, 30, 50), "**missed**, in doubt"},
		{atLeast(40), six(41, 41), "reached, in doubt"},
	} {
		if got := c.b.verdict(figure{values: c.s}); got != c.want {
			t.Errorf("%+v, %v: %s, want %s", c.b, c.s, got, c.want)
		}
	}
}

// The tests that hold a goal are there, by the names that the report gives.
func TestTestsOfGoalsExist(t *testing.T) {
	seen := 0
	for _, part := range goals {
		for _, g := range part.goals {
			if g.unmeasured() != "held by a test" {
				continue
			}
			seen++
			words := strings.Fields(strings.Trim(g.command, "`"))
			at := slices.Index(words, "-run")
			for _, pattern := range strings.Split(strings.Trim(words[at+1], "'"), "|") {
				name := pattern[strings.LastIndex(pattern, "/")+1:]
				found := false
				for _, dir := range words[2:at] {
					for _, folder := range []string{dir, dir + "/strategytest"} {
						files, err := filepath.Glob(filepath.Join("../..", folder, "*.go"))
						if err != nil {
							t.Fatal(err)
						}
						for _, path := range files {
							text, err := os.ReadFile(path)
							if err != nil {
								t.Fatal(err)
							}
							found = found || strings.Contains(string(text), name)
						}
					}
				}
				if !found {
					t.Errorf("%s: there is no test %s", g.command, name)
				}
			}
		}
	}
	if seen == 0 {
		t.Error("no goal is held by a test")
	}
}

// Other tools are compared by the task, where they were measured on the same stack.
func TestPerTask(t *testing.T) {
	f := &File{Name: "peers", Facts: []environ.Pair{{Key: "elements-rapid-200", Value: "200"}, {Key: "tool-ninja", Value: "peer, version 1.11"}}}
	for round := 1; round <= 6; round++ {
		for tool, took := range map[string]float64{"bst": 0.2, "ninja": 2} {
			f.Runs = append(f.Runs, Run{Axes{"build", "rapid-200", tool, "inprocess", "pty", ""}, round, map[string]float64{wall: took, cpu: took / 2, written: took * 500}})
		}
	}
	var out bytes.Buffer
	p := &page{w: &out}
	p.perTask(&Set{Files: []*File{f}})
	for _, want := range []string{" 1000 µs |", " 10000 µs |", "0.500 B", "5.00 B"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it lacks %q:\n%s", want, out.String())
		}
	}
	out.Reset()
	f.Facts = f.Facts[:1]
	if p.perTask(&Set{Files: []*File{f}}); out.Len() > 0 {
		t.Errorf("nobody to compare with:\n%s", out.String())
	}
}
