package difftest

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// patience is how long a small project may take before it counts as hanging.
const patience = time.Minute

// bounded runs f, which must neither panic nor hang.
func bounded(t testing.TB, p *Project, f func() outcome) outcome {
	t.Helper()
	done := make(chan outcome, 1)
	go func() { done <- f() }()
	select {
	case o := <-done:
		return o
	case <-time.After(patience):
		t.Fatalf("seed %d (%s): hangs", p.Seed, p.Mischief)
	}
	return outcome{}
}

const keysFormat = "%{name} %{full-key}"

// whence begins the messages of errors about files.
var whence = regexp.MustCompile(`^(\w+ (element|source) at )?[^:\[\]]*(:[^:\[\]]+)* \[(line \d+ column \d+|synthetic node)\]: `)

// nowhere are the errors that no place in a file belongs to, or that the
// reference, too, gives without one.
var nowhere = regexp.MustCompile(`(?s)^([^\n]+: (Severely )?[Mm]alformed YAML|Invalid value for |Unknown option |Circular dependency detected|` +
	`The following element|Could not find element|Element '|Aliases are|\S+ \[line)|Reference to|Invalid element name|Could not load|None of|Dependency|Junction`)

// TestProperties checks what must hold for all projects.
func TestProperties(t *testing.T) {
	first, projects := number(t, "BST_SEED", 1), number(t, "BST_PROJECTS", 60)
	if testing.Short() {
		projects = min(projects, 10)
	}
	w := newWorkplace(t)
	for seed := first; seed < first+projects; seed++ {
		p := Generate(uint64(seed))
		w.lay(t, p, NewStyle(0))
		o := bounded(t, p, func() outcome { return w.show(t, p, keysFormat) })
		if o.Exit != 0 {
			checkError(t, p, o)
			continue
		}
		checkSame(t, w, p, o)
		checkDifferent(t, w, p, o)
	}
}

// checkError checks an error's form.
func checkError(t *testing.T, p *Project, o outcome) {
	t.Helper()
	if o.Exit != 255 || o.Domain == "" || o.Message == "" || o.Stdout != "" {
		t.Errorf("seed %d (%s): %s\n%s", p.Seed, p.Mischief, o.short(), o.Stdout)
	}
	if o.Domain == "LOAD" && !whence.MatchString(o.Message) && !nowhere.MatchString(o.Message) {
		t.Errorf("seed %d (%s): the error does not say where: %s", p.Seed, p.Mischief, o.short())
	}
	if !strings.Contains(o.Stderr, strings.SplitN(o.Message, "\n", 2)[0]) {
		t.Errorf("seed %d (%s): the person is not told: %s", p.Seed, p.Mischief, o.short())
	}
}

// checkSame checks that keys stay, however the project is written and read.
func checkSame(t *testing.T, w *workplace, p *Project, o outcome) {
	t.Helper()
	same := func(how string, again outcome) {
		t.Helper()
		if diff := cmp.Diff(o.Stdout, again.Stdout); diff != "" || again.Exit != 0 {
			t.Errorf("seed %d (%s): keys differ %s: %s\n%s", p.Seed, p.Mischief, how, again.short(), diff)
		}
	}
	procs := runtime.GOMAXPROCS(1)
	same("on one processor", bounded(t, p, func() outcome { return w.show(t, p, keysFormat) }))
	runtime.GOMAXPROCS(8)
	same("on eight processors", bounded(t, p, func() outcome { return w.show(t, p, keysFormat) }))
	runtime.GOMAXPROCS(procs)

	// How many jobs a build may use is written into environments by projects
	// that want it there.
	if !strings.Contains(fmt.Sprint(p.texts()), "max-jobs") {
		same("with more jobs", bounded(t, p, func() outcome { return w.show(t, p, keysFormat, "--max-jobs", "7") }))
	}
	if p.raw == nil {
		w.lay(t, p, NewStyle(p.Seed+1))
		same("in another style", bounded(t, p, func() outcome { return w.show(t, p, keysFormat) }))

		other := Generate(p.Seed)
		unused := mapping("type", "bool", "description", "nobody asks", "default", "False")
		if options, ok := other.Documents["project.conf"].get("options").(*Map); ok {
			options.set("nobody_asks", unused)
		} else if other.Documents["project.conf"].get("(@)") == nil {
			other.Documents["project.conf"].set("options", mapping("nobody_asks", unused))
		}
		w.lay(t, other, NewStyle(0))
		same("with an option more", bounded(t, p, func() outcome { return w.show(t, p, keysFormat) }))
	}
}

func (p *Project) texts() []string {
	var all []string
	for _, path := range p.paths() {
		all = append(all, p.Text(path, NewStyle(0)))
	}
	return all
}

// checkDifferent checks that the target's key follows a change of its public
// data, and that all others stay.
func checkDifferent(t *testing.T, w *workplace, p *Project, o outcome) {
	t.Helper()
	other := Generate(p.Seed)
	target := other.Targets[0]
	path := target
	if other.Documents[path] == nil {
		path = "elements/" + target
	}
	if other.raw != nil || other.Documents[path] == nil || strings.Contains(o.Stdout, "????") {
		return
	}
	e := other.Documents[path]
	if e.get("(?)") != nil || e.get("(@)") != nil {
		return
	}
	public, ok := e.get("public").(*Map)
	if !ok {
		public = mapping()
	}
	public.set("changed", mapping("is", "relevant"))
	e.set("public", public)
	w.lay(t, other, NewStyle(0))
	again := bounded(t, p, func() outcome { return w.show(t, p, keysFormat) })
	was, is := strings.Split(o.Stdout, "\n"), strings.Split(again.Stdout, "\n")
	if again.Exit != 0 || len(was) != len(is) {
		t.Errorf("seed %d: public data spoil %s: %s", p.Seed, target, again.short())
		return
	}
	changed := false
	for i := range was {
		if was[i] == is[i] {
			continue
		}
		if strings.HasPrefix(was[i], target+" ") {
			changed = true
		}
	}
	if !changed {
		t.Errorf("seed %d: the key of %s does not follow its public data", p.Seed, target)
	}
}

// TestGenerateAgain checks that a seed stands for one project.
func TestGenerateAgain(t *testing.T) {
	for seed := range uint64(50) {
		a, b := Generate(seed), Generate(seed)
		if diff := cmp.Diff(a.texts(), b.texts()); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
		if diff := cmp.Diff(a.Targets, b.Targets); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
	}
}

// FuzzProject looks for texts of project.conf and of an element that bst does
// not survive.
func FuzzProject(f *testing.F) {
	for seed := range uint64(20) {
		p := Generate(seed)
		for _, path := range p.paths() {
			if strings.HasSuffix(path, ".bst") {
				f.Add(p.Text("project.conf", NewStyle(seed)), p.Text(path, NewStyle(seed)))
				break
			}
		}
	}
	w := newWorkplace(f)
	f.Fuzz(func(t *testing.T, conf, element string) {
		p := &Project{Documents: map[string]*Map{"project.conf": nil, "e0.bst": nil, "elements/e0.bst": nil},
			raw: map[string]string{"project.conf": conf, "e0.bst": element, "elements/e0.bst": element}, Targets: []string{"e0.bst"}}
		w.project = t.TempDir()
		if err := os.RemoveAll(w.project); err != nil {
			t.Fatal(err)
		}
		w.lay(t, p, NewStyle(0))
		if o := bounded(t, p, func() outcome { return w.show(t, p, keysFormat) }); o.Exit != 0 && o.Exit != 255 {
			t.Errorf("exit %d", o.Exit)
		}
	})
}
