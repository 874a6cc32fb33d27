package frontend

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"bst/impl/stream"
)

const indent = "    "

// MessageFormat is a parsed format of log lines:
// "[%{elapsed}][%{key}][%{element}] %{action} %{message}".
type MessageFormat struct {
	parts []messagePart
}

// messagePart is literal text where field is "".
type messagePart struct {
	text, field string
}

var messageFields = []string{
	"elapsed", "elapsed-us", "wallclock", "wallclock-us", "key", "element", "action", "message",
}

// ParseMessageFormat reads logging.message-format.
func ParseMessageFormat(text string) (*MessageFormat, error) {
	f := &MessageFormat{}
	literal := func(s string) {
		if n := len(f.parts); n > 0 && f.parts[n-1].field == "" {
			f.parts[n-1].text += s
			return
		}
		f.parts = append(f.parts, messagePart{text: s})
	}
next:
	for text != "" {
		if strings.HasPrefix(text, "%%") {
			literal("%")
			text = text[2:]
			continue
		}
		if strings.HasPrefix(text, "%{") {
			end := strings.IndexByte(text, '}')
			if end > 2 {
				name := text[2:end]
				for _, known := range messageFields {
					if name == known {
						f.parts = append(f.parts, messagePart{field: name})
						text = text[end+1:]
						continue next
					}
				}
				return nil, fmt.Errorf("'%s' is not a valid log variable name", name)
			}
		}
		if text[0] == '%' {
			return nil, fmt.Errorf("'%s' could not be parsed into a valid logging format", text)
		}
		end := strings.IndexByte(text, '%')
		if end < 0 {
			end = len(text)
		}
		literal(text[:end])
		text = text[end:]
	}
	return f, nil
}

// entry is one log line with what hangs below it: what messages and the starts
// and ends of jobs are drawn from.
type entry struct {
	typ     stream.MessageType
	time    time.Time
	elapsed time.Duration // negative draws as --:--:--
	action  string
	element string
	key     stream.Key
	text    string
	detail  string
	log     string // drawn instead of text at the start and success of a job
	// fail is set where a job failed: its log's tail is drawn.
	fail *stream.Failure
	// job is set inside a job, and part says where in it, or in the session.
	job  stream.JobID
	part part
}

// part is an entry's place in its job or step.
type part uint8

const (
	partInside part = iota
	partStart
	partEnd
	partClose // the session's last line
)

const noTime = time.Duration(-1)

func isError(t stream.MessageType) bool {
	return t == stream.TypeFailure || t == stream.TypeError || t == stream.TypeBug
}

func typeColor(t stream.MessageType) color {
	switch t {
	case stream.TypeDebug, stream.TypeStatus:
		return cyan
	case stream.TypeInfo:
		return magenta
	case stream.TypeWarning, stream.TypeSkipped:
		return yellow
	case stream.TypeStart:
		return blue
	case stream.TypeSuccess:
		return green
	}
	return red
}

// logLine renders entries.
type logLine struct {
	format       *MessageFormat
	keyLength    int
	messageLines int
	errorLines   int
	verbose      bool
	debug        bool
	location     *time.Location
	pid          int
	logDir       string // where relative paths of logs start, once it is known
}

// render appends an entry: its line, its detail, its log's tail.
func (l *logLine) render(p *pen, e *entry) {
	if l.debug {
		name := e.element
		if name == "" {
			name = "n/a"
		}
		p.write(format, "pid:")
		padded(p, content, strconv.Itoa(l.pid), 5)
		p.write(format, "element name:")
		padded(p, content, name, 30)
	}
	for i := range l.format.parts {
		part := &l.format.parts[i]
		switch part.field {
		case "":
			p.write(format, part.text)
		case "elapsed":
			timeCode(p, e.elapsed, false)
		case "elapsed-us":
			timeCode(p, e.elapsed, true)
		case "wallclock":
			l.wallclock(p, e.time, false)
		case "wallclock-us":
			l.wallclock(p, e.time, true)
		case "key":
			l.key(p, e)
		case "element":
			action, name := e.action, e.element
			if action == "" {
				action = "Main"
			}
			if name == "" {
				name = "core activity"
			}
			action = strings.ToLower(action)
			p.spaces(8 - width(action))
			p.write(content, action)
			p.write(format, ":")
			padded(p, content, name, 30)
		case "action":
			padded(p, style{fg: typeColor(e.typ), bold: true, dim: true}, string(e.typ), 7)
		case "message":
			if e.log != "" && (e.typ == stream.TypeStart || e.typ == stream.TypeSuccess) {
				p.link(contentDim, l.logDir, e.log)
			} else {
				p.write(plain, e.text)
			}
		}
	}
	p.newline()

	below := false
	if e.detail != "" {
		l.detail(p, e)
		below = true
	}
	if e.fail != nil && isError(e.typ) && e.fail.LogPath != "" {
		l.tail(p, e.fail)
		below = true
	}
	if below {
		p.newline()
	}
}

