// Package environ says where a measurement is taken: the platform that was
// detected, the kernel, the processor, the memory, the file system, the commit.
//
// It reports what it finds and never what it was told. It knows nothing of what
// is measured.
package environ

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"bst/impl/platform"
)

// Pair is one fact: a key in the form of a Go benchmark configuration key, and
// a value of one line that is not empty.
type Pair struct{ Key, Value string }

// Lines are facts as the configuration lines that head a record.
func Lines(facts []Pair) string {
	var text strings.Builder
	for _, f := range facts {
		fmt.Fprintf(&text, "%s: %s\n", f.Key, f.Value)
	}
	return text.String()
}

// Unknown is the value of what could not be found out.
const Unknown = "unknown"

// Capture finds out about this machine, the file system of workDir and, where
// repository is the folder of a git work tree, its commit.
func Capture(ctx context.Context, workDir, repository string) []Pair {
	cpuinfo := readAll("/proc/cpuinfo")
	facts := []Pair{
		{"platform", platform.Name()},
		{"goos", runtime.GOOS},
		{"goarch", runtime.GOARCH},
		{"distribution", distribution(readAll("/etc/os-release"))},
		{"kernel", readLine("/proc/sys/kernel/osrelease")},
		{"cpu", field(cpuinfo, "model name", ":")},
		{"cores", strconv.Itoa(runtime.NumCPU())},
		{"memory", memory(readAll("/proc/meminfo"))},
		{"virtual-machine", virtual(cpuinfo)},
		{"filesystem", filesystem(workDir)},
		{"load-at-start", Load()},
		{"busy-at-start", busyAtStart()},
		{"cpu-mhz-at-start", megahertz(Frequency())},
		{"cpu-governor", governor()},
		{"go", runtime.Version()},
		{"commit", Commit(ctx, repository)},
	}
	if version := platform.WineVersion(); version != "" {
		facts = append(facts, Pair{"wine", version})
	}
	for i := range facts {
		if facts[i].Value == "" {
			facts[i].Value = Unknown
		}
	}
	return facts
}

// Commit is the work tree's commit, with "+changes" where files differ from it. Where
// there is no work tree, or no git to ask, it is what this program was built from, if
// that is known.
func Commit(ctx context.Context, dir string) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	git := func(args ...string) (string, bool) {
		out, err := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...).Output()
		return strings.TrimSpace(string(out)), err == nil
	}
	commit, ok := git("rev-parse", "--short=12", "HEAD")
	if !ok {
		return cmp.Or(built, Unknown)
	}
	if changed, ok := git("status", "--porcelain", "--untracked-files=no"); !ok || changed != "" {
		commit += "+changes"
	}
	return commit
}

// built is the commit that this program was built from, where whoever built it said so:
// go build -ldflags "-X bst/bench/environ.built=COMMIT". Go's own stamp is not there in a
// further work tree of a repository, nor with -buildvcs=false.
var built string

func readAll(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return "" // becomes Unknown
	}
	return string(content)
}

func readLine(path string) string {
	line, _, _ := strings.Cut(readAll(path), "\n")
	return strings.TrimSpace(line)
}

// field is the value of the first line of text that starts with key.
func field(text, key, separator string) string {
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(line, separator)
		if ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func distribution(osRelease string) string {
	return strings.Trim(field(osRelease, "PRETTY_NAME", "="), `"`)
}

func memory(meminfo string) string {
	kib, err := strconv.ParseInt(strings.TrimSuffix(field(meminfo, "MemTotal", ":"), " kB"), 10, 64)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%.1f GiB", float64(kib)/(1<<20))
}

func virtual(cpuinfo string) string {
	if cpuinfo == "" {
		return ""
	}
	for flag := range strings.FieldsSeq(field(cpuinfo, "flags", ":")) {
		if flag == "hypervisor" {
			return "yes"
		}
	}
	return "no"
}

func load(loadavg string) string {
	minute, _, _ := strings.Cut(loadavg, " ")
	return minute
}

func megahertz(mhz float64) string {
	if mhz == 0 {
		return ""
	}
	return strconv.FormatFloat(mhz, 'f', 0, 64)
}

// filesystem is the type of the file system that dir is on.
func filesystem(dir string) string {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	return mountType(readAll("/proc/self/mounts"), dir)
}

func mountType(mounts, dir string) string {
	longest, kind := -1, ""
	for line := range strings.Lines(mounts) {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		point := fields[1]
		inside := point == "/" || dir == point || strings.HasPrefix(dir, point+"/")
		if inside && len(point) >= longest { // a later mount covers an earlier one
			longest, kind = len(point), fields[2]
		}
	}
	return kind
}
