package project

import (
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"bst/impl/stream"
)

// ExpandTargets sorts out what the user named: element names, whose globs are
// expanded, and the rest, which would be artifacts. No targets at all stand
// for the project's default targets. Names keep their order, globs' come
// after, and each is there once.
func (p *Project) ExpandTargets(targets []string) (elements, artifacts []string, err error) {
	if len(targets) == 0 {
		elements, err = p.DefaultTargets()
		return elements, nil, err
	}
	var globs []string
	seen := map[string]bool{}
	add := func(list *[]string, name string) {
		if !seen[name] {
			seen[name] = true
			*list = append(*list, name)
		}
	}
	for _, target := range targets {
		target = filepath.ToSlash(target) // as a shell of Windows completes it
		switch {
		case !strings.HasSuffix(target, ".bst"):
			add(&artifacts, target)
		case strings.ContainsAny(target, "*?["):
			add(&globs, target)
		default:
			add(&elements, target)
		}
	}
	if len(globs) == 0 {
		return elements, artifacts, nil
	}
	all, err := elementFiles(p.ElementPath, p.Seen())
	if err != nil {
		return nil, nil, err
	}
	for _, glob := range globs {
		matches := globMatcher(glob)
		found := false
		for _, name := range all {
			if matches("/" + name) {
				found = true
				add(&elements, name)
			}
		}
		if !found {
			p.warn("No elements matched the glob expression: "+glob, "")
		}
	}
	return elements, artifacts, nil
}

// InvalidTargets is the error for targets that are no elements where only
// elements will do: STREAM/invalid-element-names.
func InvalidTargets(artifacts []string) error {
	return &stream.Error{
		Domain: stream.DomainStream, Reason: "invalid-element-names",
		Message: "Invalid element names or element glob patterns were specified: " + strings.Join(artifacts, ", "),
		Detail:  "Element names and element glob expressions must end in '.bst'",
	}
}

// DefaultTargets are what commands without targets work on: the element of the
// workspace that bst runs in, those that project.conf names, or else all elements.
func (p *Project) DefaultTargets() ([]string, error) {
	if p.workspaceElement != "" {
		return []string{p.workspaceElement}, nil
	}
	if len(p.defaultTargets) > 0 {
		return p.defaultTargets, nil
	}
	all, err := elementFiles(p.ElementPath, p.Seen())
	sort.Strings(all)
	return all, err
}

// globMatcher matches like the reference: * stops at a slash, ** does not. The
// pattern and the path start with a slash.
func globMatcher(glob string) func(string) bool {
	if !strings.HasPrefix(glob, "/") {
		glob = "/" + glob
	}
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for i := 0; i < len(glob); i++ {
		switch c := glob[i]; c {
		case '*':
			if i+1 < len(glob) && glob[i+1] == '*' {
				b.WriteString(".*")
				i++
			} else {
				b.WriteString("[^/]*")
			}
		case '?':
			b.WriteString("[^/]")
		case '[':
			class, size := globClass(glob[i:])
			b.WriteString(class)
			i += size - 1
		default:
			b.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		}
	}
	re, err := regexp.Compile(b.String() + `\z`)
	if err != nil {
		// A class that makes no sense, such as [z-a], matches nothing.
		return func(string) bool { return false }
	}
	return re.MatchString
}

// globClass turns a class, "[abc]" or "[!a-z]", into that of a regular
// expression, and tells how long it is. One that is not closed is a bracket.
func globClass(glob string) (string, int) {
	end := 1
	if end < len(glob) && glob[end] == '!' {
		end++
	}
	if end < len(glob) && glob[end] == ']' {
		end++
	}
	for end < len(glob) && glob[end] != ']' {
		end++
	}
	if end >= len(glob) {
		return `\[`, 1
	}
	class := strings.NewReplacer(`\`, `\\`, `[`, `\[`).Replace(glob[1:end])
	switch class[0] {
	case '!':
		class = "^" + class[1:]
	case '^':
		class = `\` + class
	}
	return "[" + class + "]", end + 1
}
