// Package session runs one session from the person's side: it takes what the
// stream brings, keeps the model, draws it, asks questions, lends the terminal
// to shells, and turns signals and answers into orders.
//
// It knows the contract, the model and the terminal. It does not know how the
// stream reaches its backend, nor what the order means.
package session

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"bst/impl/frontend"
	"bst/impl/stream"
	"bst/impl/term"
)

// Options say how a session is shown.
type Options struct {
	Order   stream.Work
	Model   *frontend.Model
	Console *term.Console
	// Status draws a status area, which needs a terminal that can.
	Status bool
	// Interactive allows questions; without it ^C terminates at once.
	Interactive bool
	// LogFile gets the model's copy of the log; nil for none.
	LogFile io.Writer
	// KeyLength and Colors are for a shell's prompt.
	KeyLength int
	Colors    bool
	// Getenv reads the environment (PAGER, TERM, VTE_VERSION).
	Getenv func(string) string
	// Interval is the shortest time between two frames; 0 stands for 100 ms.
	Interval time.Duration
	// Signals come from term.Signals.
	Signals <-chan term.Signal
	// Backend collects what a backend writes to its standard error.
	Backend *Stderr
}

// Result is how a session ended.
type Result struct {
	// Status is the program's exit status.
	Status int
	// Error is what the session failed with, nil where it did not.
	Error *stream.Error
	// Lost says that the backend went away.
	Lost bool
}

const (
	defaultInterval = 100 * time.Millisecond
	slowestInterval = time.Second
	// share is how many times longer than its drawing a frame stays: a slow
	// terminal gets fewer frames.
	share = 10
	// maxPending bounds the text that waits for the terminal, in bytes. Beyond
	// it events are left in the stream until the terminal has caught up.
	maxPending = 4 << 20
	// suspendPatience is how long ^Z waits for the backend to hold still.
	suspendPatience = time.Second
	// abandonPatience is how long a terminated backend may take after its
	// frontend's output has closed.
	abandonPatience = 10 * time.Second
)

// mode is what the terminal is used for.
type mode uint8

const (
	drawing  mode = iota // log and status area
	asking               // a question waits for its answer
	lending              // a shell or pager has the terminal
	awaiting             // a shell was ordered and is being staged
)

type received struct {
	events []stream.Event
	err    error
}

type loop struct {
	o      Options
	s      stream.Stream
	m      *frontend.Model
	screen *term.Screen
	ctx    context.Context

	mode     mode
	question *question
	shellFor *frontend.HeldFailure // the failure whose menu comes back after the shell

	dirty      bool
	nextFrame  time.Time
	interval   time.Duration
	terminated bool // a Terminate order was sent
	quitting   bool
	interrupts int
	broken     error // a write failed: nobody reads
	logErr     error
	lost       *stream.LostError
	lostErr    error
	copyErr    error
	aborted    bool // ^C before the scheduler ran

	answers chan answer
	lent    chan lentResult
	cancel  context.CancelFunc // of the question or of the lent program
	stopAt  time.Time          // ^Z: stop by then at the latest
}

type question struct {
	menu    *frontend.Menu
	failure *frontend.HeldFailure // nil for the ^C menu
}

type answer struct {
	line string
	err  error
}

type lentResult struct {
	shell  *stream.ShellReady // nil for a pager
	status int
	err    error
}

