package crash

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"bst/impl/cas"
	"bst/impl/remote/remotetest"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// wire is a server of whose calls one, when it is time, ends what calls.
type wire struct {
	*remotetest.Server

	mu      sync.Mutex // guards what follows
	moved   []cas.Digest
	counted int
	last    time.Time
	at      int    // the call that ends what calls; 0 for none
	end     func() // obeyed once
	ended   bool   // it was: nothing more is answered until the next arm
}

// newWire starts a server that moves a few objects a call.
func newWire(t testing.TB) *wire {
	t.Helper()
	w := &wire{}
	var err error
	w.Server, err = remotetest.Start(remotetest.Options{
		MaxBatch: 4 << 10,
		Read: func(d cas.Digest, data []byte) []byte {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.moved = append(w.moved, d)
			return data
		},
		Call: func(ctx context.Context, method string, _ int) error {
			w.mu.Lock()
			w.last = time.Now()
			var end func()
			ended := w.ended
			if method == "BatchReadBlobs" || method == "BatchUpdateBlobs" {
				if w.counted++; w.counted == w.at {
					end, ended, w.ended = w.end, true, true
				}
			}
			w.mu.Unlock()
			if end != nil {
				end()
			}
			if ended {
				// What was killed must not end its work first: its backend may live a
				// moment longer.
				select {
				case <-ctx.Done():
				case <-time.After(grace):
				}
				return status.Error(codes.Unavailable, "what called was killed")
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	return w
}

// arm has the nth call from now that moves objects obey end; it gives what was moved
// before, and how many calls that took.
func (w *wire) arm(n int, end func()) (moved []cas.Digest, calls int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	moved, calls = w.moved, w.counted
	w.moved, w.counted, w.at, w.end, w.ended = nil, 0, n, end, false
	return moved, calls
}

// quiet waits until nobody has called for a while: a backend that stays may take a
// moment to learn that its frontend is gone.
func (w *wire) quiet() {
	for {
		w.mu.Lock()
		since := time.Since(w.last)
		w.mu.Unlock()
		if since > 200*time.Millisecond {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// killBackend kills the backend of a session, or the session where it has none.
func killBackend(cmd *exec.Cmd) {
	for _, p := range processes(os.Getpid()) {
		if isBackend(p) && p.state != 'Z' {
			_ = unix.Kill(p.pid, unix.SIGKILL) // it may end just now
			return
		}
	}
	_ = cmd.Process.Kill()
}

// What was pulled or pushed when either end of a session was killed is whole, and
// the next one moves the rest and nothing twice.
func TestSharingKilled(t *testing.T) {
	elements := map[string]string{}
	all := "kind: stack\ndepends:\n"
	const wide = 12
	for i := range wide {
		name := fmt.Sprintf("i%d.bst", i)
		elements[name] = fmt.Sprintf("kind: import\nsources:\n- kind: local\n  path: files%d\nconfig:\n  target: /%d\n", i, i)
		all += "- " + name + "\n"
	}
	elements["all.bst"] = all
	for _, strategy := range standing() {
		t.Run(strategy.Name, func(t *testing.T) {
			s := newStack(t, strategy.Name, elements)
			for i := range wide {
				for k := range 20 {
					s.write(fmt.Sprintf("project/files%d/d%d/f%d", i, k%3, k), strings.Repeat(fmt.Sprintf("%d %d\n", i, k), 100))
				}
			}
			s.run("build", "all.bst")
			w := newWire(t)
			session := func(what string, n int, kill func(*exec.Cmd)) (code int) {
				cmd := s.command("artifact", what, "--deps", "all", "--artifact-remote", w.URL, "all.bst")
				started := make(chan struct{})
				w.arm(n, func() {
					<-started
					kill(cmd)
				})
				var out strings.Builder
				cmd.Stdout, cmd.Stderr = &out, &out
				s.must(cmd.Start())
				close(started)
				err := cmd.Wait()
				orphansEnd(t, grace)
				w.quiet()
				var exit *exec.ExitError
				if err != nil && !errors.As(err, &exit) {
					t.Fatal(err)
				}
				code = cmd.ProcessState.ExitCode()
				if n == 0 && code != 0 || code == 255 && !strings.Contains(out.String(), "went away") {
					t.Errorf("bst artifact %s: status %d\n%s", what, code, &out)
				}
				return code
			}
			frontend := func(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
			kills := []func(*exec.Cmd){frontend, killBackend}

			// Pushed, with kills on the way; what a name stands for is whole.
			for _, kill := range kills {
				if session("push", 1, kill) == 0 {
					t.Error("a push was not killed")
				}
			}
			session("push", 0, nil)
			if _, calls := w.arm(0, nil); calls == 0 {
				t.Error("nothing was left to push")
			}
			session("push", 0, nil)
			if _, calls := w.arm(0, nil); calls != 0 {
				t.Errorf("%d calls pushed again what was there", calls)
			}

			for i, n := range []int{3, 12} {
				s.close()
				if err := os.RemoveAll(s.cache()); err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Fatal(err)
				}
				if session("pull", n, kills[i%2]) == 0 {
					t.Errorf("pull %d was not killed", n)
				}
				s.sound()
				have := map[cas.Digest]bool{}
				store, err := cas.Open(s.cache("cas"))
				s.must(err)
				s.must(store.Objects(func(d cas.Digest) error {
					have[d] = true
					return nil
				}))
				s.must(store.Close())
				if n > 3 && len(have) == 0 {
					t.Errorf("nothing had come when call %d was killed", n)
				}
				session("pull", 0, nil)
				moved, _ := w.arm(0, nil)
				for _, d := range moved {
					if have[d] {
						t.Errorf("%s came twice", d)
					}
				}
				if len(moved) == 0 {
					t.Errorf("after call %d nothing was left to pull", n)
				}
				s.sound()
				for name, state := range s.states() {
					if state != "cached" {
						t.Errorf("%s is %s after the second pull", name, state)
					}
				}
			}
		})
	}
}
