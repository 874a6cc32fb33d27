package sharing

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bst/bench/place"
	"bst/bench/stacks"
	"bst/bench/workdir"
	"bst/impl/cli"
	"bst/impl/server"
)

// stackVariable names the environment variable that says which stack is shared, and
// usual is the one where it does not.
const (
	stackVariable = "BST_SHARING_STACK"
	usual         = "debian-gnome"
)

// patience bounds a run of bst.
const patience = 10 * time.Minute

// bstWord as argv[0] makes this test's executable bst.
const bstWord = "bst"

// serverWord as the first argument makes this test's executable a server of the
// cache that the second names.
const serverWord = "__serve"

// work has the folders of all benchmarks, in memory where this machine can: a disk
// differs more from run to run than what is measured here. It goes when the last has
// ended.
var work string

func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 3 && os.Args[1] == serverWord:
		fmt.Fprintln(os.Stderr, serve(os.Args[2]))
		os.Exit(1)
	case os.Args[0] == bstWord, len(os.Args) > 1 && strings.HasPrefix(os.Args[1], "__"):
		os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if work, err = os.MkdirTemp(workdir.Memory(), "sharing-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	status := m.Run()
	if err := workdir.Remove(context.Background(), work, nil); err != nil && status == 0 {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	return status
}

// serve serves a cache, says where, and ends with this process.
func serve(dir string) error {
	s, err := server.New(server.Config{CacheDir: dir, Push: true})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + l.Addr().String())
	return s.Serve(l)
}

// All that one pushes, another pulls.
func TestSharing(t *testing.T) {
	p := newProject(t, "rapid-30")
	one := p.person(t)
	one.bst(t, "build", p.target)
	url := start(t)
	one.push(t, url)
	other := p.person(t)
	other.pull(t, url)
}

// BenchmarkSharing pushes to an empty server and pulls into an empty cache, both by
// bst's command from its start to its end.
func BenchmarkSharing(b *testing.B) {
	p := newProject(b, cmp.Or(os.Getenv(stackVariable), usual))
	one := p.person(b)
	one.bst(b, "build", p.target)
	b.Run("push", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			url := start(b)
			b.StartTimer()
			one.push(b, url)
		}
	})
	b.Run("pull", func(b *testing.B) {
		url := start(b)
		one.push(b, url)
		for b.Loop() {
			b.StopTimer()
			other := p.person(b)
			b.StartTimer()
			other.pull(b, url)
		}
	})
}

// project is a stack on the disk.
type project struct {
	dir, name, target, program string
	elements                   int // that have artifacts
}

func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp(work, "")
	if err != nil {
		t.Fatal(err)
	}
	return dir
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
	p := &project{dir: filepath.Join(folder(t), "project"), name: s.Name, target: spec.Target(), elements: len(s.Elements)}
	if err := s.Write(p.dir, stacks.BuildStream2); err != nil {
		t.Fatal(err)
	}
	if p.program, err = os.Executable(); err != nil {
		t.Fatal(err)
	}
	return p
}

// person has a home and a cache, and works on the project.
type person struct {
	p *project
	place.Place
}

func (p *project) person(t testing.TB) *person {
	t.Helper()
	at, err := place.Make(folder(t), stacks.BuildStream2, 0)
	if err != nil {
		t.Fatal(err)
	}
	return &person{p, at}
}

// bst runs the program, which is to end well.
func (a *person) bst(t testing.TB, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, a.p.program, append([]string{"--no-colors", "-c", a.Config}, args...)...)
	cmd.Args[0] = bstWord
	cmd.Dir = a.p.dir
	cmd.Env = a.Environ("BST_STRATEGY=inprocess")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("bst %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (a *person) push(t testing.TB, url string) {
	t.Helper()
	a.bst(t, "artifact", "push", "--deps", "all", "--artifact-remote", url, a.p.target)
}

// pull pulls, and counts what came.
func (a *person) pull(t testing.TB, url string) {
	t.Helper()
	a.bst(t, "artifact", "pull", "--deps", "all", "--artifact-remote", url, a.p.target)
	refs := filepath.Join(a.Dir, "artifacts", "refs", a.p.name)
	entries, err := os.ReadDir(refs)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if len(entries) != a.p.elements {
		t.Fatalf("%d of %d artifacts came", len(entries), a.p.elements)
	}
}

// start starts a server of an empty cache, which ends with the test.
func start(t testing.TB) (url string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, serverWord, folder(t))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}
