package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

// testMargin is above the tick by which Linux tells the time of changes.
const testMargin = 25 * time.Millisecond

// asked is one question: what is shown, by which settings.
type asked struct {
	targets []string
	fields  []string
	options map[string]string
	deps    string
}

// answer is all that a session says, but for times and processes.
func answer(dir, cache string, memory *Memory, q asked) []string {
	orders := make(chan stream.Order, 1)
	orders <- &stream.Show{
		Session: stream.Session{Directory: dir, Settings: stream.Settings{CacheDir: cache, SourceDir: cache + "/sources",
			LogDir: cache + "/logs", Options: q.options}},
		Targets: q.targets, Deps: q.deps, Sort: "stage", Fields: q.fields,
	}
	var mu sync.Mutex
	var said []string
	New(Config{Memory: memory}).Run(context.Background(), orders, func(events ...stream.Event) {
		mu.Lock()
		defer mu.Unlock()
		for _, ev := range events {
			switch ev := ev.(type) {
			case *stream.ElementShown:
				said = append(said, fmt.Sprintf("%+v", *ev))
			case *stream.Message:
				said = append(said, fmt.Sprint(ev.Type, ev.Element, ev.Text, ev.Detail))
			case *stream.Stage:
				if ev.Current > 0 && !ev.Done {
					continue // how far it is, is told by the clock
				}
				said = append(said, fmt.Sprint(ev.Name, ev.Done))
			case *stream.Finished:
				said = append(said, fmt.Sprintf("%+v", ev.Error))
			}
		}
	})
	return said
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

const confText = `name: kept
min-version: 2.0
element-path: elements
(@): include/conf.yml
options:
  mode:
    type: enum
    description: a mode
    values: [fast, safe]
    default: safe
    variable: mode
plugins:
- origin: pip
  package-name: buildstream-plugins
  sources: [patch]
`

// keptProject writes a project with everything that a graph is made from: elements,
// includes, local files, patches, links and a subproject.
func keptProject(t *testing.T, dir string) {
	write(t, filepath.Join(dir, "project.conf"), confText)
	write(t, filepath.Join(dir, "include/conf.yml"), "variables:\n  flavour: 'aaa'\n")
	write(t, filepath.Join(dir, "include/element.yml"), "variables:\n  extra: 'aaa'\n")
	for i := range 6 {
		writeElement(t, dir, i, "aaa")
		write(t, filepath.Join(dir, fmt.Sprintf("files/%d/one.txt", i)), "aaa")
		write(t, filepath.Join(dir, fmt.Sprintf("files/%d/deep/two.txt", i)), "aaa")
	}
	if err := os.Symlink("one.txt", filepath.Join(dir, "files/0/link")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "patches/fix.patch"), "aaa")
	write(t, filepath.Join(dir, "elements/patched.bst"), "kind: manual\nsources:\n- kind: local\n  path: files/1\n- kind: patch\n  path: patches/fix.patch\n")
	write(t, filepath.Join(dir, "elements/sub.bst"), "kind: junction\nsources:\n- kind: local\n  path: sub\n")
	write(t, filepath.Join(dir, "elements/across.bst"), "kind: stack\ndepends:\n- sub.bst:inner.bst\n- patched.bst\n")
	write(t, filepath.Join(dir, "sub/project.conf"), "name: inner\nmin-version: 2.0\n")
	write(t, filepath.Join(dir, "sub/inner.bst"), "kind: manual\ndescription: 'aaa'\n")
}

// writeElement writes element i, which depends on the ones before it.
func writeElement(t *testing.T, dir string, i int, text string) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "kind: manual\ndescription: '%s'\n(@): include/element.yml\nvariables:\n  own: '%s %%{mode} %%{flavour}'\n", text, text)
	fmt.Fprintf(&b, "config:\n  build-commands: ['echo %%{own} %%{extra}']\nsources:\n- kind: local\n  path: files/%d\n", i)
	if i > 0 {
		fmt.Fprintf(&b, "build-depends:\n- e%d.bst\n", i-1)
	}
	write(t, filepath.Join(dir, fmt.Sprintf("elements/e%d.bst", i)), b.String())
}

