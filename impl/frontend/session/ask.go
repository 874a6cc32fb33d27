package session

import (
	"context"
	"os"
	"strings"

	"bst/impl/bug"
	"bst/impl/frontend"
	"bst/impl/stream"
	"bst/impl/term"
)

// ask shows a menu and waits for its answer, while jobs go on. What they log
// meanwhile is written after the answer.
func (l *loop) ask(q *question) {
	l.flush()
	l.o.Console.Restore()
	l.o.Console.DropInput()
	l.question, l.mode = q, asking
	if q.failure != nil {
		l.notify("BuildStream failure", q.failure.Action+" on element "+q.failure.Element)
	}
	l.say(q.menu.Text + q.menu.Prompt())
	l.listen()
}

// listen reads one answer.
func (l *loop) listen() {
	ctx, cancel := context.WithCancel(l.ctx)
	l.cancel = cancel
	bug.Start(func() {
		line, err := l.o.Console.ReadLine(ctx)
		l.answers <- answer{line, err}
	}, func(e *bug.Error) { l.answers <- answer{"", e} })
}

// dropQuestion takes a question back.
func (l *loop) dropQuestion() {
	if l.mode != asking {
		return
	}
	l.cancel()
	<-l.answers
	l.mode = drawing
	l.dirty = true
}

// answered obeys an answer.
func (l *loop) answered(a answer) {
	q := l.question
	l.cancel()
	choice, complaint := "", ""
	if a.err != nil {
		// No more input: as ^C.
		l.say("\n")
		choice = frontend.ChoiceTerminate
	} else if choice, complaint = q.menu.Match(strings.TrimSpace(a.line)); complaint != "" {
		l.say("Error: " + complaint + "\n" + q.menu.Prompt())
		l.listen()
		return
	}
	l.mode = drawing
	l.dirty = true
	switch choice {
	case frontend.ChoiceTerminate:
		l.m.Notice(noteTerminate(q))
		l.terminate()
	case frontend.ChoiceQuit:
		l.m.Notice(frontend.NoteQuitting)
		l.quitting = true
		l.m.DropHeld()
		l.send(&stream.Quit{})
	case frontend.ChoiceContinue:
		if q.failure == nil {
			l.m.Notice(frontend.NoteContinuing)
		} else {
			l.passed = append(l.passed, q.failure.Job)
			l.m.Notice(frontend.NoteContinuingOthers)
		}
		l.goOn()
	case frontend.ChoiceDetach:
		l.send(&stream.Continue{})
		l.leave()
	case frontend.ChoiceRetry:
		l.m.Notice(frontend.NoteRetrying)
		l.send(&stream.Retry{Job: q.failure.Job})
		l.goOn()
	case frontend.ChoiceLog:
		l.lendToPager(q)
	case frontend.ChoiceShell:
		l.say(frontend.NoteShell)
		l.shellFor = q.failure
		l.mode = awaiting
		l.send(&stream.StageShell{Job: q.failure.Job})
	}
}

// heedOthers takes a question back that another frontend of the session has
// answered: the scheduler held, and does not any more.
func (l *loop) heedOthers() {
	if l.mode != asking || l.terminated || l.quitting {
		return
	}
	switch held := l.m.State() == stream.StateHeld; {
	case held:
		l.question.held = true
	case l.question.held && l.m.Session() != "":
		l.say("\n")
		l.dropQuestion()
		l.m.DropHeld()
	}
}

// goOn ends a hold once every failure was asked about.
func (l *loop) goOn() {
	if l.m.HeldCount() == 0 {
		l.send(&stream.Continue{Answered: l.passed})
		l.passed = nil
	}
}

// askAgain brings a failure's menu back after its shell or log.
func (l *loop) askAgain() {
	l.mode = drawing
	if f := l.shellFor; f != nil && !l.terminated {
		l.shellFor = nil
		l.ask(&question{menu: frontend.FailureMenu(*f), failure: f})
	}
}

// lendToPager shows a failed job's whole log.
func (l *loop) lendToPager(q *question) {
	l.shellFor = q.failure
	if _, err := os.Stat(q.failure.LogPath); err != nil {
		l.say("Error: " + err.Error() + "\n")
		l.askAgain()
		return
	}
	l.lend(nil, term.Pager(l.o.Getenv, q.failure.LogPath), nil, "")
}

// lendToShell runs a shell that the backend has staged.
func (l *loop) lendToShell(s *stream.ShellReady) {
	l.flush()
	env := s.Env
	if !hasName(env, "PS1") {
		env = append(append([]string(nil), env...),
			"PS1="+frontend.ShellPrompt(s.Key, s.Element, l.o.KeyLength, l.o.Colors))
	}
	l.lend(s, s.Argv, env, s.Dir)
}

func hasName(env []string, name string) bool {
	for _, pair := range env {
		if strings.HasPrefix(pair, name+"=") {
			return true
		}
	}
	return false
}

// lend gives the terminal away until the program ends. env is nil for this
// program's own.
func (l *loop) lend(shell *stream.ShellReady, argv, env []string, dir string) {
	l.o.Console.Restore()
	l.unbar()
	ctx, cancel := context.WithCancel(l.ctx)
	l.cancel, l.mode = cancel, lending
	bug.Start(func() {
		status, err := l.o.Console.Run(ctx, argv, env, dir)
		l.lent <- lentResult{shell, status, err}
	}, func(e *bug.Error) { l.lent <- lentResult{shell, frontend.StatusError, e} })
}

// returned takes the terminal back.
func (l *loop) returned(r lentResult) {
	l.cancel()
	l.screen.Stale()
	l.mode = drawing
	l.dirty = true
	if r.err != nil {
		l.say("Error: " + r.err.Error() + "\n")
		r.status = frontend.StatusError
	}
	if r.shell != nil {
		l.send(&stream.ShellDone{Shell: r.shell.Shell, Status: r.status})
	}
	l.askAgain()
}
