package term

import (
	"os"
	"strconv"
	"strings"
)

// FeaturesOf is what the console's terminal can do, by its environment: terminfo
// tells whether its lines can be written again, and it must be known by name to
// be told what old ones show as dirt.
// Terminals are not asked: an answer would mix with what a person types, and
// one that does not answer would have to be waited for.
func (c *Console) FeaturesOf(getenv func(string) string) Features {
	name := getenv("TERM")
	if !c.Terminal || name == "" || name == "dumb" {
		return Features{}
	}
	if moves, _ := described(getenv); !moves {
		return Features{}
	}
	return Features{Status: true, Synchronized: synchronizes(getenv), Shared: c.shared(),
		Links: links(getenv), Progress: progresses(getenv), Notify: notifies(getenv)}
}

// Reset is what to write to a terminal whose program ended without giving it back.
func (f Features) Reset() string {
	reset := syncEnd + showCursor + wrapOn + eraseBelow
	if !f.Synchronized {
		reset = reset[len(syncEnd):]
	}
	if f.Progress {
		reset += string(ProgressNone.Sequence(0))
	}
	return reset
}

// synchronizes says that a terminal is known to have synchronized output. To
// leave one out costs it a little flicker; others ignore the mode.
func synchronizes(getenv func(string) string) bool {
	switch getenv("TERM") {
	case "xterm-kitty", "xterm-ghostty", "alacritty", "alacritty-direct", "foot", "foot-extra", "contour", "wezterm":
		return true
	}
	switch getenv("TERM_PROGRAM") {
	case "iTerm.app", "WezTerm", "ghostty", "contour", "vscode", "rio":
		// Inside of tmux these name the terminal outside, which tmux hides.
		return !strings.HasPrefix(getenv("TERM"), "screen") && getenv("TMUX") == ""
	case "tmux":
		return atLeast(getenv("TERM_PROGRAM_VERSION"), 3, 4)
	}
	return getenv("WT_SESSION") != "" // Windows Terminal
}

// atLeast compares a version such as 3.4a.
func atLeast(version string, major, minor int) bool {
	a, b, _ := strings.Cut(version, ".")
	b = strings.TrimRight(b, "abcdefghijklmnopqrstuvwxyz-")
	x, err := strconv.Atoi(strings.TrimPrefix(a, "next-"))
	if err != nil {
		return false
	}
	y, err := strconv.Atoi(b)
	return err == nil && (x > major || x == major && y >= minor)
}

// shared says that the standard output and error are the same terminal.
func (c *Console) shared() bool {
	if c.out == nil || c.err == nil {
		return c.Out == c.Err
	}
	a, errA := c.out.Stat()
	b, errB := c.err.Stat()
	return errA == nil && errB == nil && os.SameFile(a, b)
}
