package term

import (
	"os"
	"strconv"
	"strings"
)

// What a terminal can show that is not text on its screen, by its environment;
// as with Features, nothing is asked. Inside of tmux and screen the variables are
// those of the terminal outside, which may be another by now and gets none of
// these sequences.

// Notify is a way to tell the desktop something.
type Notify uint8

const (
	// NotifyNone: the terminal is not known to have one.
	NotifyNone Notify = iota
	// Notify777 is OSC 777, of VTE 0.46 on: the reference's way.
	Notify777
	// Notify9 is OSC 9, as iTerm2 began it.
	Notify9
)

// Sequence is what makes the terminal notify; nil where it cannot.
func (n Notify) Sequence(title, text string) []byte {
	switch n {
	case Notify777:
		return []byte("\x1b]777;notify;" + oscText(title) + ";" + oscText(text) + "\x07")
	case Notify9:
		return []byte("\x1b]9;" + oscText(title+": "+text) + "\x07")
	}
	return nil
}

// oscText keeps a text from ending the sequence that carries it.
func oscText(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == ';' {
			return ' '
		}
		return r
	}, text)
}

// Progress is what OSC 9;4 shows: a bar at the window's title or in the task bar.
type Progress uint8

const (
	// ProgressNone takes it away.
	ProgressNone Progress = iota
	ProgressNormal
	ProgressFailed
	// ProgressUnknown has no percentage.
	ProgressUnknown
	// ProgressPaused waits for a person.
	ProgressPaused
)

// Sequence is what makes the terminal show it.
func (p Progress) Sequence(percent int) []byte {
	if p == ProgressNone || p == ProgressUnknown {
		percent = 0
	}
	return []byte("\x1b]9;4;" + strconv.Itoa(int(p)) + ";" + strconv.Itoa(percent) + "\x1b\\")
}

// inside says that another program draws on the terminal.
func inside(getenv func(string) string) bool {
	name := getenv("TERM")
	return getenv("TMUX") != "" || getenv("STY") != "" || strings.HasPrefix(name, "screen") || strings.HasPrefix(name, "tmux")
}

// vte is the version of VTE that a terminal was made with: 4600 is 0.46.
func vte(getenv func(string) string) int {
	n, err := strconv.Atoi(getenv("VTE_VERSION"))
	name := getenv("TERM")
	if err != nil || !strings.HasPrefix(name, "xterm") && !strings.HasPrefix(name, "vte") {
		return 0
	}
	return n
}

// links says that a terminal has links, or that FORCE_HYPERLINK wants them.
func links(getenv func(string) string) bool {
	if force := getenv("FORCE_HYPERLINK"); force != "" {
		return force != "0"
	}
	if inside(getenv) {
		return false
	}
	switch getenv("TERM") {
	case "xterm-kitty", "xterm-ghostty", "alacritty", "foot", "foot-extra", "contour", "wezterm":
		return true
	}
	switch getenv("TERM_PROGRAM") {
	case "iTerm.app", "WezTerm", "ghostty", "vscode", "rio", "contour":
		return true
	}
	konsole, err := strconv.Atoi(getenv("KONSOLE_VERSION"))
	// VTE 0.50 was the first that did not crash on some of them.
	return vte(getenv) >= 5000 || err == nil && konsole >= 201200 || getenv("WT_SESSION") != ""
}

// progresses says that a terminal shows progress. Older ones take OSC 9 for a
// notification, so that only those known are told.
func progresses(getenv func(string) string) bool {
	if inside(getenv) {
		return false
	}
	switch getenv("TERM_PROGRAM") {
	case "WezTerm", "ghostty":
		return true
	case "iTerm.app":
		return atLeast(getenv("TERM_PROGRAM_VERSION"), 3, 7)
	}
	return getenv("WT_SESSION") != "" || getenv("ConEmuANSI") == "ON" || vte(getenv) >= 8000
}

func notifies(getenv func(string) string) Notify {
	if vte(getenv) >= 4600 {
		return Notify777
	}
	if inside(getenv) {
		return NotifyNone
	}
	switch getenv("TERM_PROGRAM") {
	case "iTerm.app", "WezTerm", "ghostty":
		return Notify9
	}
	if getenv("TERM") == "xterm-kitty" {
		return Notify9
	}
	return NotifyNone
}

// Colors says whether text is coloured where the command line does not: see
// no-color.org and bixense.com/clicolors.
func Colors(terminal bool, getenv func(string) string) bool {
	switch force := getenv("CLICOLOR_FORCE"); {
	case getenv("NO_COLOR") != "":
		return false
	case force != "" && force != "0":
		return true
	case !terminal, getenv("CLICOLOR") == "0", getenv("TERM") == "dumb":
		return false
	}
	_, colors := described(getenv)
	return colors
}

// Hostname is the machine's name for links to its files; "" where it is unknown,
// which stands for this machine.
func Hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}
