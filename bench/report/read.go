package report

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"

	"bst/bench/environ"
	"bst/bench/harness"
	"bst/impl/platform"
)

// Set is everything that was measured.
type Set struct {
	Files []*File
	// Works are records of Wine: they say what works there. No figure is from them.
	Works                        []*File
	Codecs, Spawn, Timelines, UI []*Part
	// GoBench are records of `go test -bench`.
	GoBench []*Part
	// Skipped are the files that no figure is from.
	Skipped []Skipped
}

// own is what was measured on platforms that are themselves. Figures over all
// platforms, and the goals, are of it: what is of a stand-in stands in rows with its
// name.
func (s *Set) own() *Set {
	o := &Set{Skipped: s.Skipped}
	o.Files = slices.DeleteFunc(slices.Clone(s.Files), (*File).standIn)
	without := func(parts []*Part) []*Part {
		return slices.DeleteFunc(slices.Clone(parts), func(p *Part) bool { return p.standIn() })
	}
	o.Codecs, o.Spawn, o.Timelines, o.UI, o.GoBench = without(s.Codecs), without(s.Spawn), without(s.Timelines), without(s.UI), without(s.GoBench)
	return o
}

// standIns are the files that own leaves out.
func (s *Set) standIns() []*File {
	return slices.DeleteFunc(slices.Clone(s.Files), func(f *File) bool { return !f.standIn() })
}

func (f *File) standIn() bool { return platform.StandIn(f.Platform()) }

// Skipped is a file that was not used.
type Skipped struct {
	// Name is below the folder of raw files, with slashes.
	Name   string
	Reason string
}

// File is what one raw file holds: the record of one run of the harness.
type File struct {
	// Name is the file's name without folder and suffix.
	Name string
	// Facts are its configuration lines, in their order.
	Facts []environ.Pair
	Runs  []Run
	// Failures are the runs that failed.
	Failures []Failure
	// Remarks are what the harness says of its own doing: what it skipped and why,
	// when the machine was busy with something else, where it was interrupted.
	Remarks []Remark

	sorted []Axes // the cases, once they were asked for
}

// Remark is a line of the harness's own.
type Remark struct {
	// Kind is one of harness.RemarkSkipped and its like.
	Kind string
	// Round is the one in which it was made, 0 before the first.
	Round int
	Text  string
}

// words are how a kind of remark reads.
func (r Remark) words() string {
	return map[string]string{
		harness.RemarkSkipped: "not measured: ", harness.RemarkNoise: "noise: ", harness.RemarkResumed: "interrupted, and gone on with: ",
	}[r.Kind]
}

// busyFrom is how much of the processors others may use when a run begins.
const busyFrom = 20 // percent

// busy says how it is known that the machine did other things, "" where it is not.
func (f *File) busy() string {
	var why []string
	share, shareErr := strconv.ParseFloat(strings.TrimSuffix(f.Fact("busy-at-start"), " %"), 64)
	load, loadErr := strconv.ParseFloat(f.Fact("load-at-start"), 64)
	cores, coresErr := strconv.ParseFloat(f.Fact("cores"), 64)
	switch {
	case shareErr == nil && share > busyFrom:
		why = append(why, fmt.Sprintf("%s of its processors were in use when it began", f.Fact("busy-at-start")))
	case shareErr != nil && loadErr == nil && coresErr == nil && load > cores/2:
		why = append(why, fmt.Sprintf("its load was %s on %s cores when it began", f.Fact("load-at-start"), f.Fact("cores")))
	}
	noisy, rounds := 0, 0
	for _, r := range f.Remarks {
		if r.Kind == harness.RemarkNoise {
			noisy++
		}
	}
	for _, r := range f.Runs {
		rounds = max(rounds, r.Round)
	}
	if noisy > 0 {
		why = append(why, fmt.Sprintf("%d of %s were noisy", noisy, counted(rounds, "round")))
	}
	return strings.Join(why, "; ")
}

// Axes say what was measured.
type Axes struct {
	Command, Stack, Tool, Strategy, Terminal string
	// Settings are what was set besides, as in "builders=8 window=5ms"; "" where
	// all was as it is by default. See harness.Settings.
	Settings string
}

