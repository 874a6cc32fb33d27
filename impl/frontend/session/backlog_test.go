package session

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func spillInto(t *testing.T) (dir string, open func() (*os.File, error)) {
	dir = t.TempDir()
	return dir, func() (*os.File, error) { return os.CreateTemp(dir, "log-*") }
}

// TestBacklogKeepsEverything: whatever is added and taken in whatever portions,
// each line comes out once and in order, and memory is bounded.
func TestBacklogKeepsEverything(t *testing.T) {
	dir, open := spillInto(t)
	random := rand.New(rand.NewPCG(5, 6))
	b := backlog{open: open}
	var in, out bytes.Buffer
	for step := range 400 {
		if step/50%2 == 0 { // the terminal is stopped, then it goes on
			var text bytes.Buffer
			for range random.IntN(600) {
				fmt.Fprintf(&text, "line %d of step %d %s\n", in.Len(), step, strings.Repeat("x", random.IntN(200)))
			}
			in.Write(text.Bytes())
			b.add(text.Bytes())
		} else {
			out.Write(b.take(random.IntN(100 << 10)))
		}
		if len(b.head) > maxHeld {
			t.Fatalf("%d bytes are held in memory", len(b.head))
		}
	}
	for !b.empty() {
		taken := b.take(1 + random.IntN(300<<10))
		if len(taken) == 0 || taken[len(taken)-1] != '\n' {
			t.Fatalf("took %d bytes that are not whole lines", len(taken))
		}
		out.Write(taken)
	}
	if !bytes.Equal(in.Bytes(), out.Bytes()) {
		t.Errorf("%d bytes went in, %d came out, or in another order", in.Len(), out.Len())
	}
	if b.size() != 0 || b.lost != 0 || b.failed != nil {
		t.Errorf("size %d, lost %d, failed %v", b.size(), b.lost, b.failed)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("files are left: %v, %v", left, err)
	}
}

func TestBacklogCut(t *testing.T) {
	for _, lines := range []int{100, 60_000} { // in memory, in a file
		_, open := spillInto(t)
		b := backlog{open: open}
		var all strings.Builder
		for i := range lines {
			line := fmt.Sprintf("this is line number %d of them all\n", i)
			all.WriteString(line)
			b.add([]byte(line))
		}
		shown := string(b.take(500))
		left, name, err := b.cut(10, 1<<10)
		if err != nil {
			t.Fatal(err)
		}
		rest := string(b.head)
		if got := strings.Count(rest, "\n"); got != 10 || !strings.HasSuffix(all.String(), rest) {
			t.Errorf("%d lines: %d are left to show: %q", lines, got, rest)
		}
		if want := lines - 10 - strings.Count(shown, "\n"); left != want {
			t.Errorf("%d lines: %d are said to be left out, want %d", lines, left, want)
		}
		kept, err := os.ReadFile(name)
		if err != nil || !strings.HasSuffix(all.String(), string(kept)) || len(kept)+len(shown) < all.Len() {
			t.Errorf("%d lines: the file has %d bytes of %d, error %v", lines, len(kept), all.Len(), err)
		}
	}
}

// TestBacklogWithoutFile: where there is no room, lines are lost and counted.
func TestBacklogWithoutFile(t *testing.T) {
	b := backlog{open: func() (*os.File, error) { return os.Create(filepath.Join(t.TempDir(), "no", "such", "folder")) }}
	line := []byte(strings.Repeat("x", 1<<20-1) + "\n")
	for range 20 {
		b.add(line)
	}
	if b.lost != 4 || b.size() != maxUnspilled || !errors.Is(b.failed, os.ErrNotExist) {
		t.Errorf("%d lines lost, %d bytes wait, failed %v", b.lost, b.size(), b.failed)
	}
	if _, _, err := b.cut(1, 100); err == nil {
		t.Error("a cut without a file was told to be kept")
	}
}
