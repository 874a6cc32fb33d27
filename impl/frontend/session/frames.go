// What is drawn, and when: frames while the work goes on, and all that waits
// before a question and at the end.

package session

import (
	"strconv"
	"time"

	"bst/impl/term"
)

// wake is when the loop must look again although nothing happened.
func (l *loop) wake() time.Time {
	now := time.Now()
	next := now.Add(time.Hour)
	switch {
	case l.broken != nil:
		return l.abandonAt
	case !l.stopAt.IsZero():
		return l.stopAt
	case l.screen.Busy() || l.mode == asking || l.mode == lending:
		return next // something else wakes it
	case l.dirty:
		return l.pacer.next
	case l.o.Features.Status && l.m.Lively():
		next = l.ticks()
	}
	if beat := l.m.Heartbeat(now); !beat.IsZero() && beat.Before(next) {
		next = beat
	}
	return next
}

// ticks is when a frame is due in which nothing has changed but the clock.
func (l *loop) ticks() time.Time {
	return l.pacer.next.Add(max(time.Second-l.pacer.interval, 0))
}

// draw sends a frame if one is due.
func (l *loop) draw() {
	now := time.Now()
	if l.broken != nil || l.screen.Busy() || (l.mode != drawing && l.mode != awaiting) || now.Before(l.pacer.next) {
		return
	}
	if l.m.Heartbeat(now); l.m.Pending() > 0 {
		l.dirty = true
	}
	if !l.dirty && !(l.o.Features.Status && l.m.Lively() && !now.Before(l.ticks())) {
		return
	}
	f := l.frame(now, true)
	l.dirty = !l.backlog.empty()
	if l.screen.Draw(f) {
		l.o.Tally.drew()
		l.pacer.drew(now)
	} else {
		l.pacer.next = now.Add(l.pacer.usual)
	}
}

// frame takes what waits to be written, on a terminal as much of it as that can
// take.
func (l *loop) frame(now time.Time, status bool) term.Frame {
	l.keep()
	budget := mostBudget
	if l.o.Features.Status {
		budget = l.pacer.budget
	}
	f := term.Frame{Log: l.backlog.take(budget), Output: l.m.TakeOutput(), Control: l.bar(now)}
	if status && l.o.Features.Status && l.o.Console.Foreground() {
		columns, rows := l.o.Console.Size()
		if size := [2]int{columns, rows}; size != l.size {
			// The signal that tells of it may come after this frame.
			l.size = size
			l.screen.Stale()
		}
		f.Status = l.m.Status(now, columns, rows)
		if len(f.Status) > 0 {
			l.o.Console.Quiet(l.o.Features.Reset())
		}
	}
	return f
}

// landed takes in how long a frame took and what went wrong with it.
func (l *loop) landed(w term.Written) {
	l.screen.Landed()
	l.account(w)
}

// flushFrame draws a frame and waits for it.
func (l *loop) flushFrame(f term.Frame) term.Written {
	l.o.Tally.drew()
	return l.screen.Flush(f)
}

func (l *loop) account(w term.Written) {
	now := time.Now()
	l.o.Tally.landed(now, w)
	l.pacer.landed(now, w)
	if w.Err != nil && l.broken == nil {
		// Nobody reads what is written, or it cannot be written: the work is
		// ended as if by ^C, and the loop waits for that, for a while.
		l.broken = w.Err
		l.abandonAt = time.Now().Add(abandonPatience)
		l.giveUp()
	}
}

// flush writes what waits and takes the status area away: a person is about to
// be asked, and needs to have read why, or the terminal is about to be lent. On
// a terminal that is too slow for all of it, it writes the last screenful and
// where the rest can be read.
func (l *loop) flush() {
	start := time.Now()
	for first := true; l.broken == nil && (first || !l.backlog.empty()); first = false {
		if l.o.Features.Status && l.tooSlow(time.Since(start)) {
			l.cut()
		}
		l.account(l.flushFrame(l.frame(time.Now(), false)))
	}
	l.dirty = true
}

// flushAll is flush when the work has ended. A person need not wait for it.
func (l *loop) flushAll() {
	start := time.Now()
	for first := true; l.broken == nil && (first || !l.backlog.empty()); first = false {
		if l.o.Features.Status && l.tooSlow(time.Since(start)) {
			l.cut()
		}
		if !l.await() {
			return
		}
		if l.screen.Draw(l.frame(time.Now(), false)) {
			l.o.Tally.drew()
			if !l.await() {
				return
			}
		}
	}
}

// await waits for the frame in flight. A person who does not want to wait for a
// terminal that takes nothing interrupts: await is false then.
func (l *loop) await() bool {
	for l.screen.Busy() {
		select {
		case w := <-l.screen.Done():
			l.landed(w)
		case sig := <-l.o.Signals:
			if sig == term.Interrupt || sig == term.Terminate || sig == term.Hangup {
				return false
			}
		}
	}
	return true
}

// tooSlow says that what waits takes the terminal longer than it may.
func (l *loop) tooSlow(since time.Duration) bool {
	l.keep()
	columns, rows := l.o.Console.Size()
	if l.backlog.size() <= int64(columns*rows)/2 {
		return false
	}
	return since > endPatience ||
		l.pacer.rate > 0 && float64(l.backlog.size())/l.pacer.rate > (endPatience-since).Seconds()
}

// cut leaves a screenful of the log.
func (l *loop) cut() {
	columns, rows := l.o.Console.Size()
	left, name, err := l.backlog.cut(max(rows-3, 1), columns*rows)
	last := l.backlog.head
	l.backlog.head = nil
	switch {
	case err != nil:
		l.backlog.add([]byte("\n(" + strconv.Itoa(left) + " lines are not shown: the terminal is too slow, and they could not be kept: " + err.Error() + ")\n"))
	default:
		l.backlog.add([]byte("\n(" + strconv.Itoa(left) + " lines are not shown: the terminal is too slow. They are in " + name + ")\n"))
	}
	l.backlog.add(last)
}

// say writes text at once, outside the log: questions.
func (l *loop) say(text string) {
	if l.broken == nil {
		l.account(l.screen.Flush(term.Frame{Log: []byte(text)}))
	}
}
