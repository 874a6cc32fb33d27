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
	"time"

	"bst/impl/bug"
	"bst/impl/frontend"
	"bst/impl/stream"
	"bst/impl/term"
)

// Options say how a session is shown.
type Options struct {
	Order   stream.Work
	Model   *frontend.Model
	Console *term.Console
	// Features are what the terminal can do: with them there is a status area.
	Features term.Features
	// Interactive allows questions; without it ^C terminates at once.
	Interactive bool
	// LogFile gets the model's copy of the log; nil for none.
	LogFile io.Writer
	// KeyLength and Colors are for a shell's prompt.
	KeyLength int
	Colors    bool
	// Getenv reads the environment (PAGER, TERM, VTE_VERSION).
	Getenv func(string) string
	// Interval is the shortest time between two frames; 0 stands for the usual.
	Interval time.Duration
	// PerEvent draws the whole screen on every event and waits for it, as UIs do
	// that are not bounded: what frames are measured against.
	PerEvent bool
	// Tally is filled with what the session costs; nil for nobody who asks.
	Tally *Tally
	// Spill makes a file for the part of the log that a terminal does not take
	// for so long that it does not fit into memory. Nil makes temporary ones.
	Spill func() (*os.File, error)
	// Signals come from term.Signals.
	Signals <-chan term.Signal
	// Caught is closed once they are caught; nothing is shown before. Nil waits for
	// nothing.
	Caught <-chan struct{}
	// Leave leaves the session as soon as it runs (bst build --detach).
	Leave bool
	// Attached says that the session was there before: this frontend's end is not
	// the session's.
	Attached bool
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
	// maxPending bounds the standard output that waits for a terminal, in bytes.
	// Beyond it events are left in the stream until the terminal has caught up.
	maxPending = 4 << 20
	// slice is how many events are applied before signals and the screen are
	// looked after again: some 0.2 ms.
	slice = 512
	// endPatience is how long the last of the log may take to be written once
	// the work has ended; of what is left then, a screenful is.
	endPatience = 500 * time.Millisecond
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
	at     time.Time
}

type loop struct {
	o      Options
	s      stream.Stream
	m      *frontend.Model
	screen *term.Screen
	ctx    context.Context

	mode     mode
	question *question
	pages    []string              // files to show in the pager in the end
	passed   []stream.JobID        // failures that were passed over since the last Continue
	shellFor *frontend.HeldFailure // the failure whose menu comes back after the shell

	begin      time.Time
	dirty      bool
	size       [2]int // the terminal's at the last frame: columns, rows
	beside     beside
	pacer      pacer
	backlog    backlog
	events     []stream.Event // received, to be applied
	received   error          // what came with them
	abandonAt  time.Time      // nobody reads: how long the backend may still take
	terminated bool           // a Terminate order was sent
	quitting   bool
	leaving    bool // a Detach order was sent
	interrupts int
	broken     error // a write failed: nobody reads
	logErr     error
	lost       *stream.LostError
	lostErr    error
	copyErr    error
	aborted    bool // ^C before the scheduler ran

	answers chan answer
	lent    chan lentResult
	bugs    chan *bug.Error    // of the goroutine that receives
	cancel  context.CancelFunc // of the question or of the lent program
	stopAt  time.Time          // ^Z: stop by then at the latest
}

type question struct {
	menu    *frontend.Menu
	failure *frontend.HeldFailure // nil for the ^C menu
	held    bool                  // the scheduler held since it was asked
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
func Run(ctx context.Context, s stream.Stream, o Options) (result Result) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if o.Spill == nil {
		o.Spill = func() (*os.File, error) { return os.CreateTemp("", "bst-log-*.txt") }
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	l := &loop{
		o: o, s: s, m: o.Model, ctx: ctx,
		screen:  term.NewScreen(o.Console.Err, o.Console.Out, o.Features),
		pacer:   newPacer(o.Interval, time.Now()),
		backlog: backlog{open: o.Spill},
		answers: make(chan answer, 1),
		lent:    make(chan lentResult, 1),
		bugs:    make(chan *bug.Error, 1),
	}
	defer bug.Catch(func(e *bug.Error) { result = l.broke(e) })
	// Whatever happens, the terminal is given back as it was found.
	defer l.screen.Close()
	defer l.backlog.drop()
	defer o.Console.Restore()
	defer l.unbar()

	l.begin = time.Now()
	l.m.Begin(l.begin)
	l.dirty = true
	if err := s.Send(ctx, o.Order); err != nil {
		l.loseTo(err)
	} else {
		if o.Caught != nil {
			<-o.Caught
		}
		l.run()
	}
	result = l.end()
	// Closing tells the backend that the frontend is gone. A session that ended
	// by itself has nothing left to say; another reports through Recv.
	_ = s.Close()
	return result
}

// run is the loop: one goroutine owns model and screen.
func (l *loop) run() {
	events := make(chan received)
	bug.Start(func() { l.receive(events) }, func(e *bug.Error) { l.bugs <- e })
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		l.proceed()
		if l.m.Finished() != nil || l.lostErr != nil || l.m.Left() {
			return
		}
		l.draw()

		in := events
		if len(l.events) > 0 || l.received != nil {
			// What was received comes first, a slice at a time: a person who
			// interrupts does not wait for all of it.
			l.apply()
			select {
			case w := <-l.screen.Done():
				l.landed(w)
			case sig := <-l.o.Signals:
				l.signal(sig)
			default:
			}
			continue
		}
		if l.m.Pending() > maxPending && (l.screen.Busy() || l.mode == asking || l.mode == lending) {
			in = nil
		}
		timer.Reset(time.Until(l.wake()))
		select {
		case r := <-in:
			l.events, l.received = r.events, r.err
			l.o.Tally.arrived(len(r.events), r.at)
		case w := <-l.screen.Done():
			l.landed(w)
		case sig := <-l.o.Signals:
			l.signal(sig)
		case a := <-l.answers:
			l.answered(a)
		case r := <-l.lent:
			l.returned(r)
		case e := <-l.bugs:
			panic(e)
		case <-l.backendSpoke():
			l.m.Notice(l.o.Backend.take())
			l.dirty = true
		case <-timer.C:
			if l.broken != nil && !time.Now().Before(l.abandonAt) {
				return // the backend did not end in time; Close ends it
			}
		}
	}
}

