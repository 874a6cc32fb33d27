package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bst/bench/environ"
)

// sized is a file that measured Debian in the given sizes.
func sized(sizes ...string) *File {
	f := &File{Name: "f"}
	for i, size := range sizes {
		stack := "debian-all-" + size
		f.Facts = append(f.Facts, environ.Pair{Key: "elements-" + stack, Value: size})
		for round := 1; round <= 6; round++ {
			f.Runs = append(f.Runs, Run{
				Axes:   Axes{Command: "show", Stack: stack, Tool: "bst", Strategy: "inprocess", Terminal: "none"},
				Round:  round,
				Values: map[string]float64{wall: float64(i+1) + float64(round)/100},
			})
		}
	}
	return f
}

func TestScaling(t *testing.T) {
	lines := scaling([]*File{sized("1000", "10000")})
	if len(lines) != 1 || len(lines[0].points) != 2 || lines[0].points[1].elements != 10000 || lines[0].points[1].high <= lines[0].points[1].low {
		t.Errorf("lines %+v", lines)
	}
	if got := scaling([]*File{sized("1000")}); len(got) > 0 {
		t.Errorf("one size is a line: %+v", got)
	}
}

// Every plot is well-formed, small, and knows light and dark; it needs no font or
// file from elsewhere.
func TestPlots(t *testing.T) {
	set, err := ReadSet("testdata/raw")
	if err != nil {
		t.Fatal(err)
	}
	set.Files = append(set.Files, sized("1000", "10000"))
	all, err := set.Generate()
	if err != nil {
		t.Fatal(err)
	}
	again, err := set.Generate()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(all, again); diff != "" {
		t.Errorf("the same files gave two reports:\n%s", diff)
	}
	seen := 0
	for name, content := range all {
		if filepath.Ext(name) != ".svg" {
			continue
		}
		seen++
		text := string(content)
		var any struct{}
		if err := xml.Unmarshal(content, &any); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(content) > 64<<10 || !strings.Contains(text, "prefers-color-scheme:dark") || !strings.Contains(text, "sans-serif") {
			t.Errorf("%s: %d bytes, or it lacks colours or fonts", name, len(content))
		}
		if strings.Count(text, "http") != 1 || strings.Contains(text, "url(") || strings.Contains(text, "href") {
			t.Errorf("%s reaches out:\n%s", name, text)
		}
		if strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
			t.Errorf("%s has figures that are none", name)
		}
	}
	if seen != 4 { // of sizes, of runs, of processor time, of bytes
		t.Errorf("%d plots", seen)
	}
	for name, want := range map[string]string{
		"timeline-linux-debian-gnome-model-wsl1-processor.svg": "pipe, every event: backend",
		"timeline-linux-debian-gnome-model-wsl1-written.svg":   "inprocess, frames",
		"runs-linux-debian-gnome.svg":                          "none: pipe",
	} {
		if !strings.Contains(string(all[name]), want) {
			t.Errorf("%s lacks %q", name, want)
		}
	}
	for _, want := range []string{"bst, packages of Debian", "linear"} {
		if !strings.Contains(string(all["scaling.svg"]), want) {
			t.Errorf("%q is not in the plot", want)
		}
	}
}

// Figures that no machine gives spoil no report: raw files come from others.
func TestOddFigures(t *testing.T) {
	for _, values := range [][]string{{"0", "0"}, {"0", "1"}, {"1e-300", "1e300"}, {"5", "5"}, {"1e308", "1e308"}} {
		var text strings.Builder
		text.WriteString("platform: linux\nelements-debian-all-1: 1\nelements-debian-all-2: 999999999999999999\nelements-chain-9: -4\n")
		for round, value := range values {
			fmt.Fprintf(&text, "=== ROUND %d\n", round+1)
			for _, stack := range []string{"debian-all-1", "debian-all-2", "chain-9", "a<b>"} {
				for _, strategy := range []string{"inprocess", "pipe"} {
					fmt.Fprintf(&text, "BenchmarkShow/stack=%s/tool=bst/strategy=%s/terminal=none\t1\t%s ns/op\t%[3]s written-B/op\t%[3]s cpu-ns/op\n", stack, strategy, value)
				}
			}
		}
		f, err := Read("odd.txt", []byte(text.String()))
		if err != nil {
			t.Fatal(err)
		}
		part, err := readPart("timeline-odd.txt", []byte(fmt.Sprintf("=== ROUND 1\n"+
			"BenchmarkTimeline/stack=s/tool=bst/strategy=pipe/terminal=pty/at=-3ms\t1\t%[1]s frontend-cpu-ns/op\t%[2]s backend-cpu-ns/op\t%[1]s written-B/op\n"+
			"BenchmarkTimeline/stack=s/tool=bst/strategy=pipe/terminal=pty/at=9000000h\t1\t%[2]s frontend-cpu-ns/op\t%[1]s backend-cpu-ns/op\t%[2]s written-B/op\n"+
			"BenchmarkTimeline/stack=s/tool=bst/strategy=pipe/terminal=pty/at=1ms\t1\t%[2]s frontend-cpu-ns/op\t%[1]s backend-cpu-ns/op\t%[2]s written-B/op\n", values[0], values[1])))
		if err != nil {
			t.Fatal(err)
		}
		set := &Set{Files: []*File{f}, Timelines: []*Part{part}}
		all, err := set.Generate()
		if err != nil {
			t.Errorf("%v: %v", values, err)
		}
		for name, content := range all {
			if filepath.Ext(name) == ".svg" && (bytes.Contains(content, []byte("NaN")) || bytes.Contains(content, []byte("Inf"))) {
				t.Errorf("%v: %s has figures that are none", values, name)
			}
		}
		if err := set.WriteDefaults(io.Discard); err != nil {
			t.Errorf("%v: %v", values, err)
		}
	}
}
