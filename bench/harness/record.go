package harness

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/perf/benchunit"

	"bst/bench/environ"
	"bst/bench/measure"
)

// The units of a result line.
const (
	UnitWall      = "ns/op"
	UnitCPU       = "cpu-ns/op"
	UnitUser      = "user-ns/op"
	UnitSystem    = "sys-ns/op"
	UnitPeak      = "peak-RSS-bytes"
	UnitFrontCPU  = "frontend-cpu-ns/op"
	UnitBackCPU   = "backend-cpu-ns/op"
	UnitFrontPeak = "frontend-RSS-bytes"
	UnitBackPeak  = "backend-RSS-bytes"
	UnitWritten   = "written-B/op"
	UnitReads     = "reads/op"

	// Of what the program tells itself (BST_TALLY): how many events arrived, when
	// the first of them did and when the first write had ended, from the start of
	// the process; frames and writes; and from an event's arrival to the end of the
	// write that shows it, the median, the 99th percentile and the longest of a run.
	UnitEvents     = "events/op"
	UnitFirstEvent = "first-event-ns/op"
	UnitFirstDrawn = "first-drawn-ns/op"
	UnitFrames     = "frames/op"
	UnitWrites     = "writes/op"
	UnitDelay      = "event-delay-ns/op"
	UnitTail       = "tail-delay-ns/op"
	UnitLongest    = "longest-delay-ns/op"

	// Of the machine beside it: what other processes used, and what the host took.
	UnitOthers = "others-cpu-ns/op"
	UnitSteal  = "steal-ns/op"
)

// UnitWorks is of a run that did what it should, where no more is told of it than
// that; its value is 1.
const UnitWorks = "works"

// Whether are the units that Options.OnlyWhether leaves: counts, which tell no speed.
var Whether = []string{UnitWorks, UnitWritten, UnitEvents}

// clock is a time of day, or since the start, in what a program wrote.
var clock = regexp.MustCompile(`\b\d+:\d\d:\d\d(\.\d+)?\b`)

// WithoutTimes is a line of a program's output with its times made unreadable, where
// no times are to be told.
func WithoutTimes(line string) string { return clock.ReplaceAllLiteralString(line, "--:--:--") }

// BaseUnit is the unit that benchfmt reads a unit as: nanoseconds as seconds.
func BaseUnit(unit string) string {
	_, base := benchunit.Tidy(1, unit)
	return base
}

// RoundLead starts the line before a round's first run; its number follows. It
// is no configuration line: tools that group by configuration would take each
// round for itself.
const RoundLead = "=== ROUND "

// FailureLead starts the line of a run that failed, before its name; the lines
// below it that start with FailureIndent say why.
const (
	FailureLead   = "--- FAIL: Benchmark"
	FailureIndent = "    "
)

// RemarkLead starts a line of the harness's own; a kind and a text follow it.
// It is no configuration line, for the same reason as RoundLead's is none.
const RemarkLead = "=== "

// The kinds of remarks.
const (
	// RemarkSkipped names what is in the plan and was not measured, and why.
	RemarkSkipped = "SKIPPED"
	// RemarkNoise says that the machine did something else during the round.
	RemarkNoise = "NOISE"
	// RemarkResumed says when the record was gone on with after an interruption.
	RemarkResumed = "RESUMED"
	// RemarkEnd is the last line of a record that is whole; its text is the date.
	RemarkEnd = "END"
)

// CutRemark finds the kind and the text of a remark.
func CutRemark(line string) (kind, text string, ok bool) {
	if rest, cut := strings.CutPrefix(line, RemarkLead); cut {
		kind, text, _ = strings.Cut(rest, " ")
		ok = slices.Contains([]string{RemarkSkipped, RemarkNoise, RemarkResumed, RemarkEnd}, kind)
	}
	return kind, text, ok
}

const maxFailureLines = 25

// record writes results as `go test -bench` would: configuration lines, result
// lines, and failures as indented text below "--- FAIL:", which tools that read
// the format pass over and bench/report lists.
type record struct {
	out   io.Writer
	round int // the last that was written
	// onlyWhether is Options.OnlyWhether.
	onlyWhether bool
}

