package warm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bst/impl/stream"
)

// What is common to all strategies is tested in package strategies. Here is what
// only a backend that stays can do wrong.

const asBackend, asStranger = "__backend", "__stranger"

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == asStranger {
		os.Exit(stranger(os.Args[2]))
	}
	if len(os.Args) > 2 && os.Args[1] == asBackend {
		err := Serve(context.Background(), stream.Served{In: os.Stdin, Out: os.Stdout, Args: os.Args[2:],
			Keep: func() func() stream.Backend { return func() stream.Backend { return player(process) } }})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// process says which process it is, and then waits.
func process(_ context.Context, orders <-chan stream.Order, emit func(...stream.Event)) {
	emit(&stream.Message{Text: fmt.Sprint(os.Getpid()), Detail: os.Getenv("PATH")})
	for range orders {
		emit(&stream.Message{Text: "obeyed"})
	}
}

// stranger connects and tells whether it was answered.
func stranger(path string) int {
	conn, err := net.Dial("unix", path)
	if err != nil {
		fmt.Println("no connection:", err)
		return 1
	}
	b, err := io.ReadAll(conn)
	fmt.Printf("%q %v\n", b, err)
	return 0
}

// hostIn is a host whose backends live below a folder, and end soon.
func hostIn(t *testing.T, dir string, env ...string) stream.Host {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return stream.Host{Strategy: Name, Project: dir, Executable: self, Args: []string{asBackend},
		Environ: append([]string{"XDG_RUNTIME_DIR=" + dir, "PATH=/bin", IdleVariable + "=400ms"}, env...)}
}

// ask opens a session and tells which process answers; the session is closed.
func ask(t testing.TB, host stream.Host) string {
	t.Helper()
	s, pid := talk(t, host)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	return pid
}

func talk(t testing.TB, host stream.Host) (stream.Stream, string) {
	t.Helper()
	s, err := Open(t.Context(), host)
	if err != nil {
		var e *stream.Error
		errors.As(err, &e)
		t.Fatalf("Open: %v: %s", err, e.Detail)
	}
	if err := s.Send(t.Context(), &stream.Show{}); err != nil {
		t.Fatal(err)
	}
	for {
		events, err := s.Recv(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, ev := range events {
			if m, ok := ev.(*stream.Message); ok {
				return s, m.Text
			}
		}
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("in vain: " + what)
		}
	}
}

func TestOneBackendForManyFrontends(t *testing.T) {
	host := hostIn(t, t.TempDir(), IdleVariable+"=3s")
	pids := make([]string, 8)
	var wg sync.WaitGroup
	for i := range pids {
		wg.Go(func() { pids[i] = ask(t, host) })
	}
	wg.Wait()
	if slices.Sort(pids); pids[0] != pids[len(pids)-1] {
		t.Errorf("several backends answered: %v", pids)
	}
	// It ends by itself, and leaves no socket.
	eventually(t, "the idle backend's end", func() bool {
		found, _ := filepath.Glob(filepath.Join(host.Project, "bst", "*.sock"))
		return len(found) == 0
	})
	if pid := ask(t, host); pid == pids[0] {
		t.Error("it still answers")
	}
}

func TestWhatMattersLeadsToAnother(t *testing.T) {
	dir := t.TempDir()
	first := ask(t, hostIn(t, dir, "TERM=xterm", "EXTRA=1"))
	if pid := ask(t, hostIn(t, dir, "TERM=vt100", "EXTRA=1", "COLUMNS=80")); pid != first {
		t.Error("another terminal leads to another backend")
	}
	for name, change := range map[string]func(*stream.Host){
		"PATH":       func(h *stream.Host) { h.Environ = append(h.Environ, "PATH=/usr/bin") },
		"a variable": func(h *stream.Host) { h.Environ = append(h.Environ, "EXTRA=2") },
		"project":    func(h *stream.Host) { h.Project = t.TempDir() },
	} {
		h := hostIn(t, dir, "TERM=xterm", "EXTRA=1")
		change(&h)
		if ask(t, h) == first {
			t.Errorf("another %s leads to the same backend", name)
		}
	}
	umask := unix.Umask(0o27)
	pid := ask(t, hostIn(t, dir, "TERM=xterm", "EXTRA=1"))
	unix.Umask(umask)
	if pid == first {
		t.Error("another umask leads to the same backend")
	}
}

func TestLongPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 40))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	host := hostIn(t, dir)
	if first := ask(t, host); ask(t, host) != first {
		t.Error("it was not found again")
	}
}

