//go:build linux

package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"bst/impl/cas"
	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

// modes runs a test with overlays, without, and without namespaces for the
// helper, where bubblewrap is on its own.
func modes(t *testing.T, test func(t *testing.T, l *lab)) {
	for _, mode := range []string{"overlay", "copy", "alone"} {
		t.Run(mode, func(t *testing.T) {
			l := newLab(t, func(c *Config) { c.NoOverlay = mode != "overlay" })
			if mode == "alone" {
				l.factory.features = &features{why: "the test says so"}
			}
			if how, why, err := l.factory.Staging(t.Context()); err != nil {
				t.Fatal(err)
			} else if mode == "overlay" && how != "overlay" {
				t.Skip("needs overlayfs on " + l.dir + ": " + why)
			}
			test(t, l)
		})
	}
}

func TestWorld(t *testing.T) {
	modes(t, func(t *testing.T, l *lab) {
		r := l.stage()
		out := l.sh(r, `
id -u; id -g
uname -n
pwd
ls /dev
stat -c '%a %n' /tmp /dev/shm
stat -c '%F' /dev/null /dev/zero /dev/full /dev/random /dev/urandom
touch /tmp/x /dev/shm/y
cat /proc/self/status | while read name value; do
  case $name in Cap[IPEA]??:|NoNewPrivs:) echo $name $value;; esac
done
`, func(s *Spec) { s.RootReadOnly = true; s.Dir = "/some/where" })
		want := `0
0
buildsandbox
/some/where
core
fd
full
null
ptmx
pts
random
shm
stderr
stdin
stdout
tty
urandom
zero
1777 /tmp
1777 /dev/shm
character special file
character special file
character special file
character special file
character special file
CapInh: 0000000000000000
CapPrm: 0000000000000000
CapEff: 0000000000000000
CapAmb: 0000000000000000
NoNewPrivs: 1
`
		if diff := cmp.Diff(want, out); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEnvironment(t *testing.T) {
	t.Setenv("BST_SECRET", "leaks")
	l := newLab(t, nil)
	r := l.stage()
	out := l.sh(r, `while IFS= read -r line || test -n "$line"; do echo "$line"; done < /dev/null; set`, func(s *Spec) {
		s.Env["A"] = "with space\nand line"
		s.Env["LD_PRELOAD"] = ""
	})
	for _, want := range []string{"A='with space\nand line'", "PWD='/'"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "BST_SECRET") {
		t.Errorf("the host's environment leaks:\n%s", out)
	}
	if _, err := r.Run(t.Context(), Spec{Argv: []string{"sh"}, Env: map[string]string{"PATH": "/usr/bin", "A=B": ""}}); err == nil {
		t.Error("a variable with '=' in its name is accepted")
	}
}

// The command has a process space, an IPC space and a host name of its own, and
// none of bst's descriptors.
func TestIsolation(t *testing.T) {
	l := newLab(t, nil)
	r := l.stage()
	leak, err := os.Open("/etc/passwd")
	if err != nil {
		t.Fatal(err)
	}
	defer leak.Close()
	out := l.sh(r, `echo pid $$
for p in /proc/[0-9]*; do echo ${p#/proc/}; done
ls /proc/self/fd
for ns in pid ipc uts net mnt; do readlink /proc/self/ns/$ns; done`, nil)
	for _, ns := range []string{"pid", "ipc", "uts", "net", "mnt"} {
		host, err := os.Readlink("/proc/self/ns/" + ns)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out, host) {
			t.Errorf("the sandbox is in the host's %s namespace", ns)
		}
	}
	if !strings.HasPrefix(out, "pid 2\n1\n2\n0\n1\n2\n3\n") {
		t.Errorf("processes and descriptors inside:\n%s", out)
	}
}

func TestNetwork(t *testing.T) {
	l := newLab(t, nil)
	r := l.stage()
	interfaces := func(network bool) string {
		return l.sh(r, `while read name rest; do case $name in *:*) echo ${name%%:*};; esac; done < /proc/net/dev`,
			func(s *Spec) { s.Network = network })
	}
	if got := interfaces(false); got != "lo\n" {
		t.Errorf("interfaces without network: %q", got)
	}
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	if got := interfaces(true); strings.Count(got, "\n") != len(all) {
		t.Errorf("interfaces with network: %q, the host's: %v", got, all)
	}
}

func TestUser(t *testing.T) {
	modes(t, func(t *testing.T, l *lab) {
		r := l.stage(l.tree(map[string]string{"etc/x": "x"}))
		if err := r.Writable("/work", cas.Digest{}); err != nil {
			t.Fatal(err)
		}
		script := `id -u; id -g; touch /work/$(id -u); stat -c '%u:%g' /work/$(id -u) /etc/x; test -O /etc/x`
		for _, c := range []struct {
			name     string
			uid, gid int
			inherit  bool
		}{{name: "root"}, {name: "build-uid", uid: 1003, gid: 1001}, {name: "inherit", inherit: true}} {
			t.Run(c.name, func(t *testing.T) {
				uid, gid := c.uid, c.gid
				if c.inherit {
					uid, gid = os.Geteuid(), os.Getegid()
				}
				want := fmt.Sprintf("%d\n%d\n%d:%d\n%d:%d\n", uid, gid, uid, gid, uid, gid)
				got := l.sh(r, script, func(s *Spec) {
					s.UID, s.GID, s.InheritUID = c.uid, c.gid, c.inherit
					s.RootReadOnly = true
				})
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	})
}

func TestReadOnly(t *testing.T) {
	modes(t, func(t *testing.T, l *lab) {
		r := l.stage(l.tree(map[string]string{"etc/x": "x", "build/old": "staged there"}))
		for path, content := range map[string]cas.Digest{
			"/build":             {},
			"/install":           {},
			"/deep/down/sources": l.tree(map[string]string{"configure": "!#!/bin/sh\necho configured\n", "a/b": "c"}),
		} {
			if err := r.Writable(path, content); err != nil {
				t.Fatal(err)
			}
		}
		out := l.sh(r, `
for f in /etc/x /new /usr/bin/sh /etc/new /deep/new /dev/new /proc/new; do
  (echo hi > $f) 2>/dev/null && echo "wrote $f"
  rm -f $f 2>/dev/null && test ! -e $f && echo "removed $f"
done
cat /build/old; echo
echo hi > /build/new; echo hi > /install/new; echo hi > /tmp/new
/deep/down/sources/configure
stat -c %Y /deep/down/sources/a/b /etc/x /deep/down/sources
true`, func(s *Spec) { s.RootReadOnly = true })
		// /dev is a tmpfs of bubblewrap's own: writable, and thrown away.
		want := "wrote /dev/new\nremoved /dev/new\nstaged there\nconfigured\n1321009871\n1321009871\n1321009871\n"
		out = strings.ReplaceAll(strings.ReplaceAll(out, "removed /new\n", ""), "removed /etc/new\n", "")
		out = strings.ReplaceAll(strings.ReplaceAll(out, "removed /deep/new\n", ""), "removed /proc/new\n", "")
		if diff := cmp.Diff(want, out); diff != "" {
			t.Error(diff)
		}
		for path, want := range map[string]map[string]string{
			"/build":     {"old": "staged there", "new": "hi\n"},
			"/install/.": {"new": "hi\n"},
		} {
			d, err := r.CaptureDir(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			dir, err := l.store.OpenDir(d)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, list(t, dir)); diff != "" {
				t.Errorf("%s: %s", path, diff)
			}
		}
		if _, err := r.CaptureDir(t.Context(), "/nowhere"); !cas.IsNotFound(err) {
			t.Errorf("capturing what is not there: %v", err)
		}
	})
}

// A command that may write everywhere, and tries hard, as root, changes no
// object of the store and no shared checkout.
func TestStoreIsSafe(t *testing.T) {
	modes(t, func(t *testing.T, l *lab) {
		layer := l.tree(map[string]string{"etc/conf": "precious", "usr/lib/prog": "!binary", "etc/link": "-> conf"})
		r := l.stage(layer)
		l.sh(r, "true", func(s *Spec) { s.RootReadOnly = true }) // stages
		before := l.objects()
		script := `
cd /
chmod 777 /etc/conf /usr/lib/prog || true
echo evil >> /etc/conf || true
echo evil > /etc/link || true
truncate -s 0 /usr/lib/prog || true
touch -d @1 /etc/conf /usr/lib/prog /usr/bin/sh || true
ln /usr/lib/prog /usr/lib/hard || true
echo evil > /usr/lib/hard || true
mv /usr/lib/prog /usr/lib/moved || true
chown 1:1 /etc/conf || true
chmod 4755 /usr/bin/cat || true
true`
		l.sh(r, script, nil)
		l.sh(r, "(echo evil > /etc/conf) 2>&1 || true", func(s *Spec) { s.RootReadOnly = true })
		after := l.objects()
		for path, was := range before {
			if after[path] != was {
				t.Errorf("%s was %s, is %s", path, was, after[path])
			}
		}
		// Another Root sees the old state.
		if got := l.sh(l.stage(layer), "cat /etc/conf", nil); got != "precious" {
			t.Errorf("another sandbox sees %q", got)
		}
	})
}

// Whoever the command seems to be, and root above all, it changes nothing of the
// machine: it opens no setting in /proc for writing, and makes no device.
func TestMachineIsSafe(t *testing.T) {
	l := newLab(t, nil)
	r := l.stage()
	var probes = `
look() {
  for f in "$1"/*; do
    case $f in /proc/[0-9]*|/proc/self*|/proc/thread-self*|/proc/pressure*|/proc/\*) continue;; esac
    if test -L "$f"; then continue
    elif test -d "$f"; then look "$f"
    elif test -f "$f"; then (: >> "$f") 2>/dev/null && echo "opened $f"
    fi
  done
  return 0
}
look /proc
mknod /tmp/sda b 8 0 2>/dev/null && echo made a device
true`
	if os.Geteuid() != 0 {
		// An ordinary user's sandbox has the settings of its own process and IPC
		// spaces, and the kernel guards the others.
		probes = strings.Replace(probes, "/proc/pressure*", "/proc/pressure*|/proc/sys/fs/mqueue/*|/proc/sys/kernel/*msg*|/proc/sys/kernel/sem*|/proc/sys/kernel/shm*|/proc/sys/kernel/*pid*", 1)
	}
	for _, uid := range []int{0, 1000} {
		if out := l.sh(r, probes, func(s *Spec) { s.UID, s.GID = uid, uid }); out != "" {
			t.Errorf("as user %d:\n%s", uid, out)
		}
	}
}

func TestMissingCommand(t *testing.T) {
	l := newLab(t, nil)
	r := l.stage(l.tree(map[string]string{"usr/bin/dangling": "-> /nowhere", "opt/tool": "!#!/bin/sh\necho tool\n", "usr/bin/tool": "-> /opt/tool"}))
	for _, c := range []struct {
		name string
		ok   bool
	}{{"sh", true}, {"/usr/bin/sh", true}, {"tool", true}, {"/bin/tool", true}, {"nope", false}, {"/nope/sh", false}, {"dangling", false}, {"./sh", false}, {"usr/bin/sh", false}} {
		_, err := r.Run(t.Context(), Spec{Argv: []string{c.name, "-c", "true"}, Env: map[string]string{"PATH": "/opt:/bin"}})
		var e *stream.Error
		switch {
		case c.ok && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case !c.ok && (!errors.As(err, &e) || e.Domain != stream.DomainSandbox || e.Reason != ReasonMissingCommand || e.Message != "Staged artifacts do not provide command '"+c.name+"'"):
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// A command that an earlier one made is there.
	l.sh(r, "cp /opt/tool /usr/bin/made", nil)
	if _, err := r.Run(t.Context(), Spec{Argv: []string{"made"}, Env: map[string]string{"PATH": "/usr/bin"}}); err != nil {
		t.Error(err)
	}
}

func TestMissingBubblewrap(t *testing.T) {
	l := newLab(t, nil)
	f, err := New(Config{Store: l.store, WorkDir: filepath.Join(l.dir, "b"), TreesDir: filepath.Join(l.dir, "t"), Bwrap: "/nowhere/bwrap"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Stage(t.Context(), []cas.Digest{l.base}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Writable("/x", cas.Digest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.CaptureRoot(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = r.Run(t.Context(), Spec{Argv: []string{"/usr/bin/sh"}})
	var e *stream.Error
	if !errors.As(err, &e) || e.Domain != stream.DomainSandbox || e.Reason != ReasonUnavailable || !strings.Contains(e.Detail, "apt install bubblewrap") {
		t.Errorf("%#v", err)
	}
}

func TestStatus(t *testing.T) {
	l := newLab(t, nil)
	r := l.stage()
	for script, want := range map[string]int{"exit 0": 0, "exit 1": 1, "exit 77": 77, "exit 126": 126, "exit 255": 255, "kill -9 $$": 137, "kill -15 $$": 143} {
		if got, out := l.try(r, script, nil); got != want {
			t.Errorf("%q: status %d, not %d (%s)", script, got, want, out)
		}
	}
}

// Standard input is empty; the two outputs go where they are to go.
func TestOutput(t *testing.T) {
	l := newLab(t, nil)
	r := l.stage()
	var out, errs bytes.Buffer
	status, err := r.Run(t.Context(), Spec{
		Argv: []string{"sh", "-c", "cat; echo out; echo err >&2"}, Env: map[string]string{"PATH": "/usr/bin"},
		Stdout: &out, Stderr: &errs,
	})
	if err != nil || status != 0 || out.String() != "out\n" || errs.String() != "err\n" {
		t.Errorf("%d %v %q %q", status, err, out.String(), errs.String())
	}
	if got := l.sh(r, "for i in 1 2 3; do echo out; echo err >&2; done", nil); got != "out\nerr\nout\nerr\nout\nerr\n" {
		t.Errorf("one writer gets %q", got)
	}
	// A process that stays behind does not hold anything up, and does not live.
	start := time.Now()
	l.sh(r, "sleep 1000 & echo started", nil)
	if d := time.Since(start); d > 30*time.Second {
		t.Errorf("waited %v for a background process", d)
	}
	if left := sleepers(t, l); len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
}

// sleepers gives the processes whose root or command line lies in the lab.
func sleepers(t testing.TB, l *lab) (left []string) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if pid == os.Getpid() {
			continue
		}
		b, _ := os.ReadFile(path)
		c, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		if strings.Contains(string(b), l.dir) || strings.Contains(string(c), l.dir) {
			left = append(left, path+": "+strings.ReplaceAll(string(c), "\x00", " "))
		}
	}
	return left
}

func TestCancel(t *testing.T) {
	modes(t, func(t *testing.T, l *lab) {
		r := l.stage()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		seen := make(chan struct{}, 100)
		started := time.Now()
		_, err := r.Run(ctx, Spec{
			Argv:   []string{"sh", "-c", "trap '' TERM INT HUP; (sleep 1000 & sleep 1000) & echo ready; sleep 1000"},
			Env:    map[string]string{"PATH": "/usr/bin"},
			Stdout: writerFunc(func([]byte) { seen <- struct{}{}; cancel() }),
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if len(seen) == 0 {
			t.Error("the command did not start")
		}
		if d := time.Since(started); d > 30*time.Second {
			t.Errorf("it took %v", d)
		}
		if left := sleepers(t, l); len(left) > 0 {
			t.Errorf("processes are left: %v", left)
		}
		if n := l.mounts(); n > 0 {
			t.Errorf("%d mounts are left", n)
		}
		// The Root is still good.
		l.sh(r, "true", nil)
	})
}

type writerFunc func([]byte)

func (f writerFunc) Write(b []byte) (int, error) { f(b); return len(b), nil }

// Close ends a command that runs.
func TestCloseWhileRunning(t *testing.T) {
	l := newLab(t, nil)
	r := l.stage()
	ready := make(chan struct{}, 10)
	done := make(chan error, 1)
	go func() {
		_, err := r.Run(context.Background(), Spec{
			Argv: []string{"sh", "-c", "echo; sleep 1000"}, Env: map[string]string{"PATH": "/usr/bin"},
			Stdout: writerFunc(func([]byte) { ready <- struct{}{} }),
		})
		done <- err
	}()
	<-ready
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil {
		t.Error("Run says that the command ended well")
	}
	if left, _ := filepath.Glob(filepath.Join(l.dir, "build", workPrefix+"*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if left := sleepers(t, l); len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
	if _, err := r.Run(t.Context(), Spec{Argv: []string{"/usr/bin/sh"}}); err == nil {
		t.Error("a closed sandbox runs commands")
	}
}

func TestSuspend(t *testing.T) {
	l := newLab(t, nil)
	r := l.stage()
	ticks := make(chan struct{}, 100000)
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, err := r.Run(ctx, Spec{
			Argv: []string{"sh", "-c", "(while :; do sleep 0.01; echo; done) & wait"}, Env: map[string]string{"PATH": "/usr/bin"},
			Stdout: writerFunc(func([]byte) { ticks <- struct{}{} }),
		})
		done <- err
	}()
	<-ticks
	r.Suspend()
	// What was on its way may still come; then nothing.
	for quiet := false; !quiet; {
		select {
		case <-ticks:
		case <-time.After(300 * time.Millisecond):
			quiet = true
		}
	}
	// (D is the state of a process whose vforked child is stopped.)
	r.mu.Lock()
	for p := range r.running {
		for _, pid := range descendants(p.pid) {
			if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && !bytes.ContainsRune([]byte("TDZ"), rune(b[bytes.LastIndexByte(b, ')')+2])) {
				t.Errorf("not stopped: %s", b)
			}
		}
	}
	r.mu.Unlock()
	// A second command waits.
	l2 := l.stage()
	l.factory.Suspend()
	waited := make(chan string, 1)
	go func() { waited <- l.sh(l2, "echo ran", nil) }()
	select {
	case <-waited:
		t.Error("a command ran while suspended")
	case <-time.After(100 * time.Millisecond):
	}
	l.factory.Resume()
	if got := <-waited; got != "ran\n" {
		t.Errorf("after Resume: %q", got)
	}
	<-ticks // goes on
	r.Suspend()
	cancel() // ends what is stopped, too
	go func() {
		for range ticks {
		}
	}()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestBatch(t *testing.T) {
	l := newLab(t, nil)
	r := l.stage()
	run := func(commands ...BatchCommand) (failed, status int, out string, started []int) {
		t.Helper()
		var b bytes.Buffer
		failed, status, err := r.RunBatch(t.Context(), Spec{Env: map[string]string{"PATH": "/usr/bin"}, Stdout: &b, Stderr: &b}, commands, func(i int) { started = append(started, i) })
		if err != nil {
			t.Fatal(err)
		}
		return failed, status, b.String(), started
	}
	sh := func(s string) BatchCommand { return BatchCommand{Argv: []string{"sh", "-e", "-c", s}, Label: s} }

	failed, status, out, started := run(sh("echo one > /tmp/f"), sh("cat /tmp/f"), sh("it='s'; echo \"$it\"; ls /proc/self/fd"))
	if failed != -1 || status != 0 || !cmp.Equal(started, []int{0, 1, 2}) {
		t.Errorf("%d %d %v\n%s", failed, status, started, out)
	}
	want := "+ sh -e -c "
	if !strings.HasPrefix(out, want) {
		t.Errorf("the log starts with %q", out)
	}
	if strings.Contains(out, "4\n") {
		t.Errorf("a command has the batch's descriptor:\n%s", out)
	}

	failed, status, out, started = run(sh("true"), sh("echo it\\'s; false; echo not reached"), sh("echo not reached"))
	if failed != 1 || status != 1 || !cmp.Equal(started, []int{0, 1}) {
		t.Errorf("%d %d %v", failed, status, started)
	}
	if !strings.HasSuffix(out, "it's\nCommand 'echo it\\'s; false; echo not reached' failed with exitcode 1\n") {
		t.Errorf("the log: %s", out)
	}
	if failed, status, _, _ = run(sh("true"), sh("exit 42")); failed != 1 || status != 42 {
		t.Errorf("%d %d", failed, status)
	}
	if failed, status, _, _ = run(sh("true"), BatchCommand{Argv: []string{"nonesuch"}}); failed != 1 || status != 127 {
		t.Errorf("%d %d", failed, status)
	}
	if failed, status, _, _ = run(sh("true"), sh("kill -9 $PPID; sleep 100")); failed != 1 || status == 0 {
		t.Errorf("the shell was killed: %d %d", failed, status)
	}
	if failed, _, _, started = run(); failed != -1 || started != nil {
		t.Error("an empty batch did something")
	}

	// More than fits one start.
	long := sh(": " + strings.Repeat("x", 60<<10))
	failed, _, _, started = run(long, long, long, sh("false"))
	if failed != 3 || !cmp.Equal(started, []int{0, 1, 2, 3}) {
		t.Errorf("a long batch: %d %v", failed, started)
	}
}

func TestMounts(t *testing.T) {
	modes(t, func(t *testing.T, l *lab) {
		host := t.TempDir()
		if err := errors.Join(os.WriteFile(filepath.Join(host, "file"), []byte("from the host"), 0o644), os.Chmod(host, 0o755)); err != nil {
			t.Fatal(err)
		}
		r := l.stage(l.tree(map[string]string{"etc/resolv.conf": "-> ../run/resolv.conf", "etc/hosts": "staged"}))
		out := l.sh(r, "cat /mnt/host/file /etc/resolv.conf /etc/hosts /dev/extra; echo new > /mnt/host/new", func(s *Spec) {
			s.RootReadOnly = true
			file := filepath.Join(host, "file")
			s.Mounts = []Mount{{host, "/mnt/host"}, {file, "/etc/resolv.conf"}, {file, "/etc/hosts"}, {file, "/dev/extra"}}
		})
		if out != strings.Repeat("from the host", 4) {
			t.Errorf("inside: %q", out)
		}
		if b, err := os.ReadFile(filepath.Join(host, "new")); err != nil || string(b) != "new\n" {
			t.Errorf("on the host: %q %v", b, err)
		}
		// What was mounted is not part of the root.
		root, err := r.CaptureRoot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if b, err := root.ReadFile("/etc/hosts"); err != nil || string(b) != "staged" {
			t.Errorf("captured: %q %v", b, err)
		}
		_, err = r.Run(t.Context(), Spec{Argv: []string{"/usr/bin/sh"}, Mounts: []Mount{{filepath.Join(host, "nope"), "/x"}}})
		var e *stream.Error
		if !errors.As(err, &e) {
			t.Errorf("mounting what is not there: %v", err)
		}
	})
}
