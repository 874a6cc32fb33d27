package history

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func key(element string) Key { return Key{Project: "p", Element: element, Action: "Build"} }

func load(t *testing.T, path string) *History {
	t.Helper()
	h, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func save(t *testing.T, h *History) {
	t.Helper()
	if err := h.Save(); err != nil {
		t.Fatal(err)
	}
}

func TestHistory(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "durations")
	first, second := load(t, path), load(t, path)
	if _, known := first.Expect(key("a.bst")); known {
		t.Error("something is known of nothing")
	}
	save(t, first) // nothing was recorded: nothing is written
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("%v, %v", entries, err)
	}
	// Two sessions at once: what either saw is kept.
	first.Record(key("a.bst"), 4*time.Second)
	first.Record(key("b\t.bst"), time.Second) // cannot be written: left out
	second.Record(key("c.bst"), 1500*time.Millisecond)
	save(t, first)
	save(t, second)
	third := load(t, path)
	third.Record(key("a.bst"), 2*time.Second)
	save(t, third)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("bst durations 1\n3000\tBuild\tp\ta.bst\n1500\tBuild\tp\tc.bst\n", string(data)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if took, known := load(t, path).Expect(key("c.bst")); took != 1500*time.Millisecond || !known {
		t.Errorf("%v, %v", took, known)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("files are left over: %v, %v", entries, err)
	}
}

// TestBound: the oldest are forgotten.
func TestBound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "durations")
	for part := range 3 {
		h := load(t, path)
		for i := range most / 2 {
			h.Record(key(fmt.Sprintf("%d-%d.bst", part, i)), time.Second)
		}
		save(t, h)
	}
	h := load(t, path)
	if len(h.order) != most {
		t.Errorf("%d are kept", len(h.order))
	}
	_, old := h.Expect(key("0-7.bst"))
	_, late := h.Expect(key("2-7.bst"))
	if old || !late {
		t.Errorf("the oldest is known: %v, the latest is: %v", old, late)
	}
}

// TestDamage: what cannot be read is left out, and made anew.
func TestDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "durations")
	good := "5\tBuild\tp\ta.bst\n"
	for text, want := range map[string]int{
		"":                         0,
		"bst durations 9\n" + good: 0,
		heading + "\n" + good:      1,
		heading + "\nx\n-1\tBuild\tp\tb.bst\n1\t2\n" + good + good: 1,
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if h := load(t, path); len(h.order) != want {
			t.Errorf("%q: %d are known, want %d", text, len(h.order), want)
		}
	}
	if err := os.WriteFile(path, []byte(heading+"\n"+strings.Repeat("x", 2*longestLine)), 0o644); err != nil {
		t.Fatal(err)
	}
	h, err := Load(path)
	if err == nil {
		t.Error("a line without end was read")
	}
	h.Record(key("a.bst"), time.Second)
	save(t, h)
	if _, known := load(t, path).Expect(key("a.bst")); !known {
		t.Error("it was not made anew")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("5\tBuild\tp\ta.bst")
	f.Fuzz(func(t *testing.T, line string) {
		key, took, ok := parse(line)
		if !ok {
			return
		}
		again := fmt.Sprintf("%d\t%s\t%s\t%s", took.Milliseconds(), key.Action, key.Project, key.Element)
		if k, d, ok := parse(again); !ok || k != key || d != took {
			t.Errorf("%q becomes %q", line, again)
		}
	})
}
