// Package plan reads files that say what to measure: which question they answer,
// how long they take, and what goes into which raw file.
//
// It knows names of axes and of what stands on them, and refuses all others with
// file, line and column. It does not know how anything is measured.
package plan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"bst/bench/harness"
	"bst/bench/plans"
	"bst/bench/stacks"
	"bst/bench/terminal"
	"bst/strategies"
)

// Plan is a file's content.
type Plan struct {
	// Path is where it was read, Name its file's name without folder and suffix.
	Path, Name string
	// Question is what its raw files answer, on one line.
	Question string
	// Estimate is how long it takes on the machine that it was made on.
	Estimate time.Duration
	// Records are the raw files, in the order in which they are measured.
	Records []Record

	includes []included
}

// included is a plan of the same folder whose records are this one's too.
type included struct {
	name         string
	line, column int
}

// What a record is made of.
const (
	Runs   = "runs"   // whole runs of programs: bst-bench run
	Spawn  = "spawn"  // the beginnings of sessions: bst-bench spawn
	Codecs = "codecs" // what could carry events: bst-bench codecs
	// Timeline is what the user interface costs while a build runs: bst-bench timeline.
	Timeline = "timeline"
	// UI is what an event costs up to the screen: bst-bench ui.
	UI = "ui"
)

// Record is one raw file.
type Record struct {
	// File is its name below the folder of raw files, without ".txt".
	File string
	// Kind is Runs, Spawn, Codecs, Timeline or UI.
	Kind string

	Stacks     []stacks.Spec
	Projects   []string // names of real projects, whose folders the command line gives
	Strategies []string // empty for all that work here
	Commands   []harness.Command
	Terminals  []terminal.Terminal
	Builders   []int
	Frames     []time.Duration
	Windows    []time.Duration
	// PerEvent says that bst that draws on every event is measured beside it.
	PerEvent bool
	// InMemory says that projects and caches lie in memory where the machine can do
	// that: what a disk does now and then is then in no figure.
	InMemory bool
	// Peers are programs to measure beside it, as NAME or NAME=PATH; the command
	// line may give another path.
	Peers []string

	Repetitions     int
	PeerRepetitions int // 0 is as often as the others
	// Timeout bounds a single run; 0 is what the command line says.
	Timeout time.Duration
}

// Error is a mistake in a plan.
type Error struct {
	Path         string
	Line, Column int
	Text         string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.Path, e.Line, e.Column, e.Text)
}

// suffix is that of a plan's file.
const suffix = ".yaml"

// The bounds of plans.
const (
	maxSize    = 1 << 20
	maxRecords = 100
	maxValues  = 100
	maxRounds  = 1000
)

// Read reads a plan: a file, or where there is none of that name the one of
// bench/plans that this program was built with.
func Read(path string) (*Plan, error) {
	var f fs.File
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && planName.MatchString(path) {
		path += suffix
		f, err = plans.Files.Open(path)
	}
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	content, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	p, err := Parse(path, content)
	if err != nil {
		return nil, err
	}
	return p, p.include()
}

// include puts the records of the plans that it names before its own.
func (p *Plan) include() error {
	var all []Record
	for _, other := range p.includes {
		path := filepath.Join(filepath.Dir(p.Path), other.name+filepath.Ext(p.Path))
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && filepath.Base(p.Path) == p.Path {
			path = other.name // of those that are built in
		}
		of, err := Read(path)
		if err != nil {
			return &Error{p.Path, other.line, other.column, err.Error()}
		}
		if len(of.includes) > 0 {
			return &Error{p.Path, other.line, other.column, other.name + " is made of other plans itself; name those"}
		}
		all = append(all, of.Records...)
	}
	p.Records = append(all, p.Records...)
	seen := map[string]bool{}
	for _, record := range p.Records {
		if seen[record.File] {
			return &Error{p.Path, 1, 1, "two of its records write " + record.File}
		}
		seen[record.File] = true
	}
	return nil
}

