package frontend

import (
	"sort"
	"strconv"
	"strings"
	"time"

	"bst/impl/stream"
)

// StatusError is the exit status of everything that fails: the reference's -1.
const StatusError = 255

// End prints what a session ends with: its last line, the summaries, the
// error. Call it once, after Finished was applied. It returns the exit status
// and the error as it is reported, nil for none.
func (m *Model) End(now time.Time) (int, *stream.Error) {
	f := m.finished
	if f == nil {
		return StatusError, nil
	}
	failed := f.Error
	if m.opts.Shell && failed != nil && m.anyStage {
		wrapped := *failed
		wrapped.Domain = stream.DomainApp
		wrapped.Message = "Error launching shell: " + failed.Message
		failed = &wrapped
	}
	// A project that does not load fails before the session proper begins; a
	// project that is not there fails inside it.
	early := failed != nil && !m.anyStage && failed.Domain == stream.DomainLoad &&
		failed.Reason != "MISSING_PROJECT_CONF"

	if m.opts.Session != "" && !early {
		line := &entry{typ: stream.TypeSuccess, time: now, elapsed: f.At, text: m.opts.Session, part: partClose}
		switch {
		case f.Terminated && failed != nil:
			line.typ, line.text = stream.TypeWarning, m.opts.Session+" Terminated"
		case failed != nil:
			line.typ = stream.TypeFailure
		}
		m.log(line)
		if m.headed {
			m.text(func(p *pen) { m.summary(p, f.Summary) })
		}
	}
	if failed == nil {
		if m.opts.ShowFormat != nil {
			m.out.newline()
		}
		m.endListing()
		if m.opts.Contents && !m.listing.any {
			m.Notice("None of the specified artifacts are cached.\n")
			return 1, nil
		}
		if m.opts.Shell {
			return f.ShellStatus, nil
		}
		return 0, nil
	}
	prefix := ""
	if early {
		prefix = "Error loading project: "
	}
	m.Notice(ErrorText(failed, prefix, m.opts.Debug))
	return StatusError, failed
}

// ErrorText is an error as it is printed before the program exits.
func ErrorText(e *stream.Error, prefix string, debug bool) string {
	var b strings.Builder
	message := clean(e.Message)
	if message == "" && e.Detail == "" {
		return ""
	}
	b.WriteString("\n" + prefix + message + "\n")
	detail := strings.TrimRight(clean(e.Detail), "\n")
	if debug && e.Cause != "" {
		detail = joinDetail(detail, "Caused by: "+clean(e.Cause))
	}
	if detail != "" {
		b.WriteString("\n")
		for _, line := range strings.Split(detail, "\n") {
			b.WriteString(indent + line + "\n")
		}
	}
	return b.String()
}

// summary prints the keys that were resolved late, the failures and the counts.
func (m *Model) summary(p *pen, s *stream.Summary) {
	if s == nil {
		s = &stream.Summary{}
		if m.heading != nil {
			s.Total, s.Session = m.heading.TotalElements, m.heading.SessionElements
		}
		for _, q := range m.queues {
			s.Queues = append(s.Queues, stream.QueueSummary{Action: q.action,
				Processed: q.processed, Skipped: q.skipped, Failed: q.failed})
		}
	}
	if len(s.Queues) == 0 {
		return
	}
	p.newline()
	if len(m.resolved.buf) > 0 && (m.opts.Style == Full || p == &m.copy) {
		p.write(contentBold, "Resolved key Summary")
		p.newline()
		resolved := m.resolved.buf
		if !p.color {
			resolved = StripEscapes(resolved)
		}
		p.raw(string(resolved))
		p.newline()
	}
	if failures := m.failureBlocks(s.Failures, p.color, p == &m.copy); len(failures) > 0 {
		p.write(contentBold, "Failure Summary")
		p.newline()
		values(p, failures, format, 1)
	}

	p.write(contentBold, "Pipeline Summary")
	p.newline()
	number := func(n int) func(*pen) {
		return func(p *pen) { p.write(content, itoa(n)) }
	}
	table := []styledPair{{name: "Total", value: number(s.Total)}, {name: "Session", value: number(s.Session)}}
	processed, skipped, failed := 1, 1, 1
	for _, q := range s.Queues {
		processed = max(processed, len(itoa(q.Processed)))
		skipped = max(skipped, len(itoa(q.Skipped)))
		failed = max(failed, len(itoa(q.Failed)))
	}
	for _, q := range s.Queues {
		table = append(table, styledPair{name: q.Action + " Queue", value: func(p *pen) {
			count := func(what string, s style, n, columns int, after string) {
				p.write(content, what)
				p.write(s, itoa(n))
				p.write(format, after)
				p.spaces(columns - len(itoa(n)))
			}
			count("processed ", success, q.Processed, processed, ", ")
			count("skipped ", content, q.Skipped, skipped, ", ")
			count("failed ", failure, q.Failed, failed, " ")
		}})
	}
	values(p, table, format, 1)
}

// failureBlocks are the elements that failed for good, each with its message
// as the log had it.
func (m *Model) failureBlocks(failures []stream.ElementFailure, colors, whole bool) []styledPair {
	sorted := append([]stream.ElementFailure(nil), failures...)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].Element < sorted[j].Element })
	var out []styledPair
	for i, f := range sorted {
		if i > 0 && sorted[i-1].Element == f.Element {
			continue
		}
		line := m.failures[f.Element]
		if line == nil {
			line = &entry{typ: stream.TypeFailure, elapsed: noTime, action: f.Action, element: f.Element,
				key: f.Key, text: oneLine(f.Error.Message), detail: clean(f.Error.Detail)}
		}
		block := pen{color: colors}
		if m.opts.Style != Full && !whole && line.fail != nil {
			// The tail stands above, where the element failed.
			brief := m.line
			brief.verbose = false
			brief.render(&block, line)
		} else {
			m.line.render(&block, line)
		}
		block.end()
		out = append(out, styledPair{name: f.Element, block: string(block.buf)})
	}
	return out
}

func itoa(n int) string { return strconv.Itoa(n) }
