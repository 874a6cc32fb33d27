package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Paths are bytes to the kernel: those that are not UTF-8 are kept.
func TestShellPlan(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan")
	want := &shellPlan{OwnTerminal: true, Locks: []string{"/l\xff", "", "\n"}}
	if err := want.write(path); err != nil {
		t.Fatal(err)
	}
	got, err := readShellPlan(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := os.WriteFile(path, []byte("\x9f\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readShellPlan(path); err == nil || !strings.HasPrefix(err.Error(), path+": ") {
		t.Errorf("%v for a file that is no plan", err)
	}
}
