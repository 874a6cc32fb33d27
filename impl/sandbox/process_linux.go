package sandbox

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"bst/impl/bug"
	"bst/impl/slack"

	"golang.org/x/sys/unix"
)

const (
	// killWait bounds the wait for a killed sandbox. The kernel needs
	// milliseconds; a process in uninterruptible I/O can need longer.
	killWait = 10 * time.Second
	// outputWait bounds the wait for the end of the output after the last
	// process has gone.
	outputWait = 2 * time.Second
	// maxReports bounds what is read from the status pipe.
	maxReports = 64 << 10
)

// outcome is what a status pipe told.
type outcome struct {
	err      string // a setup error of the helper
	mount    bool   // which came from mounting the overlay
	exited   bool   // the command ended, with exitCode
	exitCode int
}

// readReports reads the status pipe to its end, which comes when bubblewrap and
// the helper are gone. started, if not nil, is called with the pid, as
// bubblewrap sees it, of the sandbox's first process.
func readReports(r io.ReadCloser, started func(pid int)) outcome {
	defer r.Close()
	var o outcome
	lines := bufio.NewScanner(io.LimitReader(r, maxReports))
	lines.Buffer(nil, maxReports)
	for lines.Scan() {
		var line report
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			continue // bubblewrap may say more than is known here
		}
		switch {
		case line.Error != "":
			o.err, o.mount = line.Error, line.Mount
		case line.ExitCode != nil:
			o.exited, o.exitCode = true, *line.ExitCode
		case line.ChildPID > 0 && started != nil:
			started(line.ChildPID)
		}
	}
	return o
}

// process is a sandbox's process tree while it runs.
type process struct {
	// pid is that of the helper, then bubblewrap: normally the first process of a
	// pid namespace that holds the tree, so that the kernel ends all others with
	// it and before it.
	pid int

	mu    sync.Mutex // guards what follows
	ended bool       // pid may belong to somebody else
	// first is a handle on the first process of bubblewrap's pid namespace where
	// the tree is not whole, else -1. That process ends by itself after pid, and
	// all others with it; the handle is how to wait for that.
	first int
}

// kill ends the tree at once.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	// The errors are that a process has ended already.
	_ = unix.Kill(p.pid, unix.SIGKILL)
	if p.first >= 0 {
		_ = unix.PidfdSendSignal(p.first, unix.SIGKILL, nil, 0)
	}
}

// watch opens the handle on the namespace's first process.
func (p *process) watch(pid int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended || p.first >= 0 {
		return
	}
	if fd, err := unix.PidfdOpen(pid, 0); err == nil {
		p.first = fd
	}
}

// settle notes that pid has ended, and waits, for a bounded time, until the
// namespace is empty.
func (p *process) settle() {
	p.mu.Lock()
	p.ended = true
	fd := p.first
	p.first = -1
	p.mu.Unlock()
	if fd < 0 {
		return
	}
	defer unix.Close(fd)
	deadline := time.Now().Add(killWait)
	for left := killWait; left > 0; left = time.Until(deadline) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, int(left.Milliseconds())+1)
		if n > 0 || err != nil && err != unix.EINTR {
			return
		}
	}
}

const (
	// maxStopRounds bounds how often stop looks for processes that were born while
	// it stopped their parents, and for those that did not stop yet.
	maxStopRounds = 100
	stopPause     = time.Millisecond
)

// stop stops the tree, from the top down, and waits until all of it is: what does
// not yet know that it is stopped may bear others. The top itself goes on: it only
// waits.
func (p *process) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	told := map[int]bool{}
	for range maxStopRounds {
		all := true
		for _, d := range descendants(p.pid) {
			if !told[d.pid] {
				told[d.pid], all = true, false
				_ = unix.Kill(d.pid, unix.SIGSTOP) // gone meanwhile: fine
			} else if d.mayRun() {
				all = false
			}
		}
		if all {
			return
		}
		time.Sleep(stopPause)
	}
}

// cont lets the tree go on, from the bottom up.
func (p *process) cont() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	all := descendants(p.pid)
	for i := len(all) - 1; i >= 0; i-- {
		_ = unix.Kill(all[i].pid, unix.SIGCONT)
	}
}

