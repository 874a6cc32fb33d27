package measure

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	// look is how often /proc is looked at. One look takes some 100 µs, which
	// is half a percent of a processor.
	look = 20 * time.Millisecond
	// Before first has passed it is looked more often, so that what ends soon is
	// seen at all.
	first     = 40 * time.Millisecond
	firstLook = 4 * time.Millisecond
	// search is for how long a backend is looked for, which takes longer: a
	// backend is the first thing that a frontend starts.
	search = 2 * time.Second
)

// tick is the unit of times in /proc/PID/stat: USER_HZ is 100 on every
// architecture that Go runs on.
const tick = time.Second / 100

// watcher reads a process and its backend from /proc until it is stopped.
type watcher struct {
	pid     int
	backend int // its process id, 0 while there is none
	each    func(frontend, backend int)
	quit    chan struct{}
	done    chan struct{}
	// Both belong to the watching goroutine until done is closed.
	front, back Process
}

func watchProcess(pid int, each func(frontend, backend int)) *watcher {
	w := &watcher{pid: pid, each: each, quit: make(chan struct{}), done: make(chan struct{})}
	begin := time.Now()
	w.look(true) // at once: on a busy machine a goroutine may come when all is over
	go func() {
		defer close(w.done)
		ticker := time.NewTicker(firstLook)
		defer ticker.Stop()
		often := true
		for {
			select {
			case <-w.quit:
				return
			case <-ticker.C:
				since := time.Since(begin)
				w.look(since < search)
				if often && since > first {
					often = false
					ticker.Reset(look)
				}
			}
		}
	}()
	return w
}

func (w *watcher) stop() (frontend, backend Process) {
	close(w.quit)
	<-w.done
	return w.front, w.back
}

func (w *watcher) look(search bool) {
	w.front.update(w.pid)
	if w.backend == 0 && search {
		w.backend = findBackend(w.pid)
	}
	if w.backend != 0 {
		w.back.update(w.backend)
	}
	if w.each != nil {
		w.each(w.pid, w.backend)
	}
}

// update takes over what is larger: a process that has ended reads as nothing.
func (p *Process) update(pid int) {
	id := strconv.Itoa(pid)
	p.PeakRSS = max(p.PeakRSS, peakRSS(id))
	p.CPU = max(p.CPU, cpuTime(id))
}

// findBackend is the child of pid that runs the same program with other
// arguments: a child that has only been forked, to become something else, still
// has its parent's. It is 0 where there is none.
func findBackend(pid int) int {
	own := processDir(strconv.Itoa(pid))
	program, err := os.Readlink(filepath.Join(own, "exe"))
	if err != nil {
		return 0
	}
	arguments, err := os.ReadFile(filepath.Join(own, "cmdline"))
	if err != nil || len(arguments) == 0 {
		return 0
	}
	// The file exists for each thread; a thread's children are those it forked.
	lists, err := filepath.Glob(filepath.Join(own, "task", "*", "children"))
	if err != nil {
		return 0
	}
	for _, list := range lists {
		children, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended
		}
		for child := range strings.FieldsSeq(string(children)) {
			dir := processDir(child)
			if exe, err := os.Readlink(filepath.Join(dir, "exe")); err != nil || exe != program {
				continue
			}
			other, err := os.ReadFile(filepath.Join(dir, "cmdline"))
			if err != nil || len(other) == 0 || bytes.Equal(other, arguments) {
				continue
			}
			if id, err := strconv.Atoi(child); err == nil {
				return id
			}
		}
	}
	return 0
}

// peakRSS is VmHWM in bytes, 0 where it cannot be read.
func peakRSS(id string) int64 {
	status, err := os.ReadFile(filepath.Join(processDir(id), "status"))
	if err != nil {
		return 0
	}
	return parsePeak(string(status))
}

func parsePeak(status string) int64 {
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			if err != nil {
				return 0
			}
			return kib << 10
		}
	}
	return 0
}

// cpuTime is what the process itself has used, 0 where it cannot be read.
func cpuTime(id string) time.Duration {
	stat, err := os.ReadFile(filepath.Join(processDir(id), "stat"))
	if err != nil {
		return 0
	}
	return parseCPU(string(stat))
}

func parseCPU(stat string) time.Duration {
	// The second field is the program's name in parentheses and may hold
	// anything, parentheses and spaces too.
	_, rest, ok := lastCut(stat, ") ")
	if !ok {
		return 0
	}
	fields := strings.Fields(rest) // from field 3 on; utime and stime are 14 and 15
	if len(fields) < 13 {
		return 0
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		return 0
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(user+system) * tick
}

func lastCut(s, separator string) (before, after string, found bool) {
	i := strings.LastIndex(s, separator)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(separator):], true
}

func processDir(id string) string { return filepath.Join("/proc", id) }
