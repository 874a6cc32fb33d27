package report

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// wineRecord is what somebody sent in: with times, as an older program wrote them.
const wineRecord = `platform: wine
wine: 10.0 (Debian)
commit: abc
kernel: 4242.1.0
elements-chain-10: 10
tool-bst: ours, version 0.1.0
=== SKIPPED strategy warm: it does not work on windows

=== ROUND 1
BenchmarkShow/stack=chain-10/tool=bst/strategy=inprocess/terminal=none	1	77777777 ns/op	66666666 cpu-ns/op	5555555 peak-RSS-bytes	1082 written-B/op	2 reads/op	16 events/op	44444444 event-delay-ns/op
BenchmarkShow/stack=debian-git/tool=bst/strategy=inprocess/terminal=none	1	1 works	2082 written-B/op	36 events/op
BenchmarkBuild/stack=chain-10/tool=bst/strategy=inprocess/terminal=none	1	1 works
--- FAIL: BenchmarkBuild/stack=debian-git/tool=bst/strategy=inprocess/terminal=none
    C:\bst.exe --config c build git.bst: exit status 255
    [33:33:33][a.bst] FAILURE no <sandbox> here
    a later line
--- FAIL: BenchmarkBuild/stack=chain-10/tool=bst/strategy=pipe/terminal=none
    C:\bst.exe --config c build all.bst: ended after its time was up
=== NOISE round 1: other processes took 88 % of the processors

=== ROUND 2
BenchmarkBuild/stack=chain-10/tool=bst/strategy=inprocess/terminal=none	1	1 works
--- FAIL: BenchmarkBuild/stack=debian-git/tool=bst/strategy=inprocess/terminal=none
    C:\bst.exe --config c build git.bst: exit status 255
    [33:33:34][a.bst] FAILURE no <sandbox> here
=== END 2026-11-27T00:00:00Z
`

// workSet is the set of raw files with these contents.
func workSet(t *testing.T, files map[string]string) *Set {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s, err := ReadSet(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWorks(t *testing.T) {
	s := workSet(t, map[string]string{"wine.txt": wineRecord})
	var out strings.Builder
	p := &page{w: &out}
	p.works(s)
	if p.err != nil {
		t.Fatal(p.err)
	}
	want := `## What works under Wine

Wine runs the programs that are built for Windows. It stands in for Windows as to whether they
work, and not as to how fast: its times are its own, and none of them is published.

- wine: Wine 10.0 (Debian), commit abc

| file | command | strategy  | terminal | works                                 | runs | failed |
|:-----|:--------|:----------|:---------|:--------------------------------------|-----:|-------:|
| wine | show    | inprocess | none     | yes: chain-10 and debian-git          |    2 |      0 |
| wine | build   | inprocess | none     | **not all**: chain-10; not debian-git |    4 |      2 |
| wine | build   | pipe      | none     | **no**: chain-10                      |    1 |      1 |

- wine: failed: build of debian-git with inprocess, terminal none: exit status 255: [--:--:--][a.bst] FAILURE no &lt;sandbox> here
- wine: failed: build of chain-10 with pipe, terminal none: ended after its time was up
- wine: skipped: strategy warm: it does not work on windows

`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Whatever a record of Wine holds, no report has a time of it.
func TestNoTimeOfWineIsPublished(t *testing.T) {
	s := workSet(t, map[string]string{
		"a.txt":                wineRecord,
		"linux.txt":            rawFile("linux", 1, map[string]float64{control: 1, "pipe": 1.2}),
		"parts/spawn-a.txt":    "platform: wine\n\n=== ROUND 1\nBenchmarkSpawn/stack=chain-10/strategy=pipe/command=show\t1\t97979797 ns/op\n",
		"parts/codecs-a.txt":   "platform: wine\n\n=== ROUND 1\nBenchmarkCodec/session=s/codec=wire\t1\t97979797 encode-ns/op\n",
		"parts/timeline-a.txt": "platform: wine\n\n=== ROUND 1\nBenchmarkTimeline/stack=s/at=1s\t1\t97979797 ns/op\n",
	})
	all, err := s.Generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range all {
		text := string(content)
		for _, figure := range []string{"77.8", "77.7", "0.078", "66.7", "66.6", "0.067", "5.56 MB", "44.4", "33:33", "88 %", "97.9", "98.0", "0.098"} {
			if at := strings.Index(text, figure); at >= 0 && !strings.HasSuffix(name, ".svg") && name != pageName {
				t.Errorf("%s has %s: %s", name, figure, text[max(0, at-80):min(len(text), at+20)])
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if strings.HasPrefix(name, "runs-a-") {
			t.Errorf("there is a plot of it: %s", name)
		}
	}
	summary := string(all["README.md"])
	for _, want := range []string{
		"- parts/codecs-a.txt: it has times of Wine, which are not published", "- parts/spawn-a.txt: it has times", "- parts/timeline-a.txt: it has times",
		"| a    | show    | inprocess | none", "- platform windows. There, run", "| wine     |",
	} {
		if !strings.Contains(summary, want) {
			t.Errorf("the summary lacks %q:\n%s", want, summary)
		}
	}
	if strings.Contains(string(all["figures.md"]), "platform | wine") {
		t.Error("it is among the figures")
	}
}

func TestWineWasNotMeasured(t *testing.T) {
	all, err := workSet(t, nil).Generate()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Not measured. This does: `contrib/bench-wine`", "- what works under Wine: `contrib/bench-wine`"} {
		if !strings.Contains(string(all["README.md"]), want) {
			t.Errorf("the summary lacks %q:\n%s", want, all["README.md"])
		}
	}
}