// ReadDir reads every plan of a folder, in the order of their names.
func ReadDir(dir string) ([]*Plan, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	slices.Sort(paths)
	var plans []*Plan
	for _, path := range paths {
		p, err := Read(path)
		if err != nil {
			return nil, err
		}
		plans = append(plans, p)
	}
	return plans, nil
}

// Parse reads a plan's text. Every error is an *Error.
func Parse(path string, content []byte) (p *Plan, err error) {
	r := &reader{path: path}
	defer func() {
		if found := recover(); found != nil {
			mistake, ok := found.(*Error)
			if !ok {
				panic(found)
			}
			p, err = nil, mistake
		}
	}()
	if len(content) > maxSize {
		return nil, &Error{path, 1, 1, fmt.Sprintf("it has more than %d bytes: it is no plan", maxSize)}
	}
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, &Error{path, 1, 1, "it is empty; a plan has question, estimate and records"}
		}
		return nil, syntax(path, err)
	}
	var more yaml.Node
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, syntax(path, err)
		}
		return nil, &Error{path, more.Line, more.Column, "a second document; a plan is one"}
	}
	p = &Plan{Path: path, Name: strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))}
	root := document.Content[0]
	given := r.mapping(root, []string{"question", "estimate", "plans", "records"}, map[string]func(*yaml.Node){
		"question": func(n *yaml.Node) { p.Question = r.text(n) },
		"estimate": func(n *yaml.Node) { p.Estimate = r.duration(n, time.Second, 24*time.Hour) },
		"plans": func(n *yaml.Node) {
			p.includes = values(r, n, func(n *yaml.Node) included {
				if !planName.MatchString(r.text(n)) {
					r.fail(n, "%q: want a plan's name, of the same folder and without suffix", n.Value)
				}
				return included{r.text(n), n.Line, n.Column}
			})
		},
		"records": func(n *yaml.Node) {
			for _, item := range r.list(n, maxRecords) {
				p.Records = append(p.Records, r.record(item))
			}
		},
	})
	for _, key := range []string{"question", "estimate", "records"} {
		if !given[key] && !(key == "records" && given["plans"]) {
			r.fail(root, "%s is missing", key)
		}
	}
	seen := map[string]bool{}
	for i, record := range p.Records {
		if seen[record.File] {
			r.fail(root, "record %d writes %s, as one before it does", i+1, record.File)
		}
		seen[record.File] = true
	}
	return p, nil
}

var yamlLine = regexp.MustCompile(`(?s)line (\d+)(?:, column (\d+))?:? ?(.*)`)

// syntax takes line and column out of the library's message.
func syntax(path string, err error) *Error {
	e := &Error{path, 1, 1, strings.TrimSpace(err.Error())}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		e.Line, _ = strconv.Atoi(m[1]) // digits
		if m[2] != "" {
			e.Column, _ = strconv.Atoi(m[2])
		}
		e.Text = m[3]
	}
	e.Text = "it is not YAML: " + strings.ReplaceAll(e.Text, "\n", " ")
	return e
}

// reader reads nodes. Its mistakes are panics of *Error, which Parse catches: of a
// file with a mistake nothing is used.
type reader struct{ path string }

func (r *reader) fail(n *yaml.Node, format string, args ...any) {
	panic(&Error{r.path, max(n.Line, 1), max(n.Column, 1), fmt.Sprintf(format, args...)})
}

// kindNames are the kinds of records.
var kindNames = []string{Runs, Spawn, Codecs, Timeline, UI}

// kinds names what a node is, for errors.
var kinds = map[yaml.Kind]string{
	yaml.MappingNode: "a mapping", yaml.SequenceNode: "a list", yaml.ScalarNode: "a single value", yaml.AliasNode: "an alias",
}

func (r *reader) want(n *yaml.Node, kind yaml.Kind) {
	if n.Kind != kind {
		r.fail(n, "here is %s; want %s", kinds[n.Kind], kinds[kind])
	}
}