// how is the strategy with its settings, for tables.
func (a Axes) how() string { return strings.TrimSuffix(a.Strategy+" "+a.Settings, " ") }

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

// Platform is where it was measured, as the harness detected.
func (f *File) Platform() string { return cmp.Or(f.Fact("platform"), environ.Unknown) }

// Machine names the machine: what the file says, or else a digest of what it says
// of the machine, so that files of one machine are known as such.
func (f *File) Machine() string {
	if m := f.Fact("machine"); m != "" {
		return m
	}
	var all []string
	for _, key := range []string{"platform", "distribution", "cpu", "cores", "memory"} {
		all = append(all, f.Fact(key))
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(all, "\n"))))[:6]
}

// onlyWhether says that the file tells what works, and that its times, if it has any,
// say nothing: it is of Wine.
func (f *File) onlyWhether() bool { return f.Platform() == platform.Wine }

// dropTimes leaves of such a file what the harness writes there; people may send in
// what another program wrote.
func (f *File) dropTimes() {
	for _, r := range f.Runs {
		maps.DeleteFunc(r.Values, func(unit string, _ float64) bool {
			return !slices.ContainsFunc(harness.Whether, func(u string) bool { return harness.BaseUnit(u) == unit })
		})
	}
	for _, failure := range f.Failures {
		for i, line := range failure.Text {
			failure.Text[i] = harness.WithoutTimes(line)
		}
	}
	f.Remarks = slices.DeleteFunc(f.Remarks, func(r Remark) bool { return r.Kind == harness.RemarkNoise })
}

// Peer says that a tool is not ours.
func (f *File) Peer(tool string) bool {
	return strings.HasPrefix(f.Fact("tool-"+tool), "peer")
}

// ReadSet reads the folder of raw files. What cannot be read, or is no record of
// the harness, is left out and named: the rest is kept.
func ReadSet(dir string) (*Set, error) {
	if _, err := os.ReadDir(dir); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	s := &Set{}
	var err error
	if s.Files, err = readDir(s, dir, "", Read); err != nil {
		return nil, err
	}
	s.Works = slices.DeleteFunc(slices.Clone(s.Files), func(f *File) bool { return !f.onlyWhether() })
	s.Files = slices.DeleteFunc(s.Files, (*File).onlyWhether)
	parts, err := readDir(s, dir, "parts", readPart)
	if err != nil {
		return nil, err
	}
	for _, p := range parts {
		if p.onlyWhether() {
			s.Skipped = append(s.Skipped, Skipped{"parts/" + p.Name + ".txt", "it has times of Wine, which are not published"})
			continue
		}
		kind := p.kind()
		list := map[string]*[]*Part{"codecs": &s.Codecs, "spawn": &s.Spawn, "timeline": &s.Timelines, "ui": &s.UI, "go": &s.GoBench}[kind]
		if list == nil {
			s.Skipped = append(s.Skipped, Skipped{"parts/" + p.Name + ".txt", "no report is made of files of this name"})
			continue
		}
		*list = append(*list, p)
	}
	slices.SortFunc(s.Skipped, func(a, b Skipped) int { return cmp.Compare(a.Name, b.Name) })
	return s, nil
}

// readDir reads the raw files of a folder, in the order of their names.
func readDir[T any](s *Set, dir, below string, read func(name string, content []byte) (T, error)) ([]T, error) {
	entries, err := os.ReadDir(filepath.Join(dir, below))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	var files []T
	for _, entry := range entries {
		if entry.IsDir() || filepath.Ext(entry.Name()) != ".txt" {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, below, entry.Name()))
		var file T
		if err == nil {
			file, err = read(entry.Name(), content)
		} else {
			err = errors.Unwrap(err) // the same words wherever the folder is
		}
		if err != nil {
			name := filepath.ToSlash(filepath.Join(below, entry.Name()))
			s.Skipped = append(s.Skipped, Skipped{name, strings.TrimPrefix(err.Error(), "report: ")})
			continue
		}
		files = append(files, file)
	}
	return files, nil
}

