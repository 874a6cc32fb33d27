package report

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"bst/bench/environ"
)

var update = flag.Bool("update", false, "rewrite the golden report")

// generate makes every report on a folder of raw files.
func generate(t *testing.T, raw string) map[string]string {
	t.Helper()
	set, err := ReadSet(raw)
	if err != nil {
		t.Fatal(err)
	}
	all, err := set.Generate()
	if err != nil {
		t.Fatal(err)
	}
	var defaults bytes.Buffer
	if err := set.WriteDefaults(&defaults); err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"defaults.go": defaults.String()}
	for name, content := range all {
		texts[name] = string(content)
	}
	return texts
}

// The golden reports; plots and the page are looked at in tests of their own.
func TestGolden(t *testing.T) {
	got := generate(t, "testdata/raw")
	for _, name := range []string{"README.md", "figures.md", "spawn.md", "codecs.md", "ui.md", "defaults.go"} {
		golden := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(golden, []byte(got[name]), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// The same raw files give the same bytes, whatever the locale: the report is
// in the repository, and a difference must mean a difference.
func TestSameBytes(t *testing.T) {
	first := generate(t, "testdata/raw")
	t.Setenv("LANG", "ja_JP.UTF-8")
	t.Setenv("LC_ALL", "ja_JP.UTF-8")
	t.Setenv("COLUMNS", "20")
	for range 5 {
		if diff := cmp.Diff(first, generate(t, "testdata/raw")); diff != "" {
			t.Fatal(diff)
		}
	}
}

// The reports in the repository are those that its raw files give, no fewer and
// no more, and so is the table of default strategies.
func TestReportsAreCurrent(t *testing.T) {
	const dir = "../../reports"
	want := generate(t, filepath.Join(dir, "raw"))
	got := map[string]string{}
	read := func(name, path string) {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got[name] = string(content)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			read(entry.Name(), filepath.Join(dir, entry.Name()))
		}
	}
	read("defaults.go", "../../strategies/defaults.go")
	for name := range want {
		if want[name] != got[name] {
			t.Errorf("%s is not what the raw files give; run `make report` (-want +got):\n%s", name, cmp.Diff(want[name], got[name]))
		}
		delete(got, name)
	}
	for name := range got {
		t.Errorf("reports/%s comes from no raw file; run `make report`", name)
	}
}

func TestEmpty(t *testing.T) {
	got := generate(t, t.TempDir())
	for name, want := range map[string]string{
		"README.md": "Nothing has been measured", "figures.md": "Nothing has been measured",
		"codecs.md": "bst-bench run --plan codec", "defaults.go": `Strategy: "inprocess"`,
	} {
		if !strings.Contains(got[name], want) {
			t.Errorf("%s lacks %q:\n%s", name, want, got[name])
		}
	}
	for _, name := range platforms {
		if !strings.Contains(got["README.md"], "platform "+name+". There, run `bst-bench run") ||
			!strings.Contains(got["spawn.md"], "platform "+name+". There, run: `bst-bench spawn") {
			t.Errorf("it is not said how to measure %s", name)
		}
	}
}

// A file that came by way of Windows reads like any other.
func TestWindowsLineEnds(t *testing.T) {
	content, err := os.ReadFile("testdata/raw/linux.txt")
	if err != nil {
		t.Fatal(err)
	}
	want, err := Read("a.txt", content)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read("a.txt", append([]byte("\ufeff"), bytes.ReplaceAll(content, []byte("\n"), []byte("\r\n"))...))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(File{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Every plan that the report tells people to run is there.
func TestPlansExist(t *testing.T) {
	named := regexp.MustCompile(`bench/plans/[a-z0-9-]+\.yaml`).FindAllString(strings.Join(slices.Collect(maps.Values(generate(t, t.TempDir()))), "\n"), -1)
	if len(named) == 0 {
		t.Error("none is named")
	}
	for _, path := range named {
		if _, err := os.Stat(filepath.Join("../..", path)); err != nil {
			t.Error(err)
		}
	}
}

// Files that cannot be used are named with the reason, wherever they are, and the
// rest is kept.
func TestBadFilesAreNamed(t *testing.T) {
	raw := t.TempDir()
	good, err := os.ReadFile("testdata/raw/linux.txt")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"good.txt":          string(good),
		"foreign.txt":       "goos: linux\nBenchmarkFoo-8\t100\t12 ns/op\n",
		"twice.txt":         string(good) + string(good),
		"torn.txt":          string(good[:len(good)/2]) + "\nBenchmarkBuild/stack=a/tool=b/strategy=c/terminal=d\t1\tmany ns/op\n",
		"empty.txt":         "",
		"binary.txt":        "\x00\x01\x02\xff" + strings.Repeat("\xfe", 100),
		"markup.txt":        "BenchmarkFoo/<script>alert(1)</script>\t1\t2 ns/op\n",
		"parts/codecs.txt":  "BenchmarkCodec/codec=a\t1\t2 ns/op\n",
		"parts/spawn-x.txt": "=== ROUND 1\nBenchmarkSpawn/a\t1\t2 ns/op\n",
		"parts/poems.txt":   "=== ROUND 1\nBenchmarkPoem/rhymes=yes\t1\t2 ns/op\n",
		"notes.md":          "not a raw file",
	}
	if err := os.Mkdir(filepath.Join(raw, "parts"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(raw, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set, err := ReadSet(raw)
	if err != nil {
		t.Fatal(err)
	}
	want := []Skipped{
		{"binary.txt", "no measurement of the harness is in it; bst-bench run makes files that have some"},
		{"empty.txt", "no measurement of the harness is in it; bst-bench run makes files that have some"},
		{"foreign.txt", `foreign.txt:2: "Foo-8" is not a measurement of the harness`},
		{"markup.txt", `markup.txt:1: "Foo/<script>alert(1)</script>" is not a measurement of the harness`},
		{"parts/codecs.txt", "codecs.txt:1: a measurement before the first round"},
		{"parts/poems.txt", "no report is made of files of this name"},
		{"parts/spawn-x.txt", `spawn-x.txt:2: "/a" is not KEY=VALUE`},
		{"torn.txt", `torn.txt:50: missing units`},
		{"twice.txt", `twice.txt:102: round 1 of Show/stack=debian-gnome/tool=bst/strategy=inprocess/terminal=pty is there twice: are these two records in one file?`},
	}
	if diff := cmp.Diff(want, set.Skipped); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(set.Files) != 1 || set.Files[0].Name != "good" {
		t.Errorf("files %+v", set.Files)
	}
	texts := generate(t, raw)
	for _, f := range set.Skipped {
		if !strings.Contains(texts["README.md"], "- "+f.Name+": ") {
			t.Errorf("the report does not name %s", f.Name)
		}
	}
	for name, text := range texts {
		if strings.Contains(text, "<script>alert") {
			t.Errorf("%s has a script from a raw file", name)
		}
	}
	if _, err := ReadSet(filepath.Join(raw, "missing")); err == nil {
		t.Error("a folder that is not there is no error")
	}
}

func TestRead(t *testing.T) {
	f, err := Read("x/a.txt", []byte(`platform: linux
key: a: b
=== SKIPPED peer old: not there: at all

=== ROUND 2
=== NOISE others 12 %
BenchmarkShow-cold/stack=s-1/tool=t/strategy=pipe/builders=8/window=5ms/terminal=none	1	2000000000 ns/op
BenchmarkBuild/stack=s-1/tool=t/strategy=pipe/terminal=pty@20	1	2500000000 ns/op	7 written-B/op
--- FAIL: BenchmarkShow/stack=s-1/tool=t/strategy=pipe/terminal=none
    round: 9
    why
=== END 2026-01-01
`))
	if err != nil {
		t.Fatal(err)
	}
	want := &File{
		Name:    "a",
		Facts:   []environ.Pair{{Key: "platform", Value: "linux"}, {Key: "key", Value: "a: b"}},
		Remarks: []Remark{{"SKIPPED", 0, "peer old: not there: at all"}, {"NOISE", 2, "others 12 %"}},
		Runs: []Run{{Axes{"show-cold", "s-1", "t", "pipe", "none", "builders=8 window=5ms"}, 2, map[string]float64{"sec/op": 2}},
			{Axes{"build", "s-1", "t", "pipe", "pty@20", ""}, 2, map[string]float64{"sec/op": 2.5, "written-B/op": 7}}},
		Failures: []Failure{{Axes{"show", "s-1", "t", "pipe", "none", ""}, 2, []string{"round: 9", "why"}}},
	}
	if diff := cmp.Diff(want, f, cmpopts.IgnoreUnexported(File{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, bad := range []string{
		"=== ROUND 1\nBenchmarkBuild 1 2 ns/op\n",
		"=== ROUND 1\nBenchmarkBuild/stack=a/tool=b/strategy=c/colour=d 1 2 ns/op\n",
		"=== ROUND 1\nBenchmarkBuild/stack=a/tool=b/strategy=c/terminal=d/colour 1 2 ns/op\n",
		"BenchmarkBuild/stack=a/tool=b/strategy=c/terminal=d 1 2 ns/op\n",
		"=== ROUND 1\nBenchmarkBuild/stack=a/tool=b/strategy=c/terminal=d 1 many ns/op\n",
		"--- FAIL: BenchmarkBuild\n",
		"",
		"platform: linux\n",
		"BenchmarkSort-8 100 12 ns/op\n",
		"=== ROUND 0\n",
		"=== ROUND one\n",
		"=== ROUND 1\nBenchmarkBuild/stack=a/tool=b/strategy=c/terminal=d 1 NaN ns/op\n",
		"=== ROUND 1\nBenchmarkBuild/stack=a/tool=b/strategy=c/terminal=d 1 +Inf ns/op\n",
		"=== ROUND 1\nBenchmarkBuild/stack=a/tool=b/strategy=c/terminal=d 1 -1 ns/op\n",
	} {
		if _, err := Read("bad.txt", []byte(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestRatioPairsByRound(t *testing.T) {
	got := series{1: 10, 2: 30, 4: 5}.over(series{1: 5, 2: 10, 3: 1, 4: 0})
	if diff := cmp.Diff(series{1: 2, 2: 3}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		unit string
		v    float64
		want string
	}{
		{wall, 0.0001234, "0.123 ms"},
		{wall, 0.0999, "99.9 ms"},
		{wall, 9.999, "10.0 s"},
		{wall, 76.04, "76.0 s"},
		{wall, 865, "865 s"},
		{peak, 97_000_000, "97.0 MB"},
		{peak, 2 << 30, "2.15 GB"},
		{written, 17_300_000, "17.3 MB"},
		{written, 999, "999 B"},
		{written, 0, "0 B"},
		{reads, 12345, "12345"},
		{ratio, 43.21, "43.2×"},
		{ratio, 1.0321, "1.03×"},
	} {
		if got := value(c.unit, c.v); got != c.want {
			t.Errorf("%v %s: %s, want %s", c.v, c.unit, got, c.want)
		}
	}
	if got := format(wall, series{1: 1, 2: 3}); got != "2.00 s" {
		t.Errorf("two runs have an interval: %s", got)
	}
	if got := format(wall, series{1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6}); got != "3.50 s [1.00 s – 6.00 s]" {
		t.Errorf("six runs: %s", got)
	}
}

func TestCompare(t *testing.T) {
	a, b := series{}, series{}
	for i := range 8 {
		a[i], b[i] = 1+float64(i)/100, 2+float64(i)/50
	}
	if delta, p := compare(a, b); delta != "+100.00 %" || p != "0.000" {
		t.Errorf("twice as much: %s, p=%s", delta, p)
	}
	if delta, _ := compare(a, a); delta != "~" {
		t.Errorf("the same: %s", delta)
	}
}
