package platform

// The kinds of terminal that a strategy may be chosen by.
const (
	// NoTerminal is a pipe or a file, as in CI.
	NoTerminal = "none"
	// FastTerminal takes what is written at once.
	FastTerminal = "fast"
	// SlowTerminal makes whoever writes wait: the consoles of Windows, and what is
	// at the other end of a network.
	SlowTerminal = "slow"
)

// Terminals are all kinds.
var Terminals = []string{NoTerminal, FastTerminal, SlowTerminal}

// Terminal is the kind of terminal on a platform: whether there is one, and what
// the environment tells of it. Nothing is measured: it has to be known before
// anything is drawn. Under Windows every terminal counts as slow, whichever it is:
// the fastest of them takes some 20 µs for a write (docs/benchmarks.md).
func Terminal(platform string, there bool, getenv func(string) string) string {
	switch {
	case !there:
		return NoTerminal
	case platform == WSL1, platform == WSL2, platform == Windows, platform == Wine:
		return SlowTerminal
	case getenv("SSH_TTY") != "", getenv("SSH_CONNECTION") != "":
		return SlowTerminal
	}
	return FastTerminal
}
