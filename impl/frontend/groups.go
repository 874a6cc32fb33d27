package frontend

import (
	"strconv"
	"strings"
	"time"
)

// Groups is how a CI system's log is divided into parts that can be folded.
type Groups uint8

const (
	// NoGroups writes nothing.
	NoGroups Groups = iota
	// GitHub writes workflow commands: ::group:: and ::endgroup::.
	GitHub
	// GitLab writes section_start and section_end.
	GitLab
)

// GroupsOf says which CI system this is, by its environment.
func GroupsOf(getenv func(string) string) Groups {
	switch {
	case getenv("GITHUB_ACTIONS") == "true":
		return GitHub
	case getenv("GITLAB_CI") == "true":
		return GitLab
	}
	return NoGroups
}

// openGroup begins a group of the log, and ends the one before it. There is one
// for what comes before the work (loading, the heading) and one for the work;
// what went wrong and the summary stand outside, for everybody to see. A copy of
// the log has no groups.
func (m *Model) openGroup(now time.Time, title string) {
	if m.opts.Groups == NoGroups || m.opts.Session == "" {
		return
	}
	m.CloseGroup(now)
	m.group = "bst_" + strings.ToLower(strings.ReplaceAll(title, " ", "_"))
	switch m.opts.Groups {
	case GitHub:
		m.err.raw("::group::" + title + "\n")
	case GitLab:
		m.err.raw("\x1b[0Ksection_start:" + strconv.FormatInt(now.Unix(), 10) + ":" + m.group + "[collapsed=true]\r\x1b[0K" + title + "\n")
	}
}

// CloseGroup ends the log's group, if one is open.
func (m *Model) CloseGroup(now time.Time) {
	if m.group == "" {
		return
	}
	switch m.opts.Groups {
	case GitHub:
		m.err.raw("::endgroup::\n")
	case GitLab:
		m.err.raw("\x1b[0Ksection_end:" + strconv.FormatInt(now.Unix(), 10) + ":" + m.group + "\r\x1b[0K\n")
	}
	m.group = ""
}