// apply takes in the next of what was received.
func (l *loop) apply() {
	n := min(len(l.events), slice)
	switch {
	case n == 0:
	case l.o.PerEvent:
		n = 1
		now := time.Now()
		l.m.Apply(now, l.events[0])
		if l.broken == nil && (l.mode == drawing || l.mode == awaiting) {
			l.screen.Stale()
			l.account(l.flushFrame(l.frame(now, true)))
		}
	default:
		l.m.Apply(time.Now(), l.events[:n]...)
		l.dirty = true
		l.keep()
	}
	if l.events = l.events[n:]; len(l.events) > 0 {
		return
	}
	if err := l.received; err != nil && l.m.Finished() == nil {
		l.loseTo(err)
	}
	l.received = nil
}

// keep moves what the model has of the log to where it waits, and its copy to
// the log file.
func (l *loop) keep() {
	l.backlog.add(l.m.TakeLog())
	if copied := l.m.TakeCopy(); len(copied) > 0 && l.o.LogFile != nil && l.logErr == nil {
		_, l.logErr = l.o.LogFile.Write(copied)
	}
}

// receive hands over what the stream brings until it ends or Run returns.
func (l *loop) receive(to chan<- received) {
	for {
		events, err := l.s.Recv(l.ctx)
		at := time.Now()
		select {
		case to <- received{events, err, at}:
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

// proceed does what the events that were applied ask for.
func (l *loop) proceed() {
	for c := l.m.TakeCheckout(); c != nil; c = l.m.TakeCheckout() {
		l.copyOut(c)
	}
	for log := l.m.TakeLogShown(); log != nil; log = l.m.TakeLogShown() {
		if l.o.Interactive {
			l.pages = append(l.pages, log.Path)
		} else {
			l.copyFile(log.Path)
		}
	}
	if !l.stopAt.IsZero() && (l.m.State() == stream.StateSuspended || !time.Now().Before(l.stopAt)) {
		l.stop()
	}
	if l.m.Finished() != nil || l.lostErr != nil || l.m.Left() {
		return
	}
	l.heedOthers()
	if l.o.Leave && l.m.Scheduled() {
		l.leave()
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
		l.giveUp()
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
		l.giveUp()
	default:
		l.send(&stream.Hold{})
		l.ask(&question{menu: frontend.InterruptMenu(l.m.Session() != "")})
	}
}

var errImpatient = errors.New("interrupted again while jobs were being terminated")

func noteTerminate(q *question) string {
	if q != nil && q.failure == nil {
		return frontend.NoteTerminatingByUser
	}
	return frontend.NoteTerminating
}

// giveUp ends this frontend, and with it a session that is its own.
func (l *loop) giveUp() {
	if l.o.Attached {
		l.leave()
		return
	}
	l.terminate()
}

// leave lets the session go on without this frontend.
func (l *loop) leave() {
	if !l.leaving {
		l.leaving = true
		l.m.DropHeld()
		l.send(&stream.Detach{})
	}
}

func (l *loop) terminate() {
	if l.terminated {
		return
	}
	l.terminated = true
	l.m.Terminating()
	l.dirty = true
	l.pacer.soon(time.Now())
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
	l.unbar()
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
	defer os.Remove(c.Tar)
	l.copyFile(c.Tar)
}

// copyFile writes a file of the backend's to the standard output.
func (l *loop) copyFile(path string) {
	l.flush()
	f, err := os.Open(path)
	if err == nil {
		_, err = io.Copy(l.o.Console.Out, f)
		err = errors.Join(err, f.Close())
	}
	if err != nil && l.copyErr == nil {
		l.copyErr = err
	}
}
