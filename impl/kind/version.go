package kind

import (
	"regexp"
	"strings"
	"sync"

	"bst/impl/node"
)

// VersionKeys are the keys of sources that say what version people call them.
var VersionKeys = []string{"version", "version-guess-pattern"}

// Versioning is what a source says of its version.
type Versioning struct {
	// Version and Pattern are nil where they are not set. The pattern is a
	// Python regular expression.
	Version, Pattern *string
}

// Configure reads VersionKeys.
func (v *Versioning) Configure(config *node.Node) error {
	for _, field := range []struct {
		key  string
		into **string
	}{{"version", &v.Version}, {"version-guess-pattern", &v.Pattern}} {
		if n := config.Get(field.key); n != nil && !n.IsNone() {
			text, err := n.Str()
			if err != nil {
				return err
			}
			*field.into = &text
		}
	}
	return nil
}

// AppendTo ends a unique key that is a list: with the version, or else with the
// pattern.
func (v *Versioning) AppendTo(key []any) []any {
	switch {
	case v.Version != nil:
		return append(key, *v.Version)
	case v.Pattern != nil:
		return append(key, *v.Pattern)
	}
	return key
}

// AddTo does the same to a unique key that is a mapping.
func (v *Versioning) AddTo(key map[string]any) map[string]any {
	switch {
	case v.Version != nil:
		key["version"] = *v.Version
	case v.Pattern != nil:
		key["version-guess-pattern"] = *v.Pattern
	}
	return key
}

// Guess is the version, or what the pattern finds in a text; "" for none.
func (v *Versioning) Guess(text string) string {
	if v.Version != nil {
		return *v.Version
	}
	return GuessVersion(text, v.Pattern)
}

var usualVersion = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(\d+)\.(\d+)(?:\.(\d+))?`) })

// GuessVersion joins the groups of that match with the most groups, the first
// of several, by dots. A nil pattern stands for two or three numbers with dots
// between; of one without groups the whole match counts. A pattern that is no regular expression here finds nothing: Python
// knows some forms that Go does not.
func GuessVersion(text string, pattern *string) string {
	match := usualVersion()
	if pattern != nil {
		var err error
		if match, err = regexp.Compile(*pattern); err != nil {
			return ""
		}
	}
	best := ""
	most := 0
	for _, at := range match.FindAllStringSubmatchIndex(text, -1) {
		var parts []string
		if len(at) == 2 {
			parts = []string{text[at[0]:at[1]]}
		}
		for g := 2; g < len(at); g += 2 {
			if at[g] >= 0 {
				parts = append(parts, text[at[g]:at[g+1]])
			}
		}
		if len(parts) > most {
			best, most = strings.Join(parts, "."), len(parts)
		}
	}
	return best
}
