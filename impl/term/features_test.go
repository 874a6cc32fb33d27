package term

import (
	"bytes"
	"testing"

	"github.com/xo/terminfo"
)

func TestFeaturesOf(t *testing.T) {
	for _, test := range []struct {
		name         string
		env          map[string]string
		status, sync bool
	}{
		{"dumb", map[string]string{"TERM": "dumb"}, false, false},
		{"no name", nil, false, false},
		{"xterm", map[string]string{"TERM": "xterm-256color"}, true, false},
		{"kitty", map[string]string{"TERM": "xterm-kitty"}, true, true},
		{"WezTerm", map[string]string{"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, true, true},
		{"screen in WezTerm", map[string]string{"TERM": "screen", "TERM_PROGRAM": "WezTerm"}, true, false},
		{"tmux in WezTerm", map[string]string{"TERM": "tmux-256color", "TERM_PROGRAM": "WezTerm", "TMUX": "/tmp/x,1,0"}, true, false},
		{"new tmux", map[string]string{"TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "TERM_PROGRAM_VERSION": "3.5a"}, true, true},
		{"next tmux", map[string]string{"TERM": "screen", "TERM_PROGRAM": "tmux", "TERM_PROGRAM_VERSION": "next-3.6"}, true, true},
		{"old tmux", map[string]string{"TERM": "screen", "TERM_PROGRAM": "tmux", "TERM_PROGRAM_VERSION": "3.3a"}, true, false},
		{"odd tmux", map[string]string{"TERM": "screen", "TERM_PROGRAM": "tmux", "TERM_PROGRAM_VERSION": "master"}, true, false},
		{"Windows Terminal", map[string]string{"TERM": "xterm-256color", "WT_SESSION": "1"}, true, true},
	} {
		var out bytes.Buffer
		c := Emulated(nil, &out, 80, 24)
		want := Features{Status: test.status, Synchronized: test.sync, Shared: test.status}
		got := c.FeaturesOf(func(name string) string { return test.env[name] })
		got.Links, got.Progress, got.Notify = false, false, NotifyNone // beside_test.go
		if got != want {
			t.Errorf("%s: %+v, want %+v", test.name, got, want)
		}
	}
	if _, err := terminfo.Load("vt100"); err == nil { // Debian always has it
		for _, test := range []struct {
			name           string
			status, colors bool
		}{{"vt100", true, false}, {"vt220", true, false}, {"linux", true, true}, {"xterm-mono", true, false}, {"tmux-256color", true, true}, {"hardcopy", false, false}, {"unheard-of", true, true}} {
			var out bytes.Buffer
			c := Emulated(nil, &out, 80, 24)
			getenv := func(name string) string { return map[string]string{"TERM": test.name}[name] }
			if _, err := terminfo.Load(test.name); err != nil && test.name != "unheard-of" {
				t.Logf("terminfo does not have %s: package ncurses-term", test.name)
				continue
			}
			if got := c.FeaturesOf(getenv).Status; got != test.status {
				t.Errorf("%s: status area %v, want %v", test.name, got, test.status)
			}
			if got := Colors(true, getenv); got != test.colors {
				t.Errorf("%s: colors %v, want %v", test.name, got, test.colors)
			}
			if Colors(false, getenv) {
				t.Errorf("%s: no terminal, and colors", test.name)
			}
		}
	}
	var out bytes.Buffer
	if got := Open(nil, &out, &out).FeaturesOf(func(string) string { return "xterm" }); got != (Features{}) {
		t.Errorf("no terminal: %+v", got)
	}
}