// edits are what people, programs and version control do to a project. Each leaves
// something that a later edit may undo.
var edits = []struct {
	name string
	do   func(t *testing.T, dir string, r *rand.Rand, text string)
}{
	{"an element", func(t *testing.T, dir string, r *rand.Rand, text string) { writeElement(t, dir, r.IntN(6), text) }},
	{"an element, its time and size as before", func(t *testing.T, dir string, r *rand.Rand, text string) {
		path := filepath.Join(dir, fmt.Sprintf("elements/e%d.bst", r.IntN(6)))
		sameTime(t, path, text)
	}},
	{"an element by renaming", func(t *testing.T, dir string, r *rand.Rand, text string) {
		i := r.IntN(6)
		path := filepath.Join(dir, fmt.Sprintf("elements/e%d.bst", i))
		aside := t.TempDir()
		write(t, filepath.Join(aside, "project.conf"), "")
		writeElement(t, aside, i, text)
		must(t, os.Rename(filepath.Join(aside, fmt.Sprintf("elements/e%d.bst", i)), path))
	}},
	{"another element", func(t *testing.T, dir string, r *rand.Rand, text string) {
		write(t, filepath.Join(dir, "elements/new-"+text+".bst"), "kind: stack\ndepends: [e1.bst]\n")
	}},
	{"no such element", func(t *testing.T, dir string, r *rand.Rand, text string) {
		found, err := filepath.Glob(filepath.Join(dir, "elements/new-*.bst"))
		must(t, err)
		for _, path := range found {
			must(t, os.Remove(path))
		}
	}},
	{"an element goes and comes", func(t *testing.T, dir string, r *rand.Rand, text string) {
		path := filepath.Join(dir, "elements/e5.bst")
		if os.Rename(path, path+".away") != nil {
			must(t, os.Rename(path+".away", path))
		}
	}},
	{"an include", func(t *testing.T, dir string, r *rand.Rand, text string) {
		write(t, filepath.Join(dir, "include/element.yml"), "variables:\n  extra: '"+text+"'\n")
	}},
	{"project.conf's include, time and size as before", func(t *testing.T, dir string, r *rand.Rand, text string) {
		sameTime(t, filepath.Join(dir, "include/conf.yml"), text)
	}},
	{"project.conf", func(t *testing.T, dir string, r *rand.Rand, text string) {
		write(t, filepath.Join(dir, "project.conf"), confText+"environment:\n  CFLAGS: '"+text+"'\n")
	}},
	{"a broken project.conf", func(t *testing.T, dir string, r *rand.Rand, text string) {
		write(t, filepath.Join(dir, "project.conf"), confText+"no-such-key: 1\n")
	}},
	{"project.conf as it was", func(t *testing.T, dir string, r *rand.Rand, text string) {
		write(t, filepath.Join(dir, "project.conf"), confText)
	}},
	{"a local file, its time and size as before", func(t *testing.T, dir string, r *rand.Rand, text string) {
		sameTime(t, filepath.Join(dir, fmt.Sprintf("files/%d/deep/two.txt", r.IntN(6))), text)
	}},
	{"a local file more", func(t *testing.T, dir string, r *rand.Rand, text string) {
		write(t, filepath.Join(dir, fmt.Sprintf("files/%d/deep/%s", r.IntN(6), text)), "")
	}},
	{"a mode", func(t *testing.T, dir string, r *rand.Rand, text string) {
		path := filepath.Join(dir, fmt.Sprintf("files/%d/one.txt", r.IntN(6)))
		info, err := os.Stat(path)
		must(t, err)
		must(t, os.Chmod(path, info.Mode().Perm()^0o111))
	}},
	{"a link in a local source", func(t *testing.T, dir string, r *rand.Rand, text string) {
		must(t, os.Remove(filepath.Join(dir, "files/0/link")))
		must(t, os.Symlink(text, filepath.Join(dir, "files/0/link")))
	}},
	{"an element becomes a link", func(t *testing.T, dir string, r *rand.Rand, text string) {
		path := filepath.Join(dir, "elements/e2.bst")
		writeElement(t, filepath.Join(dir, "real-"+text), 2, text)
		must(t, os.Remove(path))
		must(t, os.Symlink("../real-"+text+"/elements/e2.bst", path))
	}},
	{"a folder takes another's place", func(t *testing.T, dir string, r *rand.Rand, text string) {
		was, other := filepath.Join(dir, "files/3"), filepath.Join(dir, "other/3")
		if _, err := os.Stat(other); err != nil {
			write(t, filepath.Join(other, "one.txt"), text)
			return
		}
		must(t, os.Rename(was, was+".away"))
		must(t, os.Rename(other, was))
		must(t, os.Rename(was+".away", other))
	}},
	{"a folder becomes a link", func(t *testing.T, dir string, r *rand.Rand, text string) {
		path := filepath.Join(dir, "sub")
		if os.Remove(path) == nil { // it was a link
			must(t, os.Rename(path+".real", path))
			return
		}
		must(t, os.Rename(path, path+".real"))
		must(t, os.Symlink("sub.real", path))
	}},
	{"a subproject's element", func(t *testing.T, dir string, r *rand.Rand, text string) {
		sameTime(t, filepath.Join(dir, "sub/inner.bst"), text)
	}},
	{"a patch", func(t *testing.T, dir string, r *rand.Rand, text string) {
		sameTime(t, filepath.Join(dir, "patches/fix.patch"), text)
	}},
	{"project.refs", func(t *testing.T, dir string, r *rand.Rand, text string) {
		write(t, filepath.Join(dir, "project.refs"), "projects: {}\n")
	}},
	{"times in the past and in the future", func(t *testing.T, dir string, r *rand.Rand, text string) {
		path := filepath.Join(dir, "elements/e1.bst")
		writeElement(t, dir, 1, text)
		when := time.Now().Add(time.Duration(r.IntN(3)-1) * time.Hour)
		must(t, os.Chtimes(path, when, when))
	}},
	{"nothing", func(*testing.T, string, *rand.Rand, string) {}},
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sameTime replaces three letters in quotes, or the whole, and gives the file its
// time of modification back.
func sameTime(t *testing.T, path, text string) {
	t.Helper()
	info, err := os.Stat(path)
	if os.IsNotExist(err) {
		return // an edit before took it away
	}
	must(t, err)
	b, err := os.ReadFile(path)
	must(t, err)
	if i := strings.IndexByte(string(b), '\''); i >= 0 && len(b) > i+3 {
		copy(b[i+1:], text)
	} else {
		copy(b, text)
	}
	must(t, os.WriteFile(path, b, 0o666))
	must(t, os.Chtimes(path, info.ModTime(), info.ModTime()))
}

// A warm answer is the cold one, whatever is done to the project in between.
func TestNeverStale(t *testing.T) {
	steps := 120
	if testing.Short() {
		steps = 40
	}
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 20))
			dir, cache := t.TempDir(), t.TempDir()
			keptProject(t, dir)
			memory := &Memory{margin: testMargin}
			questions := []asked{
				{targets: nil, deps: "all", fields: []string{"full-key", "state", "description", "vars"}},
				{targets: []string{"e4.bst", "across.bst"}, deps: "run", fields: []string{"full-key", "config"}},
				{targets: []string{"e*.bst"}, deps: "all", fields: []string{"name", "vars"}},
				{targets: []string{"across.bst"}, deps: "all", fields: []string{"full-key"}, options: map[string]string{"mode": "fast"}},
			}
			q := questions[0]
			hits := 0
			check := func(step int, what string) {
				t.Helper()
				warm := answer(dir, cache, memory, q)
				if diff := cmp.Diff(answer(dir, cache, nil, q), warm); diff != "" {
					t.Fatalf("step %d, after %s: cold and warm differ (-cold +warm):\n%s", step, what, diff)
				}
			}
			for step := range steps {
				edit := edits[r.IntN(len(edits))]
				text := string([]byte{'a' + byte(r.IntN(26)), 'a' + byte(r.IntN(26)), 'a' + byte(r.IntN(26))})
				edit.do(t, dir, r, text)
				check(step, edit.name) // it may be too fresh to be kept
				if r.IntN(3) > 0 {
					time.Sleep(2 * testMargin)
					check(step, edit.name+" and a while")
					memory.settle()
					kept := len(memory.kept)
					check(step, edit.name+" and a while, once more")
					if kept > 0 && len(memory.kept) == kept {
						hits++
					}
				}
				if r.IntN(4) == 0 {
					q = questions[r.IntN(len(questions))]
				}
			}
			if hits < steps/10 {
				t.Errorf("only %d of %d answers could have been warm", hits, steps)
			}
		})
	}
}

