package harness

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"bst/bench/environ"
	"bst/bench/measure"
)

// Interrupted is what a record holds whose run did not end.
type Interrupted struct {
	// Seed is the plan's: the order goes on as it was drawn.
	Seed uint64
	// Size is how many bytes of the record are whole lines: what follows was being
	// written when the harness died, and is to be cut off.
	Size int64
	// Ended says that nothing is missing.
	Ended bool

	facts   []environ.Pair
	done    map[string]bool // by key
	tries   map[string]*tries
	round   int
	outcome Outcome
}

// ErrNothing says that a record has not one whole line.
var ErrNothing = errors.New("harness: the record is empty")

// key names a run.
func key(round int, name string) string { return strconv.Itoa(round) + " " + name }

// ReadInterrupted reads a record up to its last whole line.
func ReadInterrupted(from io.Reader) (*Interrupted, error) {
	b := &Interrupted{done: map[string]bool{}, tries: map[string]*tries{}}
	lines := bufio.NewReaderSize(from, 1<<16)
	failed := "" // the case whose failure's text follows
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			break // a torn line, or none
		}
		if err != nil {
			return nil, fmt.Errorf("harness: %w", err)
		}
		b.Size += int64(len(line))
		line = line[:len(line)-1]
		text, indented := strings.CutPrefix(line, FailureIndent)
		if indented {
			if failed != "" && strings.Contains(text, measure.TimeIsUp) {
				b.try(failed).timedOut = true
			}
			continue
		}
		failed = ""
		if err := b.line(line, &failed); err != nil {
			return nil, err
		}
	}
	if b.Size == 0 {
		return nil, ErrNothing
	}
	if b.fact("plan-digest") == "" {
		return nil, fmt.Errorf("harness: it does not say what plan it is of")
	}
	var err error
	if b.Seed, err = strconv.ParseUint(b.fact("order-seed"), 10, 64); err != nil {
		return nil, fmt.Errorf("harness: its order-seed: %w", err)
	}
	return b, nil
}

func (b *Interrupted) line(line string, failed *string) (err error) {
	if number, ok := strings.CutPrefix(line, RoundLead); ok {
		if b.round, err = strconv.Atoi(number); err != nil {
			return fmt.Errorf("harness: %q is no round", line)
		}
		return nil
	}
	if kind, text, ok := CutRemark(line); ok {
		switch kind {
		case RemarkSkipped:
			b.outcome.Skipped++
			if name, _, ok := strings.Cut(text, ": "); ok {
				b.try(name).skipped = true
			}
		case RemarkNoise:
			b.outcome.Noisy++
		case RemarkEnd:
			b.Ended = true
		}
		return nil
	}
	if name, ok := strings.CutPrefix(line, FailureLead); ok {
		b.done[key(b.round, name)] = true
		b.try(name).failed++
		b.outcome.Failed++
		*failed = name
		return nil
	}
	if rest, ok := strings.CutPrefix(line, "Benchmark"); ok {
		name, _, _ := strings.Cut(rest, "\t")
		b.done[key(b.round, name)] = true
		b.try(name).good++
		return nil
	}
	if name, value, ok := strings.Cut(line, ": "); ok && !strings.ContainsAny(name, " \t") {
		b.facts = append(b.facts, environ.Pair{Key: name, Value: value})
	}
	return nil
}

func (b *Interrupted) try(name string) *tries {
	t := b.tries[name]
	if t == nil {
		t = new(tries)
		b.tries[name] = t
	}
	return t
}

func (b *Interrupted) fact(name string) string {
	for _, f := range b.facts {
		if f.Key == name {
			return f.Value
		}
	}
	return ""
}

// passing are the facts that may differ between the halves of a record.
var passing = map[string]bool{
	"date": true, "load-at-start": true, "busy-at-start": true, "cpu-mhz-at-start": true, "filesystem-free": true,
}

// matches refuses to go on with a record of another plan, tool or machine: figures
// that cannot be compared would stand side by side.
func (b *Interrupted) matches(heading []environ.Pair) error {
	for _, f := range heading {
		if value := printable(f.Value); !passing[f.Key] && b.fact(f.Key) != value {
			return &OtherError{Key: f.Key, Was: b.fact(f.Key), Is: value}
		}
	}
	return nil
}

// OtherError says that an interrupted record is of something else.
type OtherError struct{ Key, Was, Is string }

func (e *OtherError) Error() string {
	return fmt.Sprintf("harness: what was interrupted has %s %q and this has %q", e.Key, e.Was, e.Is)
}

// digest tells plans apart by what they measure.
func (p *Plan) digest() string {
	h := sha256.New()
	fmt.Fprintf(h, "%d %d\n", p.Repetitions, p.PeerRepetitions)
	for _, c := range p.cases() {
		fmt.Fprintf(h, "%s %s\n", c.Name(), c.Stack.Dir)
	}
	return fmt.Sprintf("%x", h.Sum(nil))[:16]
}
