package report

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"

	"bst/bench/environ"
	"bst/bench/harness"
)

// File is what one raw file holds: the record of one run of the harness.
type File struct {
	// Name is the file's name without folder and suffix.
	Name string
	// Facts are its configuration lines, in their order.
	Facts []environ.Pair
	Runs  []Run
	// Failures are the runs that failed.
	Failures []Failure
}

// Axes say what was measured.
type Axes struct {
	Command, Stack, Tool, Strategy, Terminal string
}

// Run is one measurement.
type Run struct {
	Axes
	Round int
	// Values by unit, in base units: seconds and bytes.
	Values map[string]float64
}

// Failure is a run that gave no figures.
type Failure struct {
	Axes
	Round int
	// Text is what is known of it, lines without their indentation.
	Text []string
}

// Fact is the value of a configuration key, "" where it is not set.
func (f *File) Fact(key string) string {
	for _, fact := range f.Facts {
		if fact.Key == key {
			return fact.Value
		}
	}
	return ""
}

// Peer says that a tool is not ours.
func (f *File) Peer(tool string) bool {
	return strings.HasPrefix(f.Fact("tool-"+tool), "peer")
}

// ReadDir reads every raw file of a folder, in the order of their names.
func ReadDir(dir string) ([]*File, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	slices.Sort(paths)
	var files []*File
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("report: %w", err)
		}
		file, err := Read(path, content)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// Read reads a raw file: rounds and failures, which are not part of the Go
// benchmark format, and then the measurements with benchfmt.
func Read(path string, content []byte) (*File, error) {
	f := &File{Name: strings.TrimSuffix(filepath.Base(path), ".txt")}
	rounds, err := f.readText(content)
	if err != nil {
		return nil, err
	}
	reader := benchfmt.NewReader(bytes.NewReader(content), path)
	for reader.Scan() {
		switch record := reader.Result().(type) {
		case *benchfmt.Result:
			_, line := record.Pos()
			run, err := newRun(record, rounds[line-1])
			if err != nil {
				return nil, fmt.Errorf("report: %s:%d: %w", path, line, err)
			}
			f.Runs = append(f.Runs, run)
		case *benchfmt.SyntaxError:
			return nil, fmt.Errorf("report: %w", record)
		}
	}
	if err := reader.Err(); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return f, nil
}

func newRun(r *benchfmt.Result, round int) (Run, error) {
	axes, ok := parseName(r.Name.String())
	if !ok {
		return Run{}, fmt.Errorf("%q is not a measurement of the harness", r.Name)
	}
	if round == 0 {
		return Run{}, errors.New("a measurement before the first round")
	}
	run := Run{Axes: axes, Round: round, Values: map[string]float64{}}
	for _, v := range r.Values {
		if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) || v.Value < 0 {
			return Run{}, fmt.Errorf("%v %s is no measurement", v.Value, v.Unit)
		}
		run.Values[v.Unit] = v.Value
	}
	return run, nil
}

func parseName(name string) (Axes, bool) {
	base, parts := benchfmt.Name(name).Parts()
	axes := Axes{Command: strings.ToLower(string(base))}
	fields := map[string]*string{"stack": &axes.Stack, "tool": &axes.Tool, "strategy": &axes.Strategy, "terminal": &axes.Terminal}
	for _, part := range parts {
		key, value, ok := strings.Cut(strings.TrimPrefix(string(part), "/"), "=")
		field := fields[key]
		if !ok || field == nil {
			return Axes{}, false
		}
		*field = value
	}
	return axes, axes.Stack != "" && axes.Tool != "" && axes.Strategy != "" && axes.Terminal != ""
}

// readText reads the configuration lines and the failures, and returns each
// line's round.
func (f *File) readText(content []byte) (rounds []int, err error) {
	lines := bufio.NewScanner(bytes.NewReader(content))
	lines.Buffer(nil, 1<<20)
	var failure *Failure // the one whose indented lines follow
	round := 0
	for lines.Scan() {
		rounds = append(rounds, round)
		line := lines.Text()
		if text, ok := strings.CutPrefix(line, harness.FailureIndent); ok {
			if failure != nil {
				failure.Text = append(failure.Text, text)
			}
			continue
		}
		failure = nil
		if number, ok := strings.CutPrefix(line, harness.RoundLead); ok {
			if round, err = strconv.Atoi(number); err != nil || round < 1 {
				return nil, fmt.Errorf("report: %s:%d: %q is no round", f.Name, len(rounds), number)
			}
			continue
		}
		if name, ok := strings.CutPrefix(line, harness.FailureLead); ok {
			axes, ok := parseName(name)
			if !ok {
				return nil, fmt.Errorf("report: %s:%d: %q is not a failure of the harness", f.Name, len(rounds), name)
			}
			f.Failures = append(f.Failures, Failure{Axes: axes, Round: round})
			failure = &f.Failures[len(f.Failures)-1]
			continue
		}
		key, value, ok := strings.Cut(line, ": ")
		if ok && !strings.ContainsAny(key, " \t") { // no result, no unit
			f.Facts = append(f.Facts, environ.Pair{Key: key, Value: value})
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("report: %s: %w", f.Name, err)
	}
	return rounds, nil
}
