// Package plainelement reads Python plugins that say nothing but "this is a
// build element": a class derived from BuildElement with constants, and no code.
// All that such a kind does is in its YAML defaults, which are data. Many
// projects have some, for a build system of their own.
//
// It knows the few lines that such a file may have. What has any other line is
// not one, whatever that line may do: so nothing is ever taken for what it is not.
package plainelement

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"bst/impl/kind"
	"bst/impl/kind/buildelement"
)

var (
	importLine   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^from buildstream import BuildElement$`) })
	classLine    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^class ([A-Za-z_][A-Za-z0-9_]*)\(BuildElement\):$`) })
	constantLine = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([A-Z_]+) *= *(\S+)$`) })
	setupLine    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^def setup\(\):$`) })
	returnLine   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^return ([A-Za-z_][A-Za-z0-9_]*)$`) })
	// minVersion are the versions of BuildStream whose plugins 2.8 loads.
	minVersion = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:"2\.[0-8]"|'2\.[0-8]')$`) })
)

// Read is the kind that a plugin's file describes, without defaults: these lie
// in a file beside it. It is nil for a file that has code.
func Read(name string, file []byte) *kind.Traits {
	r := reader{traits: buildelement.Traits(name, "")}
	for _, line := range lines(string(file)) {
		if !r.take(line) {
			return nil
		}
	}
	if r.returned == "" || r.returned != r.class || !r.versioned {
		return nil
	}
	return &r.traits
}

// line is one with something on it.
type line struct {
	indented bool
	text     string
	// doc marks a string that stands by itself.
	doc bool
}

// lines takes a file apart. Strings in triple quotes are one line each;
// comments are left out.
func lines(text string) []line {
	var list []line
	for text != "" {
		var raw string
		raw, text, _ = strings.Cut(text, "\n")
		trimmed := strings.TrimSpace(raw)
		if trimmed == "" || trimmed[0] == '#' {
			continue
		}
		l := line{indented: raw[0] == ' ' || raw[0] == '\t'}
		if quotes := tripleQuote(trimmed); quotes != "" {
			inside := trimmed[len(quotes):] + "\n" + text
			end := strings.Index(inside, quotes)
			if end < 0 {
				return append(list, l)
			}
			rest, after, _ := strings.Cut(inside[end+len(quotes):], "\n")
			text = after
			l.doc = strings.TrimSpace(rest) == "" && !strings.Contains(inside[:end], `\`)
		} else {
			// A comment after a statement; no statement that is known has a '#'.
			code, _, _ := strings.Cut(trimmed, "#")
			l.text = strings.TrimSpace(code)
		}
		list = append(list, l)
	}
	return list
}

func tripleQuote(s string) string {
	for _, quotes := range []string{`"""`, `'''`} {
		if strings.HasPrefix(s, quotes) {
			return quotes
		}
	}
	return ""
}

// reader has taken the lines so far.
type reader struct {
	traits           kind.Traits
	imported, empty  bool
	class, returned  string
	setup, versioned bool
}

// take takes a line, if it is one of those that such a file has, in its place.
func (r *reader) take(l line) bool {
	switch {
	case l.doc:
		// The module's, or the class's before anything else.
		return r.class == "" && !r.imported && !l.indented || r.empty && l.indented
	case l.text == "":
		return false
	case !l.indented:
		switch {
		case r.setup:
			return false
		case importLine().MatchString(l.text):
			defer func() { r.imported = true }()
			return !r.imported && r.class == ""
		case classLine().MatchString(l.text):
			if !r.imported || r.class != "" {
				return false
			}
			r.class, r.empty = classLine().FindStringSubmatch(l.text)[1], true
			return true
		case setupLine().MatchString(l.text):
			r.setup = true
			return r.class != ""
		}
		return false
	case r.setup:
		m := returnLine().FindStringSubmatch(l.text)
		if m == nil || r.returned != "" {
			return false
		}
		r.returned = m[1]
		return true
	case r.class != "":
		r.empty = false
		return l.text == "pass" || r.constant(l.text)
	}
	return false
}

// constant takes a class constant that means something to BuildStream.
func (r *reader) constant(text string) bool {
	m := constantLine().FindStringSubmatch(text)
	if m == nil {
		return false
	}
	name, value := m[1], m[2]
	flag := func(into *bool) bool {
		*into = value == "True"
		return value == "True" || value == "False"
	}
	switch name {
	case "BST_MIN_VERSION":
		r.versioned = minVersion().MatchString(value)
		return r.versioned
	case "BST_ARTIFACT_VERSION":
		version, err := strconv.ParseUint(value, 10, 31)
		r.traits.ArtifactVersion = int(version)
		return err == nil && (value == "0" || value[0] != '0')
	case "BST_STRICT_REBUILD":
		return flag(&r.traits.StrictRebuild)
	case "BST_FORBID_SOURCES":
		return flag(&r.traits.ForbidSources)
	case "BST_FORBID_BDEPENDS":
		return flag(&r.traits.ForbidBuildDeps)
	case "BST_FORBID_RDEPENDS":
		return flag(&r.traits.ForbidRuntimeDeps)
	}
	return false
}