// Run shows a session until it ends. The stream gets the order first; it is
// closed when Run returns.
func Run(ctx context.Context, s stream.Stream, o Options) Result {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if o.Interval <= 0 {
		o.Interval = defaultInterval
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	l := &loop{
		o: o, s: s, m: o.Model, ctx: ctx,
		screen:   term.NewScreen(o.Console.Err, o.Console.Out, o.Status),
		interval: o.Interval,
		answers:  make(chan answer, 1),
		lent:     make(chan lentResult, 1),
	}
	// Whatever happens, the terminal is given back as it was found.
	defer l.screen.Close()
	defer o.Console.Restore()

	l.m.Begin(time.Now())
	l.dirty = true
	l.nextFrame = time.Now().Add(l.interval)
	if err := s.Send(ctx, o.Order); err != nil {
		l.loseTo(err)
	} else {
		l.run()
	}
	result := l.end()
	// Closing tells the backend that the frontend is gone. A session that ended
	// by itself has nothing left to say; another reports through Recv.
	_ = s.Close()
	return result
}

// run is the loop: one goroutine owns model and screen.
func (l *loop) run() {
	events := make(chan received)
	go l.receive(events)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		l.proceed()
		if l.m.Finished() != nil || l.lostErr != nil {
			return
		}
		l.draw()

		in := events
		if l.m.Pending() > maxPending && (l.screen.Busy() || l.mode == asking || l.mode == lending) {
			in = nil
		}
		timer.Reset(time.Until(l.wake()))
		select {
		case r := <-in:
			l.m.Apply(time.Now(), r.events...)
			l.dirty = l.dirty || len(r.events) > 0
			if r.err != nil && l.m.Finished() == nil {
				l.loseTo(r.err)
			}
		case w := <-l.screen.Done():
			l.landed(w)
		case sig := <-l.o.Signals:
			l.signal(sig)
		case a := <-l.answers:
			l.answered(a)
		case r := <-l.lent:
			l.returned(r)
		case <-l.backendSpoke():
			l.m.Notice(l.o.Backend.take())
			l.dirty = true
		case <-timer.C:
			if l.broken != nil && time.Now().After(l.nextFrame) {
				return // the backend did not end in time; Close ends it
			}
		}
	}
}

