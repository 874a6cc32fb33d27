package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Paths and variables are bytes to the kernel: a plan keeps those that are not UTF-8.
func TestPlanFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan")
	want := &plan{Bwrap: "/usr/bin/bwrap", Layers: []string{"l/0", "l/1"}, Binds: []bind{{Host: "/h\xff", Path: "/p", Device: true}},
		Argv: []string{"sh", "-c", "\xfe\n"}, Env: []string{"A=\xff", ""}, UID: 1000, NewUser: true}
	if err := want.write(path); err != nil {
		t.Fatal(err)
	}
	got, err := readPlan(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := os.WriteFile(path, []byte("\x9f\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readPlan(path); err == nil || !strings.HasPrefix(err.Error(), path+": ") {
		t.Errorf("%v for a file that is no plan", err)
	}
}
