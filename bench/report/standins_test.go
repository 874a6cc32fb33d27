package report

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bst/bench/harness"
)

// rawFile is a record of a platform in which every case takes its time times slow,
// and the strategies in factors that many times the time of one process.
func rawFile(platform string, slow float64, factors map[string]float64) string {
	var text strings.Builder
	fmt.Fprintf(&text, "platform: %s\ntool-bst: ours, version 0.1\ntool-bst%s: ours, version 0.1\n", platform, harness.PerEventSuffix)
	for stack, n := range map[string]int{"chain-10": 10, "debian-gnome": 1139, "debian-all-1000": 1001, "debian-all-10000": 10001, "debian-all": 63437} {
		fmt.Fprintf(&text, "elements-%s: %d\n", stack, n)
	}
	for round := 1; round <= 6; round++ {
		fmt.Fprintf(&text, "\n%s%d\n", harness.RoundLead, round)
		add := func(command, stack, tool, strategy, terminal string, seconds float64) {
			took := seconds * slow * (1 + float64((round*31+len(strategy))%11)/1000)
			fmt.Fprintf(&text, "Benchmark%s/stack=%s/tool=%s/strategy=%s/terminal=%s\t1\t%.0f ns/op\t%.0f cpu-ns/op\t%d peak-RSS-bytes\t%d written-B/op",
				command, stack, tool, strategy, terminal, took*1e9, took*1e9, int(1e6*slow), int(5e3*slow))
			if strategy == "pipe" {
				text.WriteString("\t1000000 frontend-cpu-ns/op\t1000000 backend-cpu-ns/op\t1 frontend-RSS-bytes\t1 backend-RSS-bytes")
			}
			text.WriteString("\n")
		}
		for strategy, factor := range factors {
			for _, where := range []string{"none", "pty"} {
				add("Show", "chain-10", "bst", strategy, where, 0.01*factor)
				add("Build", "debian-gnome", "bst", strategy, where, factor)
				add("Build", "debian-gnome", "bst"+harness.PerEventSuffix, strategy, where, 2*slow*factor)
			}
		}
		for _, stack := range []string{"debian-all-1000", "debian-all-10000", "debian-all"} {
			add("Show", stack, "bst", control, "none", 1)
		}
	}
	return text.String()
}