// padded writes text and blanks up to a width.
func padded(p *pen, s style, text string, to int) {
	p.write(s, text)
	p.spaces(to - width(text))
}

func (l *logLine) key(p *pen, e *entry) {
	if l.keyLength <= 0 {
		return
	}
	if e.element == "" || e.key.Full == "" {
		p.spaces(l.keyLength)
		return
	}
	s := style{fg: yellow, dim: !e.key.Strict}
	if isError(e.typ) {
		s = failure
	}
	p.write(s, brief(e.key, l.keyLength))
}

// timeCode writes HH:MM:SS, with microseconds if asked for.
func timeCode(p *pen, d time.Duration, micro bool) {
	if d < 0 {
		p.write(content, "--")
		p.write(format, ":")
		p.write(content, "--")
		p.write(format, ":")
		p.write(content, "--")
		if micro {
			p.write(content, ".------")
		}
		return
	}
	seconds := int(d / time.Second)
	clock(p, seconds/3600, seconds/60%60, seconds%60)
	if micro {
		p.write(content, "."+zeroPadded(int(d%time.Second/time.Microsecond), 6))
	}
}

func (l *logLine) wallclock(p *pen, t time.Time, micro bool) {
	t = t.In(l.location)
	clock(p, t.Hour(), t.Minute(), t.Second())
	if micro {
		p.write(content, "."+zeroPadded(t.Nanosecond()/1000, 6))
	}
}

func clock(p *pen, h, m, s int) {
	p.write(content, zeroPadded(h, 2))
	p.write(format, ":")
	p.write(content, zeroPadded(m, 2))
	p.write(format, ":")
	p.write(content, zeroPadded(s, 2))
}

// zeroPadded avoids fmt for the two digits that every line has four times.
func zeroPadded(n, digits int) string {
	if digits == 2 && n < 60 {
		return twoDigits[2*n : 2*n+2]
	}
	text := strconv.Itoa(n)
	if len(text) < digits {
		text = strings.Repeat("0", digits-len(text)) + text
	}
	return text
}

const twoDigits = "000102030405060708091011121314151617181920212223242526272829" +
	"303132333435363738394041424344454647484950515253545556575859"

// detail writes an entry's further lines, indented. An element's are cut to
// the configured number, unless they tell of an error.
func (l *logLine) detail(p *pen, e *entry) {
	text := strings.TrimSuffix(e.detail, "\n")
	count := strings.Count(text, "\n") + 1
	s, cut := detailStyle, 0
	switch {
	case isError(e.typ):
		s = failureBold
	case e.element != "" && count > l.messageLines:
		cut = count - max(l.messageLines, 0)
	}
	p.newline()
	for range count - cut {
		line, rest, _ := strings.Cut(text, "\n")
		p.spaces(len(indent))
		p.write(s, line)
		p.newline()
		text = rest
	}
	if cut > 0 && l.messageLines > 0 {
		p.spaces(len(indent))
		p.write(contentDim, "Message contains "+strconv.Itoa(cut)+" additional lines")
		p.newline()
	}
}

// tail writes the end of a failed job's log, or where it lies.
func (l *logLine) tail(p *pen, f *stream.Failure) {
	p.newline()
	if !l.verbose {
		p.spaces(len(indent))
		p.write(failure, "Log file: ")
		p.spaces(len(indent))
		p.link(failure, "", f.LogPath)
		p.newline()
		return
	}
	if l.errorLines <= 0 {
		return
	}
	rule := strings.Repeat("=", 70)
	p.spaces(len(indent))
	p.write(failure, "Printing the last "+strconv.Itoa(l.errorLines)+" lines from log file:")
	p.newline()
	p.spaces(len(indent))
	p.link(failure, "", f.LogPath)
	p.newline()
	p.spaces(len(indent))
	p.write(failure, rule)
	p.newline()
	for _, line := range trimTail(f.LogTail) {
		line = clean(strings.TrimRight(line, "\r\n"))
		if strings.TrimSpace(line) != "" {
			p.spaces(len(indent))
			p.write(detailStyle, strings.ReplaceAll(line, "\n", "\n"+indent))
		}
		p.newline()
	}
	p.spaces(len(indent))
	p.write(failure, rule)
	p.newline()
}

// trimTail drops blank lines at the end.
func trimTail(lines []string) []string {
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// Clock is a duration as log lines have it: 00:12:34.
func Clock(d time.Duration) string {
	var p pen
	timeCode(&p, d, false)
	return string(p.buf)
}