// A kept graph serves several sessions at once, and is really used.
func TestKeptIsShared(t *testing.T) {
	dir, cache := t.TempDir(), t.TempDir()
	keptProject(t, dir)
	time.Sleep(2 * testMargin)
	memory := &Memory{margin: testMargin}
	q := asked{deps: "all", fields: []string{"full-key", "state", "source-info", "public", "env", "vars", "config", "deps"}}
	want := answer(dir, cache, memory, q)
	memory.settle()
	if len(memory.kept) != 1 {
		t.Fatalf("%d graphs are kept; the answer: %q", len(memory.kept), want)
	}
	graph := memory.kept[0].graph
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if diff := cmp.Diff(want, answer(dir, cache, memory, q)); diff != "" {
				t.Errorf("answers differ (-first +other):\n%s", diff)
			}
		})
	}
	wg.Wait()
	if len(memory.kept) != 1 || memory.kept[0].graph != graph {
		t.Error("the graph was loaded again")
	}
}

// What is kept has a bound, and goes in the order of its last use.
func TestMemoryIsBounded(t *testing.T) {
	dir, cache := t.TempDir(), t.TempDir()
	keptProject(t, dir)
	time.Sleep(2 * testMargin)
	memory := &Memory{margin: testMargin}
	first := asked{targets: []string{"e0.bst"}, deps: "all", fields: []string{"name"}}
	answer(dir, cache, memory, first)
	memory.settle()
	for i := range maxKept + 3 {
		answer(dir, cache, memory, first)
		answer(dir, cache, memory, asked{targets: []string{fmt.Sprintf("e%d.bst", i%6), fmt.Sprintf("e%d.bst", i/6)},
			deps: "all", fields: []string{"name"}})
	}
	memory.settle()
	if n := len(memory.kept); n != maxKept {
		t.Errorf("%d graphs are kept, want %d", n, maxKept)
	}
	if !slices.ContainsFunc(memory.kept, func(k *keptGraph) bool { return strings.Contains(k.wanted, `["e0.bst"]`) }) {
		t.Error("the graph that was used all the time is gone")
	}
}