// standInSets are the same figures of Linux without and with those of a stand-in,
// on which everything is otherwise.
func standInSets(t *testing.T, name string) (without, with *Set) {
	t.Helper()
	linux := map[string]float64{control: 1, "pipe": 1.2, "socket": 1.2, "batched": 1, "warm": 0.5}
	other := map[string]float64{control: 1, "pipe": 0.5, "socket": 2, "batched": 0.3, "warm": 3}
	read := func(more bool) *Set {
		dir := t.TempDir()
		write := func(path, text string) {
			path = filepath.Join(dir, path)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		parts := map[string]string{"ui": "ui", "spawn": "spawn-wsl1"}
		for kind, golden := range parts {
			content, err := os.ReadFile(filepath.Join("testdata/raw/parts", golden+".txt"))
			if err != nil {
				t.Fatal(err)
			}
			lines := slices.DeleteFunc(strings.Split(string(content), "\n"), func(line string) bool { return strings.HasPrefix(line, "platform: ") })
			text := strings.Join(lines, "\n")
			write("parts/"+kind+"-linux.txt", "platform: linux\n"+text)
			if more && name != "wine" { // of which no part is used
				// Seconds and not milliseconds.
				write("parts/"+kind+"-a.txt", "platform: "+name+"\n"+strings.ReplaceAll(text, "000 ", "000000 "))
			}
		}
		write("linux.txt", rawFile("linux", 1, linux))
		if more {
			// The name says nothing of it, and sorts first.
			write("a.txt", rawFile(name, 100, other))
		}
		set, err := ReadSet(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(set.Skipped) > 0 {
			t.Fatalf("not used: %v", set.Skipped)
		}
		return set
	}
	return read(false), read(true)
}

// No goal and no figure over all platforms has a stand-in's figures in it.
func TestStandInsAreInNoTotal(t *testing.T) {
	for _, name := range []string{"gvisor", "wine"} {
		t.Run(name, func(t *testing.T) {
			without, with := standInSets(t, name)
			text := func(write func(p *page)) string {
				var out strings.Builder
				p := &page{w: &out}
				write(p)
				if p.err != nil {
					t.Fatal(p.err)
				}
				return out.String()
			}
			for what, get := range map[string]func(*Set) string{
				"the goals":           func(s *Set) string { return text(func(p *page) { p.goals(s) }) },
				"every case of goals": func(s *Set) string { return text(func(p *page) { p.everyGoal(s) }) },
				"the count of goals":  (*Set).goalCounts,
				"the plot of growth": func(s *Set) string {
					return s.plots()[0].name + text(func(p *page) { p.err = s.plots()[0].write(p.w) })
				},
				"what batching gives": func(s *Set) string { return s.whatBatching().short },
				"the frontend's share": func(s *Set) string {
					_, rest, _ := strings.Cut(s.howIn2019().short, " Drawn in frames on a terminal")
					return rest
				},
				"when splitting pays": func(s *Set) string {
					before, after, _ := strings.Cut(s.whenSplitting().short, " Drawn on every event")
					before, _, _ = strings.Cut(before, " On a stand-in")
					return before + after
				},
				"the choices elsewhere": func(s *Set) string { return fmt.Sprint(choicesBut(s, "wsl1")) },
				"gathering": func(s *Set) string {
					_, rest, _ := strings.Cut(text(s.whatBatching().detail), "Events gathered")
					return rest
				},
				"how sure it is": func(s *Set) string {
					before, after, _ := strings.Cut(s.howSure().short, "On stand-ins")
					_, after, _ = strings.Cut(after, ". ")
					return before + after
				},
			} {
				want, got := get(without), get(with)
				if want == "" {
					t.Errorf("%s: nothing is there to compare", what)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-without +with %s):\n%s", what, name, diff)
				}
			}
		})
	}
}

// choicesBut are the reasons of all choices but those of a platform.
func choicesBut(s *Set, name string) []string {
	var all []string
	for _, c := range s.Choices() {
		if c.Platform != name {
			all = append(all, c.Platform+" "+c.Terminal+": "+c.Strategy+", "+c.Why)
		}
	}
	return all
}

// What is of gVisor is in rows of its name, and nothing calls it anything else.
func TestGVisorIsNamed(t *testing.T) {
	_, with := standInSets(t, "gvisor")
	all, err := with.Generate()
	if err != nil {
		t.Fatal(err)
	}
	summary := string(all["README.md"])
	for _, want := range []string{
		"On a stand-in, which is in none of these counts, it pays for show on gvisor, no terminal (pipe: 0.498",
		"On stand-ins, besides, and in none of these figures: 198 runs on gvisor.",
		"| gvisor   | none     | build   | pipe     | 0.498", "| [raw/a.txt](raw/a.txt)         | gvisor   |",
		"No file is from wsl1, wsl2 and windows.", "- platform wsl1. There, run",
		"not measured; on its stand-in, gvisor, batched takes",
	} {
		if !strings.Contains(summary, want) {
			t.Errorf("the summary lacks %q:\n%s", want, summary)
		}
	}
	if plot := string(all["runs-a-debian-gnome.svg"]); !strings.Contains(plot, "(a, on gvisor)") {
		t.Error("its plot does not say where it is from")
	}
	if !strings.Contains(string(all["spawn.md"]), "## spawn-a: platform gvisor") {
		t.Error("what is of beginning a session is not there")
	}
	_, alone := standInSets(t, "gvisor")
	alone.Files = alone.standIns()
	if got := alone.whenSplitting().short; !strings.HasPrefix(got, "It was not measured. On a stand-in") {
		t.Errorf("of a stand-in alone it says: %s", got)
	}
	if got := alone.howSure().short; !strings.HasPrefix(got, "Nothing was measured. On stand-ins, besides,") {
		t.Errorf("of a stand-in alone it says: %s", got)
	}
}

// A codec that is quicker on a stand-in takes nobody's place.
func TestStandInsChooseNoCodec(t *testing.T) {
	content, err := os.ReadFile("testdata/raw/parts/codecs.txt")
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	for name, want := range map[string]string{
		"linux":  "By it, what crosses should be changed for: ",
		"gvisor": "Platform gvisor stands in for another: no codec is chosen by it.",
	} {
		all, err := workSet(t, map[string]string{"parts/codecs-a.txt": strings.Replace(text, "platform: linux", "platform: "+name, 1)}).Generate()
		if err != nil {
			t.Fatal(err)
		}
		if got := string(all["codecs.md"]); !strings.Contains(got, want) || strings.Contains(got, "By it,") != (name == "linux") {
			t.Errorf("%s: it lacks %q:\n%s", name, want, got)
		}
	}
}
