// Package pep440 reads and compares the versions of Python packages, as
// packaging.version does (PEP 440, and its appendix B for the grammar).
//
// It knows single versions. It does not know specifiers (">= 1.0"). Numbers have no
// bound, as in Python.
//
// It is our own because the libraries compile regular expressions when the program
// starts, which each run of bst would pay for, and give other normal forms (local
// versions) or another order (dev releases) than Python.
package pep440

import (
	"cmp"
	"slices"
	"strings"
)

// Version is a parsed version. Numbers are kept as their digits without leading
// zeros.
type Version struct {
	epoch   string
	release []string
	pre     string // "a", "b", "rc" or "" for none
	preN    string
	post    string // its number, "" for none
	dev     string // the same
	local   []string
}

// Parse reads a version; ok is false for what is none.
func Parse(text string) (v Version, ok bool) {
	p := parser{strings.ToLower(strings.TrimSpace(text))}
	p.word("v")
	first, ok := p.number()
	if !ok {
		return Version{}, false
	}
	v.epoch = "0"
	if p.word("!") {
		v.epoch = first
		if first, ok = p.number(); !ok {
			return Version{}, false
		}
	}
	v.release = []string{first}
	for {
		before := p
		if !p.word(".") {
			break
		}
		n, ok := p.number()
		if !ok {
			p = before
			break
		}
		v.release = append(v.release, n)
	}
	if word, n, ok := p.part("alpha", "a", "beta", "b", "preview", "pre", "c", "rc"); ok {
		switch v.preN = n; word {
		case "alpha", "a":
			v.pre = "a"
		case "beta", "b":
			v.pre = "b"
		default:
			v.pre = "rc"
		}
	}
	before := p
	if n, ok := "", p.word("-"); ok {
		if n, ok = p.number(); ok {
			v.post = n
		} else {
			p = before
		}
	}
	if v.post == "" {
		_, v.post, _ = p.part("post", "rev", "r")
	}
	_, v.dev, _ = p.part("dev")
	if p.word("+") {
		for {
			segment := p.segment()
			if segment == "" {
				return Version{}, false
			}
			v.local = append(v.local, segment)
			if !p.separator() {
				break
			}
		}
	}
	if p.rest != "" {
		return Version{}, false
	}
	return v, true
}

// parser takes a version apart from its beginning.
type parser struct{ rest string }

func (p *parser) word(w string) (ok bool) {
	p.rest, ok = strings.CutPrefix(p.rest, w)
	return ok
}

func (p *parser) separator() bool { return p.word(".") || p.word("-") || p.word("_") }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// number reads digits and leaves leading zeros out.
func (p *parser) number() (n string, ok bool) {
	end := 0
	for end < len(p.rest) && isDigit(p.rest[end]) {
		end++
	}
	n, p.rest = p.rest[:end], p.rest[end:]
	return plain(n), end > 0
}

// plain is a number without its leading zeros.
func plain(n string) string {
	if short := strings.TrimLeft(n, "0"); short != "" || n == "" {
		return short
	}
	return "0"
}

// part reads one of some words, the longest of those that begin alike first, and
// its number, before each of which may be a separator. A missing number is 0.
func (p *parser) part(words ...string) (word, n string, ok bool) {
	before := *p
	p.separator()
	for _, word := range words {
		if p.word(word) {
			p.separator()
			if n, ok = p.number(); !ok {
				n = "0"
			}
			return word, n, true
		}
	}
	*p = before
	return "", "", false
}

// segment reads one of a local version, "" for none.
func (p *parser) segment() string {
	end := 0
	for end < len(p.rest) && (isDigit(p.rest[end]) || 'a' <= p.rest[end] && p.rest[end] <= 'z') {
		end++
	}
	s := p.rest[:end]
	p.rest = p.rest[end:]
	if isNumber(s) {
		return plain(s)
	}
	return s
}

func isNumber(s string) bool { return strings.Trim(s, "0123456789") == "" }

// String is the normal form.
func (v Version) String() string {
	var b strings.Builder
	if v.epoch != "0" {
		b.WriteString(v.epoch + "!")
	}
	b.WriteString(strings.Join(v.release, "."))
	if v.pre != "" {
		b.WriteString(v.pre + v.preN)
	}
	if v.post != "" {
		b.WriteString(".post" + v.post)
	}
	if v.dev != "" {
		b.WriteString(".dev" + v.dev)
	}
	if v.local != nil {
		b.WriteString("+" + strings.Join(v.local, "."))
	}
	return b.String()
}

// IsPrerelease says whether it comes before a release: it is an alpha, a beta, a
// candidate, or a state of development.
func (v Version) IsPrerelease() bool { return v.pre != "" || v.dev != "" }

// Compare is negative where v comes before o, positive where after, and 0 where
// neither.
func (v Version) Compare(o Version) int {
	return cmp.Or(
		numbers(v.epoch, o.epoch),
		slices.CompareFunc(significant(v.release), significant(o.release), numbers),
		cmp.Compare(v.stage(), o.stage()),
		numbers(v.preN, o.preN),
		numbers(v.post, o.post), // none, which is shortest, comes first
		cmp.Compare(b2i(v.dev == ""), b2i(o.dev == "")),
		numbers(v.dev, o.dev),
		slices.CompareFunc(v.local, o.local, segments),
	)
}

// stage orders what comes before a release: development of no pre-release, alpha,
// beta, candidate, the release.
func (v Version) stage() int {
	switch {
	case v.pre != "":
		return slices.Index([]string{"a", "b", "rc"}, v.pre)
	case v.post == "" && v.dev != "":
		return -1
	}
	return 3
}

// significant is a release without the zeros at its end.
func significant(release []string) []string {
	n := len(release)
	for n > 0 && release[n-1] == "0" {
		n--
	}
	return release[:n]
}

// numbers compares two that have no leading zeros.
func numbers(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// segments compares those of local versions: words come before numbers.
func segments(a, b string) int {
	switch x, y := isNumber(a), isNumber(b); {
	case x && y:
		return numbers(a, b)
	case x != y:
		return cmp.Compare(b2i(x), b2i(y))
	}
	return strings.Compare(a, b)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
