package frontend

import (
	"strings"
	"time"

	"bst/impl/stream"
)

// Menu is a question that a person answers with one of a few words, of which
// any prefix that is unique will do.
type Menu struct {
	// Text is printed before the question.
	Text string
	// Choices are the words; the first is the default.
	Choices []string
}

// Answers.
const (
	ChoiceContinue  = "continue"
	ChoiceQuit      = "quit"
	ChoiceTerminate = "terminate"
	ChoiceRetry     = "retry"
	ChoiceLog       = "log"
	ChoiceShell     = "shell"
	ChoiceDetach    = "detach"
)

// Prompt is the question itself.
func (m *Menu) Prompt() string { return "Choice: [" + m.Choices[0] + "]: " }

// Match finds the choice that an answer stands for; an empty one stands for
// the default. Where none is meant, complaint is what the reference prints
// before it asks again.
func (m *Menu) Match(answer string) (choice, complaint string) {
	if answer == "" {
		return m.Choices[0], ""
	}
	var found []string
	for _, c := range m.Choices {
		if strings.HasPrefix(c, answer) {
			found = append(found, c)
		}
	}
	switch len(found) {
	case 0:
		return "", "Expected one of " + quoted(m.Choices) + ", got " + clean(answer)
	case 1:
		return found[0], ""
	}
	return "", "Ambiguous input. '" + clean(answer) + "' can refer to one of " + quoted(found)
}

func quoted(words []string) string {
	return "['" + strings.Join(words, "', '") + "']"
}

const commonChoices = "Choose one of the following options:\n" +
	"  (c)ontinue  - Continue queueing jobs as much as possible\n" +
	"  (q)uit      - Exit after all ongoing jobs complete\n" +
	"  (t)erminate - Terminate any ongoing jobs and exit\n"

// InterruptMenu is asked after ^C. detach says that the session can be left.
func InterruptMenu(detach bool) *Menu {
	m := &Menu{Choices: []string{ChoiceContinue, ChoiceQuit, ChoiceTerminate}}
	offer := ""
	if detach {
		offer = "  (d)etach    - Leave, and let the session go on\n"
		m.Choices = append(m.Choices, ChoiceDetach)
	}
	m.Text = "\nUser interrupted with ^C\n\n" + commonChoices + offer + "\nPressing ^C again will terminate jobs and exit\n\n"
	return m
}

// NoteDetached says how to come back to a session that was left.
func NoteDetached(id string) string {
	return "\nSession " + id + " goes on. To come back to it: bst attach " + id + "\n"
}

// FailureMenu is asked after a job failed.
func FailureMenu(f HeldFailure) *Menu {
	text := "\n" + f.Action + " failure on element: " + f.Element + "\n\n" + commonChoices +
		"  (r)etry     - Retry this job\n"
	choices := []string{ChoiceContinue, ChoiceQuit, ChoiceTerminate, ChoiceRetry}
	if f.LogPath != "" {
		text += "  (l)og       - View the full log file\n"
		choices = append(choices, ChoiceLog)
	}
	if f.Shell {
		text += "  (s)hell     - Drop into a shell in the failed build sandbox\n"
		choices = append(choices, ChoiceShell)
	}
	return &Menu{Text: text + "\nPressing ^C will terminate jobs and exit\n\n", Choices: choices}
}

// ShellPrompt is PS1 in a shell: the element, its key, the folder.
func ShellPrompt(key stream.Key, element string, keyLength int, colors bool) string {
	p := pen{color: colors}
	keyStyle := style{fg: yellow, dim: !key.Strict}
	if !colors {
		return "[" + brief(key, keyLength) + "@" + element + ":${PWD}]$ "
	}
	p.write(format, "[")
	p.write(keyStyle, brief(key, keyLength))
	p.write(format, "@")
	p.write(content, element)
	p.write(format, ":")
	p.write(content, "$PWD")
	p.write(format, "]$")
	p.end()
	return string(p.buf) + " "
}

// Notices of what a person's choice led to.
const (
	NoteTerminatingByUser = "\nTerminating all jobs at user request\n\n"
	NoteTerminating       = "\nTerminating all jobs\n\n"
	NoteQuitting          = "\nCompleting ongoing tasks before quitting\n\n"
	NoteContinuing        = "\nContinuing\n\n"
	NoteContinuingOthers  = "\nContinuing with other non failing elements\n\n"
	NoteRetrying          = "\nRetrying failed job\n\n"
	NoteShell             = "\nDropping into an interactive shell in the failed build sandbox\n\n"
)

// Notice queues text of the frontend's own among the log lines.
func (m *Model) Notice(text string) { m.text(func(p *pen) { p.raw(text) }) }

// Warn queues a warning of the frontend's own.
func (m *Model) Warn(now time.Time, text, detail string) {
	m.log(&entry{typ: stream.TypeWarning, time: now, elapsed: noTime, text: oneLine(text), detail: clean(detail)})
}