// mapping reads each value by its key's reader, and returns which keys there were.
func (r *reader) mapping(n *yaml.Node, keys []string, read map[string]func(*yaml.Node)) map[string]bool {
	r.want(n, yaml.MappingNode)
	given := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		r.want(key, yaml.ScalarNode)
		of := read[key.Value]
		if of == nil {
			r.fail(key, "unknown key %q; there are %s", key.Value, strings.Join(keys, ", "))
		}
		if given[key.Value] {
			r.fail(key, "%s is here twice", key.Value)
		}
		given[key.Value] = true
		of(value)
	}
	return given
}

func (r *reader) list(n *yaml.Node, most int) []*yaml.Node {
	r.want(n, yaml.SequenceNode)
	if len(n.Content) == 0 || len(n.Content) > most {
		r.fail(n, "here are %d values; want between 1 and %d", len(n.Content), most)
	}
	return n.Content
}

func (r *reader) text(n *yaml.Node) string {
	r.want(n, yaml.ScalarNode)
	text := strings.TrimSpace(n.Value)
	if text == "" || strings.ContainsAny(text, "\n\r") {
		r.fail(n, "want text of one line")
	}
	return text
}

func (r *reader) number(n *yaml.Node, least, most int) int {
	v, err := strconv.Atoi(r.text(n))
	if err != nil || v < least || v > most {
		r.fail(n, "%q: want a number between %d and %d", n.Value, least, most)
	}
	return v
}

func (r *reader) duration(n *yaml.Node, least, most time.Duration) time.Duration {
	v, err := time.ParseDuration(r.text(n))
	if err != nil || v < least || v > most {
		r.fail(n, "%q: want a time between %v and %v, as in 90s or 5m", n.Value, least, most)
	}
	return v
}

func (r *reader) boolean(n *yaml.Node) bool {
	switch r.text(n) {
	case "true":
		return true
	case "false":
		return false
	}
	r.fail(n, "%q: want true or false", n.Value)
	return false
}

// values reads a list without the same value twice.
func values[T any](r *reader, n *yaml.Node, read func(*yaml.Node) T) []T {
	var all []T
	seen := map[string]bool{}
	for _, item := range r.list(n, maxValues) {
		v := read(item)
		if seen[item.Value] {
			r.fail(item, "%s is here twice", item.Value)
		}
		seen[item.Value] = true
		all = append(all, v)
	}
	return all
}

// named reads a value by a function that knows the names.
func named[T any](r *reader, parse func(string) (T, error)) func(*yaml.Node) T {
	return func(n *yaml.Node) T {
		v, err := parse(r.text(n))
		if err != nil {
			r.fail(n, "%s", withoutPackage(err.Error()))
		}
		return v
	}
}

// withoutPackage drops the name that errors of this module start with.
func withoutPackage(text string) string {
	for _, name := range []string{"stacks: ", "harness: ", "terminal: "} {
		text = strings.TrimPrefix(text, name)
	}
	return text
}

// keysOf are the keys of records, in the order in which errors list them, with the
// kinds of records that have them.
var keysOf = []struct {
	key   string
	kinds string
}{
	{"file", "runs spawn codecs timeline ui"}, {"kind", "runs spawn codecs timeline ui"}, {"stacks", "runs spawn codecs timeline ui"}, {"projects", "runs"},
	{"strategies", "runs spawn timeline ui"}, {"commands", "runs"}, {"terminals", "runs timeline"}, {"terminal", "spawn"}, {"builders", "runs"},
	{"frames", "runs"}, {"windows", "runs"}, {"per-event", "runs"}, {"in-memory", "runs"}, {"peers", "runs"}, {"repetitions", "runs spawn codecs timeline ui"},
	{"peer-repetitions", "runs"}, {"timeout", "runs"},
}

var (
	planName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)
	fileName = regexp.MustCompile(`^([a-z0-9]+/)?[a-z0-9][a-z0-9.-]*$`)
	toolName = regexp.MustCompile(`^[a-z0-9.-]+(=.+)?$`)
)

