// Package fnmatch is the patterns that the community's plugins take for names of tags
// and for versions: those of a shell, as Python's fnmatch reads them.
package fnmatch

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Compile makes a pattern that must match a whole text.
func Compile(pattern string) *regexp.Regexp {
	return regexp.MustCompile("^(?s:" + Expression(pattern) + ")$")
}

// Expression is the regular expression of a pattern in which a star stands for
// slashes too.
func Expression(pattern string) string {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '*':
			b.WriteString(".*")
		case '?':
			b.WriteByte('.')
		case '[':
			end := i + 1
			if end < len(pattern) && pattern[end] == '!' {
				end++
			}
			if end < len(pattern) && pattern[end] == ']' {
				end++
			}
			for end < len(pattern) && pattern[end] != ']' {
				end++
			}
			if end >= len(pattern) {
				b.WriteString(`\[`)
				continue
			}
			set := pattern[i+1 : end]
			not := ""
			if rest, ok := strings.CutPrefix(set, "!"); ok {
				set, not = rest, "^"
			}
			set = strings.NewReplacer(`\`, `\\`, "]", `\]`, "[", `\[`, "^", `\^`).Replace(set)
			if _, err := regexp.Compile("[" + not + set + "]"); err != nil {
				b.WriteString(regexp.QuoteMeta(pattern[i : end+1]))
			} else {
				b.WriteString("[" + not + set + "]")
			}
			i = end
		default:
			size := 1
			for i+size < len(pattern) && !utf8.RuneStart(pattern[i+size]) {
				size++
			}
			b.WriteString(regexp.QuoteMeta(pattern[i : i+size]))
			i += size - 1
		}
	}
	return b.String()
}
