// Package measure runs one command and says what it took: time, processor,
// memory, and what it wrote to its terminal.
//
// It knows processes. It does not know what the command is for, how often it is
// run or whether its figures are good.
//
// Where a figure comes from:
//   - Wall is from before the start of the process to its end as seen by wait.
//   - User, System and MaxRSS are what wait4 tells of the process and every
//     descendant that was waited for. MaxRSS is the largest single process's,
//     not a sum; Linux starts it at what the harness itself had at most, so that
//     HarnessRSS is given beside it. Windows tells the times of the process
//     alone, and no peak of one that has ended: MaxRSS is 0 there.
//   - Frontend and Backend are read from /proc every few milliseconds while they
//     live: the process itself, and the child of it that runs the same program
//     with other arguments. The kernel keeps a process's peak memory (VmHWM) and
//     its time (in ticks of 10 ms), so that what is missed is what changed after
//     the last look.
package measure

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"bst/bench/terminal"
)

// killAfter is how long a process has to end after SIGTERM.
const killAfter = 10 * time.Second

// Command is what to run.
type Command struct {
	Path string
	Args []string
	// Env is the whole environment.
	Env []string
	Dir string
	// Terminal is where it writes.
	Terminal terminal.Terminal
	// Timeout bounds it; 0 is no bound.
	Timeout time.Duration
	// Status is the exit status that it ends with when all is well.
	Status int
	// Look, if set, is called each time that the processes are looked at, with
	// their ids; backend is 0 where none is known. The last call may be about
	// processes that have ended.
	Look func(frontend, backend int)
	// Arrived, if set, hears how many bytes came from the terminal, as they come.
	Arrived func(n int)
}

// Result is what one run took.
type Result struct {
	// Begin is when it was started.
	Begin time.Time
	Wall  time.Duration
	// User and System are the process's and its waited-for descendants'.
	User, System time.Duration
	// MaxRSS in bytes: the largest process's.
	MaxRSS int64
	// HarnessRSS in bytes: below it MaxRSS says nothing.
	HarnessRSS int64
	// Frontend is the process itself; Backend the one that it started anew, zero
	// where there is none or /proc is not there.
	Frontend, Backend Process
	Output            terminal.Output
}

// Process is one process's share.
type Process struct {
	CPU     time.Duration
	PeakRSS int64 // bytes
}

// TimeIsUp is what a FailedError says of a command that took too long.
const TimeIsUp = "ended after its time was up"

// FailedError says how a command failed.
type FailedError struct {
	// Command is what was run.
	Command string
	// Err is the status, or why it could not be run.
	Err error
	// TimedOut says that it was ended because its time was up.
	TimedOut bool
	// Tail is the end of what it wrote.
	Tail string
}

func (e *FailedError) Error() string {
	if e.TimedOut {
		return e.Command + ": " + TimeIsUp + ": " + e.Err.Error()
	}
	return e.Command + ": " + e.Err.Error()
}

func (e *FailedError) Unwrap() error { return e.Err }

// Run runs the command. A command that does not end with its status gives a
// *FailedError and no figures.
func Run(ctx context.Context, c Command) (Result, error) {
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Timeout)
		defer cancel()
	}
	cmd := exec.CommandContext(ctx, c.Path, c.Args...)
	cmd.Env, cmd.Dir, cmd.WaitDelay = c.Env, c.Dir, killAfter
	cmd.Cancel = func() error { return terminate(cmd.Process) }
	failed := func(err error, output terminal.Output) error {
		return &FailedError{
			Command:  strings.Join(append([]string{c.Path}, c.Args...), " "),
			Err:      err,
			TimedOut: errors.Is(ctx.Err(), context.DeadlineExceeded),
			Tail:     string(output.Tail),
		}
	}

	attached, err := c.Terminal.Attach(cmd)
	if err != nil {
		return Result{}, err
	}
	attached.Arrived = c.Arrived
	own := peakRSS("self")
	begin := time.Now()
	err = cmd.Start()
	attached.Drain()
	if err != nil {
		output, endErr := attached.Finish()
		return Result{}, failed(errors.Join(err, endErr), output)
	}
	watch := watchProcess(cmd.Process.Pid, c.Look)
	err = cmd.Wait()
	wall := time.Since(begin)
	frontend, backend := watch.stop()
	output, endErr := attached.Finish()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && c.Status != 0 && exit.ExitCode() == c.Status {
		err = nil
	} else if err == nil && c.Status != 0 {
		err = fmt.Errorf("exit status 0, not %d as it should be", c.Status)
	}
	if err != nil {
		return Result{}, failed(err, output)
	}
	if endErr != nil {
		return Result{}, endErr
	}

	result := Result{
		Begin:      begin,
		Wall:       wall,
		User:       cmd.ProcessState.UserTime(),
		System:     cmd.ProcessState.SystemTime(),
		HarnessRSS: own,
		Frontend:   frontend,
		Backend:    backend,
		Output:     output,
	}
	if result.MaxRSS, err = maxRSS(cmd.ProcessState); err != nil {
		return Result{}, err
	}
	return result, nil
}

// Peak is the best figure for the peak memory of what ran, in bytes: the
// largest process's, or where there is a backend the peaks of frontend and
// backend added up, as if they had been at the same time.
func (r *Result) Peak() int64 {
	switch {
	case r.Backend.PeakRSS > 0:
		return r.Frontend.PeakRSS + r.Backend.PeakRSS
	case r.MaxRSS > r.HarnessRSS:
		return r.MaxRSS
	}
	return r.Frontend.PeakRSS
}