// Read reads a raw file: rounds and failures, which are not part of the Go
// benchmark format, and then the measurements with benchfmt.
func Read(name string, content []byte) (*File, error) {
	f := newFile(name)
	type once struct {
		Axes
		round int
	}
	seen := map[once]bool{}
	err := f.scan(name, content, func(bench benchfmt.Name, round int, values map[string]float64) error {
		axes, ok := parseName(bench.String())
		if !ok {
			return fmt.Errorf("%q is not a measurement of the harness", bench)
		}
		if round == 0 {
			return errBeforeRound
		}
		if seen[once{axes, round}] {
			return fmt.Errorf("round %d of %s is there twice: are these two records in one file?", round, bench)
		}
		seen[once{axes, round}] = true
		f.Runs = append(f.Runs, Run{Axes: axes, Round: round, Values: values})
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(f.Runs)+len(f.Failures)+len(f.Remarks) == 0 {
		return nil, errNothing
	}
	if f.onlyWhether() {
		f.dropTimes()
	}
	return f, nil
}

// ReadFile reads one raw file.
func ReadFile(path string) (*File, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return Read(path, content)
}

var errNothing = errors.New("report: no measurement of the harness is in it; bst-bench run makes files that have some")

var errBeforeRound = errors.New("a measurement before the first round")

func newFile(name string) *File { return &File{Name: strings.TrimSuffix(filepath.Base(name), ".txt")} }

// scan reads the text of a raw file and gives each measurement to add, with its
// round and its values by base unit.
func (f *File) scan(name string, content []byte, add func(bench benchfmt.Name, round int, values map[string]float64) error) error {
	// Files are sent in by people, whose programs change the ends of lines.
	content = bytes.ReplaceAll(bytes.TrimPrefix(content, []byte("\ufeff")), []byte("\r\n"), []byte("\n"))
	rounds, err := f.readText(content)
	if err != nil {
		return err
	}
	name = filepath.Base(name)
	reader := benchfmt.NewReader(bytes.NewReader(content), name)
	for reader.Scan() {
		switch record := reader.Result().(type) {
		case *benchfmt.Result:
			_, line := record.Pos()
			values, err := valuesOf(record)
			if err == nil {
				err = add(slices.Clone(record.Name), rounds[line-1], values)
			}
			if err != nil {
				return fmt.Errorf("report: %s:%d: %w", name, line, err)
			}
		case *benchfmt.SyntaxError:
			return fmt.Errorf("report: %w", record)
		}
	}
	if err := reader.Err(); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

func valuesOf(r *benchfmt.Result) (map[string]float64, error) {
	values := map[string]float64{}
	for _, v := range r.Values {
		if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) || v.Value < 0 {
			return nil, fmt.Errorf("%v %s is no measurement", v.Value, v.Unit)
		}
		// benchfmt leaves the unit of a zero as it is.
		values[harness.BaseUnit(v.Unit)] = v.Value
	}
	return values, nil
}

// keyValues are the parts of a measurement's name, as in stack=debian-gnome.
func keyValues(name benchfmt.Name) (base string, keys map[string]string, err error) {
	first, parts := name.Parts()
	keys = map[string]string{}
	for _, part := range parts {
		key, value, ok := strings.Cut(strings.TrimPrefix(string(part), "/"), "=")
		if !ok {
			return "", nil, fmt.Errorf("%q is not KEY=VALUE", part)
		}
		keys[key] = value
	}
	return string(first), keys, nil
}

func parseName(name string) (Axes, bool) {
	base, keys, err := keyValues(benchfmt.Name(name))
	if err != nil {
		return Axes{}, false
	}
	take := func(key string) string {
		value := keys[key]
		delete(keys, key)
		return value
	}
	axes := Axes{Command: strings.ToLower(base), Stack: take("stack"), Tool: take("tool"), Strategy: take("strategy"), Terminal: take("terminal")}
	for _, key := range harness.SettingNames {
		if value := take(key); value != "" {
			axes.Settings = strings.TrimPrefix(axes.Settings+" "+key+"="+value, " ")
		}
	}
	return axes, len(keys) == 0 && axes.Stack != "" && axes.Tool != "" && axes.Strategy != "" && axes.Terminal != ""
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
		if kind, text, ok := harness.CutRemark(line); ok {
			if kind != harness.RemarkEnd {
				f.Remarks = append(f.Remarks, Remark{kind, round, text})
			}
			continue
		}
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
