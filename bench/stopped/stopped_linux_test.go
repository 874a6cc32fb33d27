package stopped

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bst/bench/stacks"
	"bst/impl/cli"

	"golang.org/x/sys/unix"
)

// stackVariable names the environment variable that says which stack is built, and
// usual is the one where it does not.
const (
	stackVariable = "BST_STOPPED_STACK"
	usual         = "rapid-2000"
)

// patience bounds what is waited for.
const patience = 10 * time.Minute

// bstWord as argv[0] makes this test's executable bst.
const bstWord = "bst"

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == bstWord || len(os.Args) > 1 && strings.HasPrefix(os.Args[1], "__") {
		os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
	}
	os.Exit(m.Run())
}

// A build goes on, and completes, while its frontend reads nothing, and nothing of
// what it said is lost. What this costs is the benchmark's to tell.
func TestStopped(t *testing.T) {
	for _, strategy := range strategies {
		t.Run(strategy, func(t *testing.T) {
			// Long enough for its first line, which waits for others to be written with
			// it, to come well before its end.
			p := newProject(t, "rapid-2000")
			read, stopped := p.build(t, strategy, false), p.build(t, strategy, true)
			if read.told != p.elements || stopped.told != p.elements {
				t.Errorf("of %d elements %d were told of, and %d after the stop", p.elements, read.told, stopped.told)
			}
		})
	}
}

// strategies are those whose backend is a process of its own.
var strategies = []string{"pipe", "socket", "warm"}

// BenchmarkStopped builds a stack with a frontend that reads and with one that is
// stopped from the first line to the last artifact, in turns. Wall times are up to
// that artifact; memory is the backend's peak at that moment.
func BenchmarkStopped(b *testing.B) {
	p := newProject(b, cmp.Or(os.Getenv(stackVariable), usual))
	for _, strategy := range strategies {
		b.Run(strategy, func(b *testing.B) {
			var sum [2]outcome
			turn := 0
			for b.Loop() {
				for _, stop := range []bool{turn%2 == 1, turn%2 == 0} {
					o := p.build(b, strategy, stop)
					if o.told != p.elements {
						b.Fatalf("of %d elements %d were told of", p.elements, o.told)
					}
					s := &sum[0]
					if stop {
						s = &sum[1]
					}
					s.wall += o.wall
					s.peak += o.peak
				}
				turn++
			}
			n := float64(turn)
			b.ReportMetric(0, "ns/op") // of both, which says nothing
			b.ReportMetric(float64(sum[0].wall)/n, "reading-ns/op")
			b.ReportMetric(float64(sum[1].wall)/n, "stopped-ns/op")
			b.ReportMetric(float64(sum[1].wall)/float64(sum[0].wall), "wall-ratio")
			b.ReportMetric(float64(sum[0].peak)/n, "reading-backend-RSS-bytes")
			b.ReportMetric(float64(sum[1].peak)/n, "stopped-backend-RSS-bytes")
			b.ReportMetric(float64(sum[1].peak)/float64(sum[0].peak), "RSS-ratio")
		})
	}
}

// project is a stack on the disk.
type project struct {
	dir, name, bst string
	elements       int // that a build tells of
}

func newProject(t testing.TB, stack string) *project {
	t.Helper()
	spec, err := stacks.ParseName(stack)
	if err != nil {
		t.Fatal(err)
	}
	s, err := stacks.Generate(spec)
	if err != nil {
		t.Fatal(err)
	}
	base := t.TempDir()
	p := &project{dir: filepath.Join(base, "project"), bst: filepath.Join(base, bstWord), elements: len(s.Elements)}
	if err := s.Write(p.dir, stacks.BuildStream2); err != nil {
		t.Fatal(err)
	}
	conf, err := os.ReadFile(filepath.Join(p.dir, "project.conf"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(conf)) {
		if name, ok := strings.CutPrefix(line, "name: "); ok {
			p.name = strings.TrimSpace(name)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, p.bst); err != nil {
		t.Fatal(err)
	}
	return p
}

// outcome is what one build gave.
type outcome struct {
	wall time.Duration // to the last artifact
	peak int64         // the backend's memory then, in bytes
	told int           // elements whose build the frontend told of
}

// build builds the project in a home of its own.
func (p *project) build(t testing.TB, strategy string, stop bool) outcome {
	t.Helper()
	home := t.TempDir()
	run := filepath.Join(home, "run")
	if err := os.Mkdir(run, 0o700); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(home, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(p.bst, "--no-colors", "build", "top.bst")
	cmd.Dir = p.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_RUNTIME_DIR=" + run, "LC_ALL=C.UTF-8", "BST_STRATEGY=" + strategy}
	cmd.Stdout, cmd.Stderr = log, log
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer cmd.Process.Kill() // where something below fails; else it has ended

	// The first line says that the backend obeys its order.
	until(t, "the first line", func() bool {
		info, err := log.Stat()
		return err == nil && info.Size() > 0
	})
	backend := backendOf(t, cmd.Process.Pid)
	if strategy == "warm" {
		defer func() {
			if err := unix.Kill(backend, unix.SIGTERM); err != nil {
				t.Errorf("the backend that stays: %v", err)
			}
			until(t, "its end", func() bool { return unix.Kill(backend, 0) != nil || stateOf(backend) == 'Z' })
		}()
	}
	if stop {
		if err := cmd.Process.Signal(unix.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		until(t, "the stop", func() bool { return stateOf(cmd.Process.Pid) == 'T' })
	}
	refs := filepath.Join(home, ".cache/buildstream/artifacts/refs", p.name, "top")
	o := outcome{}
	until(t, "the last artifact", func() bool {
		o.peak = max(o.peak, peakOf(t, backend)) // looked at on the way: it may end at once
		entries, err := os.ReadDir(refs)
		return err == nil && slices.ContainsFunc(entries, func(e os.DirEntry) bool { return !strings.HasPrefix(e.Name(), ".") })
	})
	o.wall = time.Since(start)
	if o.peak == 0 {
		t.Fatal("the kernel does not tell the backend's memory")
	}
	if stop {
		if err := cmd.Process.Signal(unix.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case err = <-ended:
	case <-time.After(patience):
		t.Fatal("bst does not end")
	}
	if err != nil {
		t.Fatalf("bst: %v", err)
	}
	if _, err := log.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(log)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		if bytes.Contains(line, []byte("] SUCCESS ")) && bytes.Contains(line, []byte("-build.")) {
			o.told++
		}
	}
	return o
}

func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come within %v", what, patience)
		}
	}
}

// backendOf finds the backend that a frontend has started.
func backendOf(t testing.TB, frontend int) int {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", frontend))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		children, _ := os.ReadFile(task) // a thread may have ended
		for _, child := range strings.Fields(string(children)) {
			if args, err := os.ReadFile("/proc/" + child + "/cmdline"); err == nil && bytes.Contains(args, []byte("\x00__backend\x00")) {
				pid, err := strconv.Atoi(child)
				if err != nil {
					t.Fatal(err)
				}
				return pid
			}
		}
	}
	t.Fatal("there is no backend")
	return 0
}

func stateOf(pid int) byte {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	return b[bytes.LastIndexByte(b, ')')+2]
}

// peakOf is the most memory that a process has had, in bytes, and 0 of one that ended.
func peakOf(t testing.TB, pid int) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			return 0
		}
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	return 0 // a zombie has none
}