// receive hands over what the stream brings until it ends or Run returns.
func (l *loop) receive(to chan<- received) {
	for {
		events, err := l.s.Recv(l.ctx)
		select {
		case to <- received{events, err}:
		case <-l.ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

func (l *loop) backendSpoke() <-chan struct{} {
	if l.o.Backend == nil {
		return nil
	}
	return l.o.Backend.spoke
}

func (l *loop) send(o stream.Order) {
	if err := l.s.Send(l.ctx, o); err != nil {
		l.loseTo(err)
	}
}

// loseTo notes that the stream is gone.
func (l *loop) loseTo(err error) {
	if l.lostErr == nil {
		l.lostErr = err
		errors.As(err, &l.lost)
	}
}

// wake is when the loop must look again although nothing happened.
func (l *loop) wake() time.Time {
	now := time.Now()
	switch {
	case l.broken != nil:
		return l.nextFrame
	case !l.stopAt.IsZero():
		return l.stopAt
	case l.screen.Busy() || l.mode == asking || l.mode == lending:
		return now.Add(time.Hour) // something else wakes it
	case l.dirty:
		return l.nextFrame
	case l.o.Status && l.m.Lively():
		next := l.nextFrame.Add(time.Second - l.interval)
		if next.Before(now) {
			return now
		}
		return next
	}
	return now.Add(time.Hour)
}

// draw sends a frame if one is due.
func (l *loop) draw() {
	now := time.Now()
	if l.broken != nil || l.screen.Busy() || (l.mode != drawing && l.mode != awaiting) || now.Before(l.nextFrame) {
		return
	}
	if !l.dirty && !(l.o.Status && l.m.Lively() && !now.Before(l.nextFrame.Add(time.Second-l.interval))) {
		return
	}
	l.dirty = false
	l.nextFrame = now.Add(l.interval)
	l.screen.Draw(l.frame(now, true))
}

// frame takes what waits to be written.
func (l *loop) frame(now time.Time, status bool) term.Frame {
	f := term.Frame{Log: l.m.TakeLog(now, !status), Output: l.m.TakeOutput()}
	if copied := l.m.TakeCopy(); len(copied) > 0 && l.o.LogFile != nil && l.logErr == nil {
		_, l.logErr = l.o.LogFile.Write(copied)
	}
	if status && l.o.Status && !l.terminated && l.o.Console.Foreground() {
		columns, rows := l.o.Console.Size()
		f.Status = l.m.Status(now, columns, rows)
		if len(f.Status) > 0 {
			l.o.Console.Quiet()
		}
	}
	return f
}

// landed takes in how long a frame took and what went wrong with it.
func (l *loop) landed(w term.Written) {
	l.screen.Landed()
	l.account(w)
}

func (l *loop) account(w term.Written) {
	l.interval = min(max(l.o.Interval, share*w.Took), max(slowestInterval, l.o.Interval))
	if due := time.Now().Add(l.interval - l.o.Interval); due.After(l.nextFrame) {
		l.nextFrame = due
	}
	if w.Err != nil && l.broken == nil {
		// Nobody reads what is written, or it cannot be written: the work is
		// ended as if by ^C, and the loop waits for that, for a while.
		l.broken = w.Err
		l.terminate()
		l.nextFrame = time.Now().Add(abandonPatience)
	}
}

// flush writes all that waits, and takes the status area away.
func (l *loop) flush() {
	if l.broken != nil {
		return
	}
	l.account(l.screen.Flush(l.frame(time.Now(), false)))
	l.dirty = true
}

// say writes text at once, outside the log: questions.
func (l *loop) say(text string) {
	if l.broken == nil {
		l.account(l.screen.Flush(term.Frame{Log: []byte(text)}))
	}
}

// proceed does what the events that were applied ask for.
func (l *loop) proceed() {
	for c := l.m.TakeCheckout(); c != nil; c = l.m.TakeCheckout() {
		l.copyOut(c)
	}
	if !l.stopAt.IsZero() && (l.m.State() == stream.StateSuspended || !time.Now().Before(l.stopAt)) {
		l.stop()
	}
	if l.m.Finished() != nil || l.lostErr != nil {
		return
	}
	for r := l.m.TakeRefusal(); r != nil; r = l.m.TakeRefusal() {
		if l.mode == awaiting {
			l.flush()
			l.say("Error while attempting to create interactive shell: " + r.Error.Message + "\n")
			l.askAgain()
		}
	}
	if l.mode == drawing || l.mode == awaiting {
		if shell := l.m.TakeShell(); shell != nil {
			l.lendToShell(shell)
			return
		}
	}
	if l.mode == drawing && !l.terminated && !l.quitting {
		if f, ok := l.m.TakeHeld(); ok {
			if !l.o.Interactive {
				// Only a mistake holds a session that nobody can be asked about.
				l.send(&stream.Continue{})
				return
			}
			l.ask(&question{menu: frontend.FailureMenu(f), failure: &f})
		}
	}
}

// signal obeys a signal.
func (l *loop) signal(sig term.Signal) {
	switch sig {
	case term.Interrupt:
		l.interrupt()
	case term.Terminate, term.Hangup:
		l.dropQuestion()
		if l.mode == lending {
			l.cancel()
		}
		l.terminate()
	case term.Suspend:
		if l.mode == asking || l.mode == drawing || l.mode == awaiting {
			l.send(&stream.Suspend{})
			l.stopAt = time.Now().Add(suspendPatience)
		}
	case term.Continued, term.Resized:
		l.screen.Stale()
		l.dirty = true
	}
}

// interrupt is ^C.
func (l *loop) interrupt() {
	l.interrupts++
	switch {
	case l.mode == lending:
		// The program that has the terminal got it too.
	case l.mode == asking:
		l.say("\n")
		l.dropQuestion()
		l.m.Notice(noteTerminate(l.question))
		l.terminate()
	case l.terminated && l.interrupts > 1:
		// It is being terminated and that takes too long for the person.
		l.loseTo(errImpatient)
	case !l.o.Interactive || l.quitting || !l.m.Scheduled():
		l.aborted = l.aborted || !l.m.Scheduled()
		l.terminate()
	default:
		l.send(&stream.Hold{})
		l.ask(&question{menu: frontend.InterruptMenu()})
	}
}

var errImpatient = errors.New("interrupted again while jobs were being terminated")

func noteTerminate(q *question) string {
	if q != nil && q.failure == nil {
		return frontend.NoteTerminatingByUser
	}
	return frontend.NoteTerminating
}

func (l *loop) terminate() {
	if l.terminated {
		return
	}
	l.terminated = true
	l.dirty = true
	l.m.DropHeld()
	l.send(&stream.Terminate{})
}

// stop is ^Z: the program stops until the shell above it continues it.
func (l *loop) stop() {
	l.stopAt = time.Time{}
	asked := l.mode == asking
	l.flush()
	if asked {
		l.say("\n")
	}
	l.o.Console.Restore()
	if err := term.StopSelf(); err != nil {
		l.m.Notice("\nCould not suspend: " + err.Error() + "\n")
	}
	l.screen.Stale()
	l.send(&stream.Resume{})
	if asked && l.question != nil {
		l.say(l.question.menu.Text + l.question.menu.Prompt())
	}
}

// copyOut passes a tarball on to the standard output.
func (l *loop) copyOut(c *stream.CheckoutDone) {
	order, ok := l.o.Order.(*stream.Checkout)
	if !ok || !order.TarToStdout || c.Tar == "" {
		return
	}
	l.flush()
	defer os.Remove(c.Tar)
	f, err := os.Open(c.Tar)
	if err == nil {
		_, err = io.Copy(l.o.Console.Out, f)
		err = errors.Join(err, f.Close())
	}
	if err != nil && l.copyErr == nil {
		l.copyErr = err
	}
}

// end writes what is left and tells how it went.
func (l *loop) end() Result {
	l.dropQuestion()
	if l.mode == lending {
		l.cancel()
		<-l.lent
	}
	if l.o.Backend != nil {
		if text := l.o.Backend.take(); text != "" {
			l.m.Notice(text)
		}
	}
	var result Result
	switch {
	case l.m.Finished() != nil && l.aborted && l.m.Finished().Error != nil:
		// ^C while loading: the reference's click gives up with status 1.
		l.m.Notice("\nAborted!\n")
		result = Result{Status: 1, Error: l.m.Finished().Error}
	case l.m.Finished() != nil:
		result.Status, result.Error = l.m.End(time.Now())
	case l.lostErr != nil:
		result = l.endLost()
	default:
		result.Status = frontend.StatusError
	}
	l.flush()
	switch {
	case l.broken != nil && term.IsClosed(l.broken):
		result.Status = 1
	case l.broken != nil:
		result = l.writeFailed("Error writing output: ", l.broken)
	case l.copyErr != nil && term.IsClosed(l.copyErr):
		result.Status = 1
	case l.copyErr != nil:
		result = l.writeFailed("Error writing the tarball: ", l.copyErr)
	case l.logErr != nil && result.Status == 0:
		result = l.writeFailed("error writing the log file: ", l.logErr)
	}
	return result
}

func (l *loop) writeFailed(what string, err error) Result {
	e := &stream.Error{Domain: stream.DomainApp, Message: what + err.Error()}
	// The stream that failed may be this one; there is no other to say it on.
	_, _ = io.WriteString(l.o.Console.Err, frontend.ErrorText(e, "", false))
	return Result{Status: frontend.StatusError, Error: e}
}

// endLost says what died.
func (l *loop) endLost() Result {
	e := &stream.Error{Domain: stream.DomainStream, Reason: "backend-lost"}
	switch {
	case errors.Is(l.lostErr, errImpatient):
		e.Reason = "interrupted"
		e.Message = "Interrupted while jobs were being terminated"
	case l.lost != nil:
		e.Message = l.lost.Error()
		if l.o.Backend == nil || !l.o.Backend.any() {
			e.Detail = strings.TrimRight(l.lost.Stderr, "\n")
		}
	case errors.Is(l.lostErr, io.EOF):
		e.Message = "the backend ended without finishing the session"
	default:
		e.Message = "the backend went away: " + l.lostErr.Error()
	}
	l.m.Notice(frontend.ErrorText(e, "", false))
	return Result{Status: frontend.StatusError, Error: e, Lost: true}
}