// What one session has asked says nothing to another, nor of another graph.
func TestInquiriesAreOfTheirOwn(t *testing.T) {
	dir, cache := t.TempDir(), t.TempDir()
	keptProject(t, dir)
	time.Sleep(2 * testMargin)
	memory := &Memory{margin: testMargin}
	if memory.inquire() != nil {
		t.Error("there is an inquiry about nothing")
	}
	q := asked{deps: "all", fields: []string{"full-key"}}
	before := answer(dir, cache, memory, q)
	memory.settle()
	if len(memory.kept) != 1 {
		t.Fatalf("%d graphs are kept", len(memory.kept))
	}
	k := memory.kept[0]
	early := memory.inquire()
	if got := memory.recall(k.wanted, early); got != k || !early.same {
		t.Errorf("nothing has changed, and the answer is %v, %v", got, early.same)
	}
	writeElement(t, dir, 4, "changed")
	if after := answer(dir, cache, memory, q); cmp.Equal(before, after) {
		t.Errorf("a session that began after a change does not see it: %q", after)
	}
	// The graph of the new state is kept only after a while: this is about the old one.
	memory.settle()
	memory.kept = []*keptGraph{k}
	other := &inquiry{of: new(keptGraph), done: early.done, same: true}
	if memory.recall(k.wanted, other) != nil {
		t.Error("what was asked about another graph is taken for an answer")
	}
}
