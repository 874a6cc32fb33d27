package environ

import (
	"context"
	"strings"
	"testing"
)

func TestPlatform(t *testing.T) {
	for _, c := range []struct{ goos, release, version, want string }{
		{"linux", "6.1.0-18-amd64", "Linux version 6.1.0-18-amd64", "linux"},
		{"linux", "4.4.0-19041-Microsoft", "Linux version 4.4.0-19041-Microsoft", "wsl1"},
		{"linux", "5.15.146.1-microsoft-standard-WSL2", "", "wsl2"},
		{"linux", "6.6.36-custom-WSL2+", "", "wsl2"},
		{"linux", "4.4.0", "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016", "gvisor"},
		{"windows", "", "", "windows"},
		{"darwin", "", "", "darwin"},
	} {
		if got := Platform(c.goos, c.release, c.version); got != c.want {
			t.Errorf("%s %q: %s, want %s", c.goos, c.release, got, c.want)
		}
	}
}

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