// descendant is a process below another, and its state's letter in /proc.
type descendant struct {
	pid   int
	state byte
}

// mayRun says whether it may still do something although it was told to stop. One
// that cannot be interrupted (D) waits, for a child that is stopped if not for a
// disk, and then stops.
func (d descendant) mayRun() bool { return !strings.ContainsRune("TtZXD", rune(d.state)) }

// descendants gives the processes below pid, parents before children, from one
// look at /proc.
func descendants(pid int) []descendant {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil
	}
	children := map[int][]descendant{}
	for _, name := range names {
		child, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if parent, state, ok := parentOf(child); ok {
			children[parent] = append(children[parent], descendant{child, state})
		}
	}
	all := append([]descendant(nil), children[pid]...)
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i].pid]...)
		if len(all) > len(names) {
			break // a loop, made by pids that were reused between the reads
		}
	}
	return all
}

// parentOf reads a process's parent and state: the fields after its name, which is
// in parentheses and may hold anything.
func parentOf(pid int) (parent int, state byte, ok bool) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, 0, false
	}
	s := string(b)
	fields := strings.Fields(s[strings.LastIndexByte(s, ')')+1:])
	if len(fields) < 2 {
		return 0, 0, false
	}
	parent, err = strconv.Atoi(fields[1])
	return parent, fields[0][0], err == nil
}

// execution is one start of a helper.
type execution struct {
	verb           string
	path           string
	namespaces     bool
	stdout, stderr io.Writer
	// extra is passed as inner.BatchFD.
	extra *os.File
	// running is called with the process once it exists.
	running func(*process)
}

// execute starts the helper, waits for it, and kills it when ctx ends. When it
// returns, no process of the sandbox lives, unless err says otherwise.
func (e *execution) execute(ctx context.Context) (outcome, *os.ProcessState, error) {
	// The parent-death signal comes when the thread that started the child ends,
	// so that thread must be kept until the child is gone: a goroutine locked to
	// it waits for the child.
	type result struct {
		outcome outcome
		state   *os.ProcessState
		err     error
	}
	r := bug.Go(func() result {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		var r result
		r.outcome, r.state, r.err = e.onThread(ctx)
		return r
	})()
	return r.outcome, r.state, r.err
}

func (e *execution) onThread(ctx context.Context) (outcome, *os.ProcessState, error) {
	if err := ctx.Err(); err != nil {
		return outcome{}, nil, err
	}
	status, writer, err := os.Pipe()
	if err != nil {
		return outcome{}, nil, err
	}
	cmd := innerCommand(e.verb, e.path, e.namespaces)
	// A session of its own: no terminal, and no signal meant for bst's group.
	cmd.SysProcAttr.Setsid = true
	cmd.Stdout, cmd.Stderr = e.stdout, e.stderr
	cmd.WaitDelay = outputWait
	cmd.ExtraFiles = []*os.File{writer}
	if e.extra != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, e.extra)
	}
	if err := slack.OfOthers(cmd.Start); err != nil {
		status.Close()
		writer.Close()
		return outcome{}, nil, startError(err)
	}
	writer.Close()
	p := &process{pid: cmd.Process.Pid, first: -1}
	if e.running != nil {
		e.running(p)
	}
	stop := context.AfterFunc(ctx, p.kill)
	defer stop()

	var started func(int)
	if !e.namespaces {
		started = p.watch
	}
	reports := bug.Go(func() outcome { return readReports(status, started) })

	waited := make(chan error, 1)
	bug.Start(func() { waited <- e.wait(cmd, p) }, func(b *bug.Error) { waited <- b })
	select {
	case err = <-waited:
	case <-ctx.Done():
		p.kill()
		select {
		case err = <-waited:
		case <-time.After(killWait):
			return outcome{}, nil, errors.New("the sandbox's processes (first: " + itoa(p.pid) + ") do not end after SIGKILL")
		}
	}
	result := reports()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = nil // the state says it
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return result, cmd.ProcessState, err
}

// wait waits for the tree's end, marks it, and drains the output.
func (e *execution) wait(cmd *exec.Cmd, p *process) error {
	// First only look: the pid stays ours until Wait reaps it, so nothing that
	// kill or stop does can hit another process.
	for {
		err := unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			break
		}
	}
	p.settle()
	return cmd.Wait()
}
