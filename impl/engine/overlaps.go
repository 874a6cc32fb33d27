package engine

import (
	"path"
	"slices"
	"strings"

	"bst/impl/element"
	"bst/impl/stream"
)

// overlaps watches what is staged into one sandbox and warns about files that
// overwrite other elements' files. Behaviour: the reference's
// _overlapcollector.py; the warnings' names are those of fatal-warnings.
type overlaps struct {
	sessions []*overlapSession
}

// overlapSession is one call that stages elements at one location.
type overlapSession struct {
	location string
	// whitelisted says whether an element may overwrite a file.
	whitelisted func(e *element.Element, file string) bool

	// elements as they were staged. Who wrote a file is asked only when another
	// overwrites it: listing every file of every artifact would cost more than
	// staging them.
	elements []stagedElement
	ignored  []ignoredFiles
	// files in the order in which they were overwritten, with the elements that
	// did: the first is the one overwritten, when it is of this session.
	files    []string
	overlaps map[string][]*element.Element
}

type stagedElement struct {
	*element.Element
	has func(file string) bool
}

type ignoredFiles struct {
	element *element.Element
	files   []string
}

// warning is what a session found.
type warning struct{ token, text, detail string }

func (o *overlaps) begin(location string, whitelisted func(e *element.Element, file string) bool) *overlapSession {
	if location == "" {
		location = "/"
	}
	return &overlapSession{location: location, whitelisted: whitelisted, overlaps: map[string][]*element.Element{}}
}

// staged notes what staging one element did; has tells whether the element
// brought a file.
func (s *overlapSession) staged(e *element.Element, has func(file string) bool, overwritten, ignored []string) {
	for _, file := range overwritten {
		if _, ok := s.overlaps[file]; !ok {
			s.files = append(s.files, file)
			if first := s.who(file); first != nil {
				s.overlaps[file] = append(s.overlaps[file], first)
			}
		}
		s.overlaps[file] = append(s.overlaps[file], e)
	}
	s.elements = append(s.elements, stagedElement{e, has})
	if len(ignored) > 0 {
		s.ignored = append(s.ignored, ignoredFiles{e, ignored})
	}
}

// who is the first element of this session that brought a file, or nil.
func (s *overlapSession) who(file string) *element.Element {
	for _, e := range s.elements {
		if e.has(file) {
			return e.Element
		}
	}
	return nil
}

// end tells what to warn about, and remembers the session.
func (o *overlaps) end(s *overlapSession) []warning {
	var found []warning
	var external []string
	detail := "Staged files overwrite existing files in staging area: " + s.location + "\n"
	warn := false
	for _, file := range s.files {
		elements := s.overlaps[file]
		var names []string
		for _, e := range elements {
			names = append(names, e.FullName)
		}
		if len(elements) == 1 {
			external = append(external, file)
			continue
		}
		var offenders []string
		for _, e := range elements[1:] {
			if !s.whitelisted(e, file) {
				offenders = append(offenders, e.FullName)
			}
		}
		if len(offenders) == 0 {
			continue
		}
		warn = true
		verb := "is"
		if len(offenders) > 1 {
			verb = "are"
		}
		slices.Reverse(names)
		detail += path.Join(s.location, file) + ": " + strings.Join(offenders, " and ") + " " + verb +
			" not permitted to overlap other elements, order " + strings.Join(names, " above ") + " \n"
	}
	if warn {
		found = append(found, warning{"overlaps", "Non-whitelisted overlaps detected", detail})
	}
	if len(s.ignored) > 0 {
		detail := "Not staging files which would replace non-empty directories in staging area: " + s.location + "\n"
		for _, i := range s.ignored {
			detail += "\nFrom " + i.element.FullName + ":\n"
			for _, file := range i.files {
				detail += "  " + path.Join(s.location, file) + "\n"
			}
		}
		found = append(found, warning{"unstaged-files",
			"Not staging files which would have replaced non-empty directories", detail})
	}
	if len(external) > 0 {
		detail := "Detected file overlaps while staging elements into: " + s.location + "\n"
		for _, file := range external {
			absolute := path.Join(s.location, file)
			by, where := o.search(absolute)
			detail += absolute + ": " + s.overlaps[file][0].FullName + " overlaps files previously staged by " + by +
				" in: " + where + "\n"
		}
		found = append(found, warning{"overlaps", "Overlaps detected", detail})
	}
	o.sessions = append(o.sessions, s)
	return found
}

// search finds who staged a file in an earlier session.
func (o *overlaps) search(absolute string) (who, location string) {
	for _, s := range slices.Backward(o.sessions) {
		file, below := strings.CutPrefix(absolute, strings.TrimSuffix(s.location, "/")+"/")
		if !below {
			continue
		}
		if who := s.who(file); who != nil {
			return who.FullName, s.location
		}
	}
	// A command or the sandbox itself put it there.
	return "the sandbox", "/"
}

// fatal is a warning that the project calls fatal.
// tell shows the warning with its token, or is an error where the project makes
// such warnings fatal. Behaviour: the reference's Plugin.warn.
func (w warning) tell(e *element.Element, j *journal) error {
	text := "[" + w.token + "]: " + w.text
	if e.Project.WarningIsFatal(w.token) {
		return &stream.Error{Domain: stream.DomainPlugin, Reason: w.token, Message: text, Detail: w.detail}
	}
	j.message(stream.TypeWarning, nil, text, w.detail)
	return nil
}
