package strategies_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"bst/impl/stream"
	"bst/strategies"
	"bst/strategies/inprocess"
	"bst/strategies/pipe"
	"bst/strategies/strategytest"
)

// serves says how a started backend of each strategy serves.
var serves = map[string]strategytest.Serve{
	pipe.Name: pipe.Serve,
}

// subjects are all rows of the table: a new one is tested by being there.
func subjects() []strategytest.Subject {
	var all []strategytest.Subject
	for _, s := range strategies.All() {
		all = append(all, strategytest.Subject{Name: s.Name, Open: s.Open, Process: serves[s.Name] != nil})
	}
	return all
}

func TestMain(m *testing.M) {
	os.Exit(strategytest.Main(m, subjects(), serves))
}

func TestStrategies(t *testing.T) {
	for _, s := range subjects() {
		t.Run(s.Name, func(t *testing.T) { strategytest.Test(t, s) })
	}
}

func BenchmarkStrategies(b *testing.B) {
	for _, s := range subjects() {
		b.Run(s.Name, func(b *testing.B) { strategytest.Bench(b, s) })
	}
}

func TestLookup(t *testing.T) {
	for _, name := range strategies.Names() {
		if s, err := strategies.Lookup(name); err != nil || s.Name != name {
			t.Errorf("%s: found %s, error %v", name, s.Name, err)
		}
	}
	if s, err := strategies.Lookup(""); err != nil || s.Name != strategies.Default() {
		t.Errorf("no name: found %s, error %v", s.Name, err)
	}
	_, err := strategies.Lookup("carrier-pigeon")
	var serr *stream.Error
	if !errors.As(err, &serr) || serr.Domain != stream.DomainApp {
		t.Fatalf("error %#v", err)
	}
	for _, name := range append(strategies.Names(), "carrier-pigeon") {
		if !strings.Contains(serr.Message, name) {
			t.Errorf("%q does not name %s", serr.Message, name)
		}
	}
}

func TestEveryRowIsWhole(t *testing.T) {
	seen := make(map[string]bool)
	for _, s := range strategies.All() {
		if s.Name == "" || s.Doc == "" || s.Open == nil || seen[s.Name] {
			t.Errorf("row %+v lacks something, or is there twice", s)
		}
		seen[s.Name] = true
	}
	if !seen[inprocess.Name] {
		t.Error("the control is missing")
	}
}
