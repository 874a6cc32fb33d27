package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bst/bench/environ"
)

var update = flag.Bool("update", false, "rewrite the golden report")

func write(t *testing.T, dir string) []byte {
	t.Helper()
	files, err := ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Write(&out, files); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestGolden(t *testing.T) {
	const golden = "testdata/README.golden"
	got := write(t, "testdata/raw")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The same raw files give the same bytes, whatever the locale: the report is
// in the repository, and a difference must mean a difference.
func TestSameBytes(t *testing.T) {
	first := write(t, "testdata/raw")
	t.Setenv("LANG", "ja_JP.UTF-8")
	t.Setenv("LC_ALL", "ja_JP.UTF-8")
	t.Setenv("COLUMNS", "20")
	for range 5 {
		if again := write(t, "testdata/raw"); !bytes.Equal(first, again) {
			t.Fatal(cmp.Diff(string(first), string(again)))
		}
	}
}

// The report in the repository is the one that its raw files give.
func TestReportIsCurrent(t *testing.T) {
	const dir = "../../reports"
	got, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(write(t, filepath.Join(dir, "raw"))), string(got)); diff != "" {
		t.Errorf("run `make report` (-want +got):\n%s", diff)
	}
}

func TestEmpty(t *testing.T) {
	if got := string(write(t, t.TempDir())); !strings.Contains(got, "Nothing has been measured") {
		t.Errorf("%s", got)
	}
}

func TestRead(t *testing.T) {
	f, err := Read("x/a.txt", []byte(`platform: linux
key: a: b

=== ROUND 2
BenchmarkBuild/stack=s-1/tool=t/strategy=pipe/terminal=pty@20	1	2500000000 ns/op	7 written-B/op
--- FAIL: BenchmarkShow/stack=s-1/tool=t/strategy=pipe/terminal=none
    round: 9
    why
`))
	if err != nil {
		t.Fatal(err)
	}
	want := &File{
		Name:     "a",
		Facts:    []environ.Pair{{Key: "platform", Value: "linux"}, {Key: "key", Value: "a: b"}},
		Runs:     []Run{{Axes{"build", "s-1", "t", "pipe", "pty@20"}, 2, map[string]float64{"sec/op": 2.5, "written-B/op": 7}}},
		Failures: []Failure{{Axes{"show", "s-1", "t", "pipe", "none"}, 2, []string{"round: 9", "why"}}},
	}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, bad := range []string{
		"=== ROUND 1\nBenchmarkBuild 1 2 ns/op\n",
		"=== ROUND 1\nBenchmarkBuild/stack=a/tool=b/strategy=c/colour=d 1 2 ns/op\n",
		"BenchmarkBuild/stack=a/tool=b/strategy=c/terminal=d 1 2 ns/op\n",
		"=== ROUND 1\nBenchmarkBuild/stack=a/tool=b/strategy=c/terminal=d 1 many ns/op\n",
		"--- FAIL: BenchmarkBuild\n",
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