func TestFolderIsPrivate(t *testing.T) {
	for name, make := range map[string]func(bst string) error{
		"chmod 700": func(bst string) error { return errors.Join(os.Mkdir(bst, 0o755), os.Chmod(bst, 0o755)) },
		"no folder": func(bst string) error { return os.Symlink(os.TempDir(), bst) },
		"belongs":   func(bst string) error { return errors.Join(os.Mkdir(bst, 0o700), os.Chown(bst, 4711, -1)) },
	} {
		dir := t.TempDir()
		if err := make(filepath.Join(dir, "bst")); errors.Is(err, os.ErrPermission) {
			continue // only root can give a folder away
		} else if err != nil {
			t.Fatal(err)
		}
		_, err := Open(t.Context(), hostIn(t, dir))
		var e *stream.Error
		if !errors.As(err, &e) || !strings.Contains(e.Detail, name) {
			t.Errorf("%s: Open returned %#v", name, err)
		}
	}
}

// What is at the place and is not the right backend is not spoken to, and another
// takes its place.
func TestWhatMakesNoSenseIsReplaced(t *testing.T) {
	for name, answer := range map[string]string{
		"nothing":       "",
		"another build": "\x00\x00\x00\x20bst-wire 1 0123456789abcdef\nold.\n",
		"garbage":       "HTTP/1.1 400 Bad Request\r\n\r\n",
	} {
		host := hostIn(t, t.TempDir())
		p, err := find(host)
		if err != nil {
			t.Fatal(err)
		}
		l, err := p.listen()
		if err != nil {
			t.Fatal(err)
		}
		var heard int
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = io.WriteString(conn, answer)
				_ = conn.(*net.UnixConn).CloseWrite()
				b, _ := io.ReadAll(conn)
				heard += len(b)
				_ = conn.Close()
			}
		}()
		if pid := ask(t, host); pid == fmt.Sprint(os.Getpid()) {
			t.Errorf("%s: it was spoken to", name)
		}
		_ = l.Close()
		if <-done; heard > 0 {
			t.Errorf("%s: %d bytes were said to it", name, heard)
		}
	}
	// A socket that nobody listens at.
	host := hostIn(t, t.TempDir())
	p, err := find(host)
	if err != nil {
		t.Fatal(err)
	}
	l, err := p.listen()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	ask(t, host)
}

// A backend whose executable is replaced serves who is there, and nobody else.
func TestReplacedExecutable(t *testing.T) {
	dir := t.TempDir()
	host := hostIn(t, dir)
	text, err := os.ReadFile(host.Executable)
	if err != nil {
		t.Fatal(err)
	}
	host.Executable = filepath.Join(dir, "bst-copy")
	replace := func() {
		t.Helper()
		if err := os.WriteFile(host.Executable+".new", text, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(host.Executable+".new", host.Executable); err != nil {
			t.Fatal(err)
		}
	}
	replace()
	s, old := talk(t, host)
	sockets := func() int {
		found, _ := filepath.Glob(filepath.Join(dir, "bst", "*.sock"))
		return len(found)
	}
	if sockets() != 1 {
		t.Fatalf("%d sockets", sockets())
	}
	replace()
	if pid := ask(t, host); pid == old {
		t.Error("the old one answered")
	}
	eventually(t, "the old one's and the new one's sockets to go", func() bool { return sockets() == 0 })
	if err := s.Send(t.Context(), &stream.Hold{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Recv(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// Whoever is not the user is turned away, even where the folder lets him in.
func TestStrangersAreRefused(t *testing.T) {
	if err := sameUser(uint32(os.Getuid())); err != nil {
		t.Error(err)
	}
	if err := sameUser(uint32(os.Getuid()) + 1); err == nil {
		t.Error("another user is taken for this one")
	}
	if os.Getuid() != 0 {
		t.Skip("only root can be somebody else for a moment")
	}
	dir, err := os.MkdirTemp("", "bst-strangers-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(self)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "stranger"), text, 0o755)
	}
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	p := place{dir, "a-b"}
	l, err := p.listen()
	if err == nil {
		err = os.Chmod(p.file(".sock"), 0o777)
	}
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{place: p, listener: l, hub: newHub("", func() stream.Backend { return player(process) }), idle: time.Hour, look: time.Hour}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- d.serve(ctx) }()
	run := func(uid uint32) string {
		t.Helper()
		ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
		defer stop()
		cmd := exec.CommandContext(ctx, filepath.Join(dir, "stranger"), asStranger, p.file(".sock"))
		cmd.Dir = "/"
		cmd.Env = []string{"GOCOVERDIR=" + dir}
		cmd.SysProcAttr = &unix.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		out, err := cmd.CombinedOutput()
		if err != nil && uid != 0 {
			t.Logf("%s: %v", out, err)
		}
		return strings.TrimSpace(string(out))
	}
	if got := run(65534); got != `"" <nil>` && !strings.Contains(got, "reset") {
		t.Errorf("a stranger was answered: %s", got)
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestIdleTimeIsChecked(t *testing.T) {
	for _, text := range []string{"soon", "-1s", "1000h"} {
		host := hostIn(t, t.TempDir(), IdleVariable+"="+text)
		_, err := Open(t.Context(), host)
		var e *stream.Error
		if !errors.As(err, &e) || !strings.Contains(e.Detail, text) {
			t.Errorf("%s: Open returned %v", text, err)
		}
	}
}