// head says what holds for all results.
func (r *record) head(facts []environ.Pair) error {
	var text strings.Builder
	for _, f := range facts {
		fmt.Fprintf(&text, "%s: %s\n", f.Key, printable(f.Value))
	}
	text.WriteString("\n")
	for _, unit := range []string{UnitWall, UnitCPU, UnitUser, UnitSystem, UnitPeak, UnitWritten} {
		if !r.onlyWhether || slices.Contains(Whether, unit) {
			fmt.Fprintf(&text, "Unit %s better=lower\n", unit)
		}
	}
	_, err := io.WriteString(r.out, text.String())
	return err
}

// enter writes the round where it is a new one.
func (r *record) enter(round int, text *strings.Builder) {
	if round != r.round {
		fmt.Fprintf(text, "\n%s%d\n", RoundLead, round)
		r.round = round
	}
}

// remark writes a line of the harness's own.
func (r *record) remark(kind, text string) error {
	_, err := io.WriteString(r.out, RemarkLead+kind+" "+printable(text)+"\n")
	return err
}

func (r *record) result(c Case, round int, m *result) error {
	var text strings.Builder
	r.enter(round, &text)
	fmt.Fprintf(&text, "Benchmark%s\t1", c.Name())
	add := func(value int64, unit string) {
		if !r.onlyWhether || slices.Contains(Whether, unit) {
			fmt.Fprintf(&text, "\t%d %s", value, unit)
		}
	}
	if r.onlyWhether {
		add(1, UnitWorks)
	}
	add(m.Wall.Nanoseconds(), UnitWall)
	add((m.User + m.System).Nanoseconds(), UnitCPU)
	add(m.User.Nanoseconds(), UnitUser)
	add(m.System.Nanoseconds(), UnitSystem)
	if peak := m.peak(); peak > 0 {
		add(peak, UnitPeak)
	}
	if m.Backend.PeakRSS > 0 {
		front := m.Frontend.CPU.Nanoseconds()
		if m.tally != nil && m.tally.Self != nil {
			front = m.tally.Self.User + m.tally.Self.System // to the microsecond
		}
		add(front, UnitFrontCPU)
		add(m.Backend.CPU.Nanoseconds(), UnitBackCPU)
		add(m.Frontend.PeakRSS, UnitFrontPeak)
		add(m.Backend.PeakRSS, UnitBackPeak)
	}
	if !m.Output.Uncounted {
		add(m.Output.Bytes, UnitWritten)
		add(m.Output.Reads, UnitReads)
	}
	if t := m.tally; t != nil {
		add(t.Events, UnitEvents)
		add(firstSince(t.FirstEventAt, m.Begin), UnitFirstEvent)
		add(firstSince(t.FirstDrawnAt, m.Begin), UnitFirstDrawn)
		add(t.Frames, UnitFrames)
		add(t.Writes, UnitWrites)
		add(t.EventDelay, UnitDelay)
		add(t.TailDelay, UnitTail)
		add(t.LongestDelay, UnitLongest)
	}
	if m.around.known {
		add(m.around.others.Nanoseconds(), UnitOthers)
		add(m.around.steal.Nanoseconds(), UnitSteal)
	}
	text.WriteString("\n")
	_, err := io.WriteString(r.out, text.String())
	return err
}

func (r *record) failure(c Case, round int, failed *measure.FailedError) error {
	var text strings.Builder
	r.enter(round, &text)
	told := printable
	if r.onlyWhether {
		told = func(line string) string { return WithoutTimes(printable(line)) }
	}
	fmt.Fprintf(&text, "%s%s\n%s%s\n", FailureLead, c.Name(), FailureIndent, told(failed.Error()))
	tail := strings.Split(strings.TrimRight(failed.Tail, "\r\n"), "\n")
	for _, line := range tail[max(0, len(tail)-maxFailureLines):] {
		fmt.Fprintf(&text, "%s%s\n", FailureIndent, told(line))
	}
	_, err := io.WriteString(r.out, text.String())
	return err
}

// printable keeps a line of a program's output from being anything but a line
// of text.
func printable(line string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return -1
		}
		return c
	}, line)
}
