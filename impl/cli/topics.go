package cli

import (
	"io"
	"sort"
	"strings"
)

// topic is a text of help that belongs to no one command: "bst help NAME" prints
// it, and the manual page has it as a section.
type topic struct {
	name, title, intro string
	rows               [][2]string
}

// topics are all topics. They are the one place where what they tell is written
// down.
var topics = []topic{
	{"exit-status", "Exit status", "What bst ends with", [][2]string{
		{"0", "Everything was done."},
		{"1", "Given up before the work began (^C while loading), or nobody reads the standard output any more."},
		{"2", "The command line is wrong: an unknown command or option, or a value that cannot be."},
		{"255", "An error, whatever it is: of the project, of a build, of a cache, or an interrupted session. " +
			"Also a session that succeeded but could not be written down as --log-file, --events or --profile ask for."},
		{"other", "bst shell ends with the status of its command, 128 and the signal's number if a signal ended it."},
	}},
	{"environment", "Environment", "What bst reads of the environment", [][2]string{
		{"BST_STRATEGY", "How the backend runs, where --strategy does not say. bst --version --verbose tells what is chosen, by whom and why."},
		{"SSH_TTY, SSH_CONNECTION", "That the terminal is across a network: there may be another default for how the backend runs."},
		{"BST_ERROR_REPORT", "A file that a failing command describes its error in, as one JSON object."},
		{"NO_COLOR", "Not empty: no colors, unless --colors."},
		{"CLICOLOR_FORCE", "Neither empty nor 0: colors also where there is no terminal, unless --no-colors or NO_COLOR."},
		{"CLICOLOR", "0: no colors, unless --colors or CLICOLOR_FORCE."},
		{"FORCE_HYPERLINK", "0: no links to log files; another value: links on every terminal. Empty: where the terminal is known to have them."},
		{"TERM", "Empty or dumb: no status area, no colors. Else as terminfo says, where that knows the name."},
		{"VTE_VERSION, TERM_PROGRAM, WT_SESSION, ConEmuANSI, KONSOLE_VERSION, TMUX, STY", "Which terminal it is: whether it knows links, progress and notifications."},
		{"GITHUB_ACTIONS, GITLAB_CI", "true: the log is divided into the groups of that CI system."},
		{"PAGER", "The program that shows a log page by page (default: less, or more)."},
		{"XDG_CONFIG_HOME, XDG_CACHE_HOME, XDG_DATA_HOME, HOME", "Where the user configuration, buildstream2.conf or buildstream.conf, and the caches are."},
		{"TMPDIR", "Where temporary files go."},
	}},
}

// findTopic finds a topic by its name; nil where there is none.
func findTopic(name string) *topic {
	for i := range topics {
		if topics[i].name == name {
			return &topics[i]
		}
	}
	return nil
}

// write prints a topic as help.
func (t *topic) write(w io.Writer) {
	writeRows(w, t.intro, t.rows)
}

// topicNames are the topics' names, sorted.
func topicNames() []string {
	names := make([]string, len(topics))
	for i := range topics {
		names[i] = topics[i].name
	}
	sort.Strings(names)
	return names
}

// topicHint is the line of help that names them.
func topicHint() string { return "bst help TOPIC, of " + strings.Join(topicNames(), ", ") }
