package term

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func environment(pairs map[string]string) func(string) string {
	return func(name string) string { return pairs[name] }
}

func TestBeside(t *testing.T) {
	type known struct {
		links, progress bool
		notify          Notify
	}
	for _, c := range []struct {
		env  map[string]string
		want known
	}{
		{map[string]string{"TERM": "xterm"}, known{}},
		{map[string]string{"TERM": "linux"}, known{}},
		{map[string]string{"TERM": "xterm-256color", "VTE_VERSION": "4502"}, known{}},
		{map[string]string{"TERM": "xterm-256color", "VTE_VERSION": "4600"}, known{notify: Notify777}},
		{map[string]string{"TERM": "xterm-256color", "VTE_VERSION": "7006"}, known{links: true, notify: Notify777}},
		{map[string]string{"TERM": "xterm-256color", "VTE_VERSION": "8000"}, known{links: true, progress: true, notify: Notify777}},
		{map[string]string{"TERM": "tmux-256color", "VTE_VERSION": "8000", "TMUX": "/tmp/t"}, known{}},
		{map[string]string{"TERM": "xterm-256color", "VTE_VERSION": "new"}, known{}},
		{map[string]string{"TERM": "xterm-256color", "WT_SESSION": "1"}, known{links: true, progress: true}},
		{map[string]string{"TERM": "cygwin", "ConEmuANSI": "ON"}, known{progress: true}},
		{map[string]string{"TERM": "xterm-kitty"}, known{links: true, notify: Notify9}},
		{map[string]string{"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, known{true, true, Notify9}},
		{map[string]string{"TERM": "tmux-256color", "TERM_PROGRAM": "WezTerm", "TMUX": "x"}, known{}},
		{map[string]string{"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.4.1"}, known{links: true, notify: Notify9}},
		{map[string]string{"TERM": "xterm-256color", "KONSOLE_VERSION": "220401"}, known{links: true}},
		{map[string]string{"TERM": "xterm", "FORCE_HYPERLINK": "1"}, known{links: true}},
		{map[string]string{"TERM": "xterm-kitty", "FORCE_HYPERLINK": "0"}, known{notify: Notify9}},
	} {
		getenv := environment(c.env)
		got := known{links(getenv), progresses(getenv), notifies(getenv)}
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(known{})); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.env, diff)
		}
	}
}

func TestColors(t *testing.T) {
	for _, c := range []struct {
		env            map[string]string
		terminal, pipe bool
	}{
		{nil, true, false},
		{map[string]string{"NO_COLOR": "1"}, false, false},
		{map[string]string{"NO_COLOR": ""}, true, false},
		{map[string]string{"CLICOLOR": "0"}, false, false},
		{map[string]string{"CLICOLOR": "1"}, true, false},
		{map[string]string{"CLICOLOR_FORCE": "1"}, true, true},
		{map[string]string{"CLICOLOR_FORCE": "0"}, true, false},
		{map[string]string{"CLICOLOR_FORCE": "1", "CLICOLOR": "0"}, true, true},
		{map[string]string{"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, false, false},
		{map[string]string{"CLICOLOR_FORCE": "1", "TERM": "dumb"}, true, true},
		{map[string]string{"TERM": "dumb"}, false, false},
	} {
		if got := Colors(true, environment(c.env)); got != c.terminal {
			t.Errorf("%v: %v on a terminal", c.env, got)
		}
		if got := Colors(false, environment(c.env)); got != c.pipe {
			t.Errorf("%v: %v in a pipe", c.env, got)
		}
	}
}

func TestSequences(t *testing.T) {
	for got, want := range map[string]string{
		string(Notify777.Sequence("a;b", "c\x07d")): "\x1b]777;notify;a b;c d\x07",
		string(Notify9.Sequence("4;1", "x")):        "\x1b]9;4 1: x\x07",
		string(NotifyNone.Sequence("a", "b")):       "",
		string(ProgressNormal.Sequence(40)):         "\x1b]9;4;1;40\x1b\\",
		string(ProgressNone.Sequence(40)):           "\x1b]9;4;0;0\x1b\\",
		string(ProgressUnknown.Sequence(40)):        "\x1b]9;4;3;0\x1b\\",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestControl: what is shown beside the screen goes with a frame, and makes one
// where nothing else has changed; in a pipe there is none of it.
func TestControl(t *testing.T) {
	for _, c := range []struct {
		features Features
		want     string
	}{{Features{Status: true}, "<c>"}, {Features{}, ""}} {
		s := NewScreen(nil, nil, c.features)
		if got := bytesOf(s.compose(Frame{Control: []byte("<c>")})); got != c.want {
			t.Errorf("%+v: %q, want %q", c.features, got, c.want)
		}
		s.Close()
	}
}
