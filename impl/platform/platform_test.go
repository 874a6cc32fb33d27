package platform

import (
	"runtime"
	"slices"
	"testing"
)

func TestOf(t *testing.T) {
	for _, c := range []struct{ goos, release, version, want string }{
		{"linux", "6.1.0-18-amd64", "Linux version 6.1.0-18-amd64", Linux},
		{"linux", "4.4.0-19041-Microsoft", "Linux version 4.4.0-19041-Microsoft", WSL1},
		{"linux", "5.15.146.1-microsoft-standard-WSL2", "", WSL2},
		{"linux", "6.6.36-custom-WSL2+", "", WSL2},
		{"linux", "4.4.0", "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016", GVisor},
		{"linux", "", "", Linux},
		{"windows", "", "", Windows},
		{"darwin", "", "", "darwin"},
	} {
		if got := of(c.goos, c.release, c.version); got != c.want {
			t.Errorf("%s %q: %s, want %s", c.goos, c.release, got, c.want)
		}
	}
}

func TestName(t *testing.T) {
	known := map[string][]string{"linux": {Linux, WSL1, WSL2, GVisor}, "windows": {Windows, Wine}}[runtime.GOOS]
	if known == nil {
		known = []string{runtime.GOOS}
	}
	if got := Name(); !slices.Contains(known, got) {
		t.Errorf("%s on %s, want one of %v", got, runtime.GOOS, known)
	}
}

func TestStandIn(t *testing.T) {
	for name, want := range map[string]bool{Wine: true, GVisor: true, Linux: false, WSL1: false, WSL2: false, Windows: false, "unknown": false} {
		if got := StandIn(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestWineVersion(t *testing.T) {
	if version := WineVersion(); (version != "") != (Name() == Wine) {
		t.Errorf("on %s Wine says %q", Name(), version)
	}
}
