package termmodel

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

// TestModels: every figure has its source.
func TestModels(t *testing.T) {
	for i := range models {
		m := &models[i]
		found, err := Find(m.Name)
		if err != nil || found != m {
			t.Errorf("%s: %v, %v", m.Name, found, err)
		}
		sources := strings.Join(m.Sources, "\n")
		for what, figure := range map[string]time.Duration{
			"write": m.Write, "byte": m.Byte, "line": m.Line, "escape": m.Escape,
			"buffer": time.Duration(m.Buffer), "round trip": m.RoundTrip,
		} {
			if figure != 0 && !strings.Contains(sources, what) {
				t.Errorf("%s: no source says where its cost a %s is from", m.Name, what)
			}
		}
	}
	if _, err := Find("vt100"); err == nil || !strings.Contains(err.Error(), "conhost") {
		t.Error(err)
	}
}

func TestCost(t *testing.T) {
	m := Model{Write: 1000, Byte: 1, Line: 100, Escape: 10}
	for text, want := range map[string]time.Duration{"": 1000, "abc": 1003, "a\nb\n": 1204, "\x1b[1mx\x1b[0m\n": 1130} {
		if got := m.Cost([]byte(text)); got != want {
			t.Errorf("%q costs %d, want %d", text, got, want)
		}
	}
}

// TestWriter: a writer waits for as long as its writes cost, in all, though each
// alone is too short to be slept; and a stream's errors are passed on unpaid.
func TestWriter(t *testing.T) {
	m := Model{Write: 300 * time.Microsecond}
	clock := m.NewClock()
	var out bytes.Buffer
	w := clock.Writer(&out)
	for range 100 {
		if n, err := w.Write([]byte("x")); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	if out.Len() != 100 {
		t.Errorf("%d bytes arrived", out.Len())
	}
	// What is slept too long is taken off the next sleep, so that all is there but
	// what does not make a sleep.
	if got, want := clock.Slept()+clock.debt, 30*time.Millisecond; got != want {
		t.Errorf("%v were slept or are owed, want %v", got, want)
	}
	if clock.debt >= shortestSleep {
		t.Errorf("%v are still owed", clock.debt)
	}
	if n, err := clock.Writer(broken{}).Write([]byte("x")); n != 0 || !errors.Is(err, errBroken) {
		t.Error(n, err)
	}
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }

// TestBuffer: with a buffer a writer waits only for what does not fit.
func TestBuffer(t *testing.T) {
	m := Model{Byte: time.Microsecond, Buffer: 1000}
	clock := m.NewClock()
	clock.Pay(make([]byte, 1000))
	if clock.Slept() != 0 {
		t.Errorf("it waited for %v although there was room", clock.Slept())
	}
	clock.Pay(make([]byte, 50_000))
	if clock.Slept() < 40*time.Millisecond {
		t.Errorf("it waited for %v, want 50 ms less what went by", clock.Slept())
	}
}
