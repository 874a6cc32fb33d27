package environ

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestParts(t *testing.T) {
	mounts := "/dev/vda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\nproc /proc proc rw 0 0\n/dev/b /tmp/x xfs rw 0 0\n"
	for _, c := range []struct{ name, got, want string }{
		{"root", mountType(mounts, "/home/a"), "ext4"},
		{"folder", mountType(mounts, "/tmp/y"), "tmpfs"},
		{"nested", mountType(mounts, "/tmp/x/y"), "xfs"},
		{"alike", mountType(mounts, "/tmpfs"), "ext4"},
		{"distribution", distribution("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"), "Debian GNU/Linux 12 (bookworm)"},
		{"memory", memory("MemTotal:       4194304 kB\nMemFree: 1 kB\n"), "4.0 GiB"},
		{"no memory", memory(""), ""},
		{"virtual", virtual("flags\t: fpu hypervisor\n"), "yes"},
		{"metal", virtual("flags\t: fpu vme\n"), "no"},
		{"load", load("0.50 1.00 2.00 1/100 5"), "0.50"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
		}
	}
}

// Whatever the machine, every fact has a value of one line.
func TestCapture(t *testing.T) {
	seen := map[string]bool{}
	for _, fact := range Capture(context.Background(), t.TempDir(), t.TempDir()) {
		if fact.Value == "" || strings.Contains(fact.Value, "\n") || seen[fact.Key] {
			t.Errorf("%+v", fact)
		}
		seen[fact.Key] = true
	}
	if !seen["platform"] || !seen["commit"] || !seen["cores"] {
		t.Errorf("missing: %v", seen)
	}
}

func TestTimes(t *testing.T) {
	before, ok := parseTimes("cpu  100 20 30 4000 5 6 7 8 9 10")
	if want := (Times{Busy: 1630 * time.Millisecond, Steal: 80 * time.Millisecond}); !ok || before != want {
		t.Errorf("%+v, %v", before, ok)
	}
	after, _ := parseTimes("cpu  200 20 30 4000 5 6 7 18 9 10")
	if got, want := after.Sub(before), (Times{Busy: time.Second, Steal: 100 * time.Millisecond}); got != want {
		t.Errorf("%+v", got)
	}
	if got := before.Sub(after); got != (Times{}) {
		t.Errorf("back in time: %+v", got)
	}
	if got, want := Busy(Times{Busy: time.Second}, 2*time.Second), 50/float64(runtime.NumCPU()); got != want {
		t.Errorf("%v %%, want %v", got, want)
	}
	for _, bad := range []string{"", "cpu", "cpu 1 2 3", "cpu0 1 2 3 4 5 6 7 8", "cpu a b c d e f g h i", "cpu 0 0 0 0 0 0 0 0 0 0"} {
		if _, ok := parseTimes(bad); ok {
			t.Errorf("%q was understood", bad)
		}
	}
}

func TestFrequency(t *testing.T) {
	if got := frequency("cpu MHz\t\t: 2000.5\nflags: x\ncpu MHz : 3000.5\n"); got != 2500.5 {
		t.Errorf("%v", got)
	}
	if got := frequency("cpu MHz: fast\n"); got != 0 {
		t.Errorf("%v", got)
	}
}

// Without a work tree the commit is what the build was told.
func TestBuilt(t *testing.T) {
	dir := t.TempDir()
	if got := Commit(context.Background(), dir); got != Unknown {
		t.Errorf("of nothing: %s", got)
	}
	t.Cleanup(func() { built = "" })
	built = "0123456789ab+changes"
	if got := Commit(context.Background(), dir); got != built {
		t.Errorf("%s, want %s", got, built)
	}
}