func (r *reader) record(n *yaml.Node) Record {
	out := Record{Kind: Runs}
	var keys []string
	for _, k := range keysOf {
		keys = append(keys, k.key)
	}
	given := r.mapping(n, keys, map[string]func(*yaml.Node){
		"file": func(n *yaml.Node) {
			if out.File = r.text(n); !fileName.MatchString(out.File) {
				r.fail(n, "%q: want a file's name of small letters, digits, dots and dashes, at most one folder deep, without .txt", out.File)
			}
		},
		"kind": func(n *yaml.Node) {
			if out.Kind = r.text(n); !slices.Contains(kindNames, out.Kind) {
				r.fail(n, "unknown kind %q; there are %s", out.Kind, strings.Join(kindNames, ", "))
			}
		},
		"stacks": func(n *yaml.Node) { out.Stacks = values(r, n, named(r, stacks.ParseName)) },
		"projects": func(n *yaml.Node) {
			out.Projects = values(r, n, func(n *yaml.Node) string {
				if _, err := stacks.ParseReal(r.text(n) + "=dir"); err != nil {
					r.fail(n, "%q: want a name of small letters, digits, dots and dashes", n.Value)
				}
				return r.text(n)
			})
		},
		"strategies": func(n *yaml.Node) { out.Strategies = values(r, n, named(r, strategy)) },
		"commands":   func(n *yaml.Node) { out.Commands = values(r, n, named(r, harness.ParseCommand)) },
		"terminals":  func(n *yaml.Node) { out.Terminals = values(r, n, named(r, terminal.Parse)) },
		"terminal":   func(n *yaml.Node) { out.Terminals = []terminal.Terminal{named(r, terminal.Parse)(n)} },
		"builders": func(n *yaml.Node) {
			out.Builders = values(r, n, func(n *yaml.Node) int { return r.number(n, 1, 1000) })
		},
		"frames": func(n *yaml.Node) {
			out.Frames = values(r, n, func(n *yaml.Node) time.Duration { return r.duration(n, time.Millisecond, time.Minute) })
		},
		"windows": func(n *yaml.Node) {
			out.Windows = values(r, n, func(n *yaml.Node) time.Duration { return r.duration(n, time.Millisecond, time.Minute) })
		},
		"per-event": func(n *yaml.Node) { out.PerEvent = r.boolean(n) },
		"in-memory": func(n *yaml.Node) { out.InMemory = r.boolean(n) },
		"peers": func(n *yaml.Node) {
			out.Peers = values(r, n, func(n *yaml.Node) string {
				if !toolName.MatchString(r.text(n)) {
					r.fail(n, "%q: want NAME or NAME=PATH, the name of small letters, digits, dots and dashes", n.Value)
				}
				return r.text(n)
			})
		},
		"repetitions":      func(n *yaml.Node) { out.Repetitions = r.number(n, 1, maxRounds) },
		"peer-repetitions": func(n *yaml.Node) { out.PeerRepetitions = r.number(n, 1, maxRounds) },
		"timeout":          func(n *yaml.Node) { out.Timeout = r.duration(n, time.Second, 6*time.Hour) },
	})
	required := []string{"file", "repetitions", "stacks"}
	if out.Kind == Runs {
		required = append(required, "commands", "terminals")
		if given["projects"] {
			required = slices.DeleteFunc(required, func(k string) bool { return k == "stacks" })
		}
	}
	for _, key := range required {
		if !given[key] {
			r.fail(n, "%s is missing in this record", key)
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		for _, k := range keysOf {
			if key := n.Content[i]; k.key == key.Value && !slices.Contains(strings.Fields(k.kinds), out.Kind) {
				r.fail(key, "a record of kind %s has no %s", out.Kind, key.Value)
			}
		}
	}
	return out
}

// strategy knows the strategies of all platforms.
func strategy(name string) (string, error) {
	var names []string
	for _, s := range strategies.Every() {
		if s.Name == name {
			return name, nil
		}
		names = append(names, s.Name)
	}
	return "", fmt.Errorf("unknown strategy %q; there are %s", name, strings.Join(names, ", "))
}
