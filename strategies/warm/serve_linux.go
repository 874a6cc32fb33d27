package warm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"bst/impl/stream"
	"bst/impl/wire"
)

// readyWord is what a started backend says on its standard output when its socket
// is there.
const readyWord = "ready\n"

// look is how often a backend looks whether it is still wanted.
const look = 2 * time.Second

// Serve is what the started process does: it serves sessions at the place that
// its arguments name until it has been idle for as long as they say, its
// executable or its socket has been replaced, or ctx ends.
func Serve(ctx context.Context, s stream.Served) error {
	if len(s.Args) != 3 {
		return fmt.Errorf("a backend of strategy %s is started with 3 arguments, not %d", Name, len(s.Args))
	}
	idle, err := time.ParseDuration(s.Args[2])
	if err != nil {
		return err
	}
	p := place{s.Args[0], s.Args[1]}
	l, err := p.listen() // whoever started this process holds the lock
	if err != nil {
		return err
	}
	d := &daemon{place: p, listener: l, idle: idle, look: look}
	d.hub = newHub(sessionPrefix(p.name), s.Keep())
	d.hub.crashed = d.crashed
	if d.path, err = os.Executable(); err != nil {
		return errors.Join(err, l.Close())
	}
	if d.self, err = fileID("/proc/self/exe"); err != nil {
		return errors.Join(err, l.Close())
	}
	if d.socket, err = fileID(p.file(".sock")); err != nil {
		return errors.Join(err, l.Close())
	}
	_, err = s.Out.Write([]byte(readyWord))
	if err == nil {
		err = letGo()
	}
	if err != nil {
		return errors.Join(err, l.Close())
	}
	return d.serve(ctx)
}

// letGo lets standard output go where standard error does: whoever started this
// process waits for its end.
func letGo() error {
	if err := unix.Dup3(2, 1, 0); err != nil {
		return err
	}
	// Nor is anything else held that it did not mean to give. What Go opens is
	// closed on exec, so what is not came from before.
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil || fd < 3 {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			if err := unix.Close(fd); err != nil {
				return os.NewSyscallError("close", err)
			}
		}
	}
	return nil
}

// daemon is a backend that stays.
type daemon struct {
	place    place
	listener *net.UnixListener
	hub      *hub
	idle     time.Duration
	look     time.Duration
	// path is the executable's, self and socket say which files this process
	// runs and listens at.
	path, self, socket string

	mu sync.Mutex // guards what follows
	// open counts connections; last is when there was one.
	open int
	last time.Time
	// broken says that a session panicked: what sessions share may be half done.
	broken error
	// gone says that no more sessions are served.
	gone bool
}

func (d *daemon) serve(ctx context.Context) error {
	d.last = time.Now()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		d.leave(force)
		d.hub.end()
	})
	defer stop()
	go d.watch(ctx)
	var sessions sync.WaitGroup
	for {
		conn, err := d.listener.AcceptUnix()
		if err != nil {
			d.mu.Lock()
			gone := d.gone
			d.mu.Unlock()
			if !gone {
				fmt.Fprintln(os.Stderr, "bst backend: cannot accept:", err)
				time.Sleep(100 * time.Millisecond) // too many open files, perhaps
				continue
			}
			break
		}
		if err := checkPeer(conn); err != nil {
			fmt.Fprintln(os.Stderr, "bst backend: refused:", errors.Join(err, conn.Close()))
			continue
		}
		d.count(1)
		sessions.Go(func() {
			defer d.count(-1)
			d.session(ctx, conn)
		})
	}
	sessions.Wait()
	err := d.hub.wait(ctx.Done())
	d.mu.Lock()
	defer d.mu.Unlock()
	return errors.Join(d.broken, err)
}

// crashed takes in that a session's backend panicked. It is said before the
// frontend learns that the session is over, and shows the log's end.
func (d *daemon) crashed(value any, stack []byte) {
	fmt.Fprintf(os.Stderr, "panic: %v\n\n%s\n", value, stack)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broken = fmt.Errorf("a session panicked: %v", value)
}

func (d *daemon) count(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open += n
	d.last = time.Now()
}

// session serves one connection.
func (d *daemon) session(ctx context.Context, conn *net.UnixConn) {
	err := wire.Serve(ctx, conn, conn, d.hub.backend())
	d.mu.Lock()
	broken := d.broken
	d.mu.Unlock()
	if broken != nil {
		d.leave(wait)
	} else if err != nil {
		fmt.Fprintln(os.Stderr, "bst backend:", err)
	}
	// This is how the frontend learns that the session is over.
	_ = conn.Close()
}

// watch ends the backend when it is not wanted any more.
func (d *daemon) watch(ctx context.Context) {
	ticker := time.NewTicker(min(d.look, d.idle))
	defer ticker.Stop()
	tidy := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		d.mu.Lock()
		busy, quiet := d.open > 0, time.Since(d.last)
		d.mu.Unlock()
		busy = busy || d.hub.busy()
		if self, err := fileID(d.path); err != nil || self != d.self {
			// A newer bst is there; sessions that run may end.
			if d.leave(try) {
				return
			}
			continue
		}
		if socket, err := fileID(d.place.file(".sock")); err != nil || socket != d.socket {
			if d.leave(try) {
				return
			}
			continue
		}
		switch {
		case busy:
			tidy = true
		case quiet >= d.idle:
			if d.leave(try) {
				return
			}
		case tidy:
			tidy = false
			debug.FreeOSMemory() // what loading needed is not needed now
		}
	}
}

// How leave treats somebody else who holds the place's lock, and may be about to
// connect.
type patience uint8

const (
	try   patience = iota // give up
	wait                  // until it is free
	force                 // go ahead
)

// leave stops serving new sessions: it takes the socket away and stops listening.
// It tells whether it did.
func (d *daemon) leave(how patience) bool {
	unlock, err := d.place.lock(how == wait)
	switch {
	case err == nil:
		defer unlock()
	case how != force && errors.Is(err, unix.EWOULDBLOCK):
		return false
	default: // there is no lock any more, nor anybody who could hold it
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gone {
		return true
	}
	d.gone = true
	if socket, err := fileID(d.place.file(".sock")); err == nil && socket == d.socket {
		if err := os.Remove(d.place.file(".sock")); err != nil {
			fmt.Fprintln(os.Stderr, "bst backend:", err)
		}
	}
	if err := d.listener.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "bst backend:", err)
	}
	return true
}
