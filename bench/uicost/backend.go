package uicost

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"bst/impl/stream"
)

// Scripts are named by the first target of the order, and their numbers are the
// targets that follow.
const (
	tasks  = "tasks"  // the number of tasks, as fast as they can be told
	lines  = "lines"  // the number of messages, each with its time, and the seed of the pauses
	status = "status" // as lines, of a queue's count, which is its time
)

// engineText begins the message that tells the engine's processor time.
const engineText = "engine-cpu-ns "

// textStamp begins the text that tells when its event was emitted, in
// nanoseconds since 1970.
const textStamp = "at-"

// countBase is added to the microseconds of countStamp, which are below it, so
// that no other number on the screen looks like one.
const countBase = 1_000_000_000

// countStamp is a count that tells when its event was emitted.
func countStamp(t time.Time) int { return countBase + int(t.UnixMicro()%countBase) }

// sinceCount is the time since a countStamp.
func sinceCount(now time.Time, count int) time.Duration {
	return time.Duration((now.UnixMicro()-int64(count)+countBase)%countBase) * time.Microsecond
}

// Backend says what an engine says of tasks that do nothing.
type Backend struct{}

// NewBackend makes one.
func NewBackend() stream.Backend { return Backend{} }

// Run implements stream.Backend.
func (Backend) Run(ctx context.Context, orders <-chan stream.Order, emit func(...stream.Event)) {
	first, open := <-orders
	build, ok := first.(*stream.Build)
	if !open || !ok || len(build.Targets) != 3 {
		emit(&stream.Finished{Error: &stream.Error{Domain: stream.DomainStream, Message: fmt.Sprintf("The order %T is for another backend", first)}})
		return
	}
	n, errN := strconv.Atoi(build.Targets[1])
	seed, errSeed := strconv.ParseUint(build.Targets[2], 10, 64)
	if errN != nil || errSeed != nil {
		emit(&stream.Finished{Error: &stream.Error{Domain: stream.DomainStream, Message: "The order has no numbers"}})
		return
	}
	now := time.Now()
	emit(&stream.Started{Time: now, PID: os.Getpid()}, &stream.State{State: stream.StateRunning},
		&stream.Heading{Project: "p", SessionElements: n, TotalElements: n}, &stream.PipelineShown{},
		&stream.Queue{Action: "Build", Complete: "Built"})
	switch build.Targets[0] {
	case tasks:
		flood(n, now, emit)
	case lines:
		pace(ctx, n, seed, func() {
			now := time.Now()
			emit(&stream.Message{Type: stream.TypeInfo, Time: now, Action: "Build", Text: textStamp + strconv.FormatInt(now.UnixNano(), 10)})
		})
	case status:
		// There is a status area while something runs, and it shows counts.
		emit(&stream.JobStarted{Job: 1, Action: "Build", Element: "element.bst", Time: now})
		pace(ctx, n, seed, func() {
			emit(&stream.Counts{Action: "Build", Processed: countStamp(time.Now())})
		})
	}
	emit(&stream.Finished{})
}

// perTask are the events of a task in flood.
const perTask = 5

func flood(n int, now time.Time, emit func(...stream.Event)) {
	// The thread's time is this goroutine's while it is locked to it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, known := threadCPU()
	key := stream.Key{Full: strings.Repeat("0123456789abcdef", 4), Strict: true}
	for i := range n {
		id, name := stream.JobID(i+1), "element-"+strconv.Itoa(i)+".bst"
		emit(&stream.JobStarted{Job: id, Action: "Build", Element: name, Key: key, Time: now, Log: name})
		emit(&stream.Message{Job: id, Type: stream.TypeStart, Action: "Build", Element: name, Key: key, Time: now, Text: "Caching artifact"})
		emit(&stream.Message{Job: id, Type: stream.TypeSuccess, Action: "Build", Element: name, Key: key, Time: now, Text: "Caching artifact"})
		emit(&stream.JobFinished{Job: id, Action: "Build", Element: name, Key: key, Time: now, Log: name})
		emit(&stream.Counts{Action: "Build", Processed: i + 1})
	}
	after, _ := threadCPU()
	if known {
		emit(&stream.Message{Type: stream.TypeWarning, Time: now, Text: engineText + strconv.FormatInt((after-before).Nanoseconds(), 10)})
	}
}

// most is the longest pause between two events of pace. A frame lasts 100 ms, so
// that some events come while one is due and some while none is.
const most = 250 * time.Millisecond

// pace calls f n times, after pauses that have nothing to do with the frames.
func pace(ctx context.Context, n int, seed uint64, f func()) {
	for range n {
		seed = seed*6364136223846793005 + 1442695040888963407
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(seed>>33) % most):
		}
		f()
	}
}
