// Package platform tells where this program runs: on which platform, by what the
// kernel says of itself, and on what kind of terminal. Measurements are kept by
// it, and the strategy is chosen by it.
//
// It reports what it finds and never what it was told. It knows nothing of
// measurements or strategies, and of terminals only their kind.
package platform

import (
	"os"
	"runtime"
	"strings"
)

// The platforms that have a name of their own. Others have their operating
// system's (GOOS).
const (
	Linux   = "linux"
	WSL1    = "wsl1"
	WSL2    = "wsl2"
	Windows = "windows"
	// Wine and GVisor are stand-ins for other kernels and must not pass as Windows
	// and Linux.
	Wine   = "wine"
	GVisor = "gvisor"
)

// StandIn says of a platform's name that it is one of those that stand in for others:
// what is measured there is theirs alone.
func StandIn(name string) bool { return name == Wine || name == GVisor }

// Name is this platform's name.
func Name() string {
	if isWine() {
		return Wine
	}
	return of(runtime.GOOS, line("/proc/sys/kernel/osrelease"), line("/proc/version"))
}

// of names the platform by GOOS and, on Linux, the kernel's release and version.
// gVisor answers with one fixed version.
func of(goos, release, version string) string {
	if goos != Linux {
		return goos
	}
	switch {
	case strings.Contains(release, "microsoft-standard"), strings.Contains(release, "WSL2"):
		return WSL2
	case strings.Contains(release, "Microsoft"):
		return WSL1
	case strings.Contains(version, "#1 SMP Sun Jan 10 15:06:54 PST 2016"):
		return GVisor
	}
	return Linux
}

// line is a file's first line, "" where there is none: not every system has
// these files, and what cannot be told apart is plain Linux.
func line(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(content), "\n")
	return strings.TrimSpace(first)
}
