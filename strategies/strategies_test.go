package strategies_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"bst/impl/stream"
	"bst/strategies"
	"bst/strategies/inprocess"
	"bst/strategies/strategytest"
)

// subjects are all rows of the table: a new one is tested by being there.
func subjects() []strategytest.Subject {
	var all []strategytest.Subject
	for _, s := range strategies.All() {
		all = append(all, strategytest.Subject{Name: s.Name, Open: s.Open, Serve: s.Serve, Stays: s.Stays()})
	}
	return all
}

func TestMain(m *testing.M) {
	os.Exit(strategytest.Main(m, subjects()))
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

// The table of defaults has an answer for every place, and only ones that work.
func TestDefaults(t *testing.T) {
	seen := make(map[[2]string]bool)
	for _, c := range strategies.Defaults() {
		place := [2]string{c.Platform, c.Terminal}
		if seen[place] || c.Why == "" || (c.Platform == "") != (c.Terminal == "") {
			t.Errorf("row %+v lacks something, or is there twice", c)
		}
		seen[place] = true
		if _, err := strategies.Lookup(c.Strategy); err != nil {
			t.Errorf("%v: %v", place, err)
		}
		if got := strategies.Choose(c.Platform, c.Terminal); got != c {
			t.Errorf("%v: chose %+v, want %+v", place, got, c)
		}
	}
	if got := strategies.Choose("plan9", "none"); !seen[[2]string{}] || got.Platform != "" || got.Strategy == "" {
		t.Errorf("elsewhere: %+v", got)
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
