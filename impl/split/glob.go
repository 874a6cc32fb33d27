package split

import (
	"errors"
	"math/bits"
	"strings"
	"unicode/utf8"
)

// Glob is a compiled pattern over whole paths: * and ? stop at slashes, **
// crosses them, [...] is a set as in a shell ([!...] its complement, which may
// match a slash). Everything else, backslashes too, is literal.
type Glob struct {
	// prefix is what every match starts with.
	prefix string
	// items are what follows it.
	items []item
}

type itemKind uint8

const (
	literal itemKind = iota
	anyOne           // ?
	star             // *
	stars            // **
	set              // [...]
)

type item struct {
	kind itemKind
	// r is a literal's character.
	r rune
	// ranges and negated belong to a set.
	ranges  []span
	negated bool
}

type span struct{ low, high rune }

var errRange = errors.New("a range in a set ends before it starts")

// Compile compiles a pattern. The only thing that can be wrong with one is a
// range like [z-a].
func Compile(pattern string) (*Glob, error) {
	g := new(Glob)
	runes := decode(pattern)
	for i := 0; i < len(runes); {
		r := runes[i]
		i++
		it := item{r: r}
		switch r {
		case '*':
			it.kind = star
			if i < len(runes) && runes[i] == '*' {
				it.kind = stars
				i++
			}
		case '?':
			it.kind = anyOne
		case '[':
			end := i
			if end < len(runes) && runes[end] == '!' {
				end++
			}
			if end < len(runes) && runes[end] == ']' {
				end++
			}
			for end < len(runes) && runes[end] != ']' {
				end++
			}
			if end >= len(runes) {
				break // a bracket that nothing closes is literal
			}
			if err := it.members(runes[i:end]); err != nil {
				return nil, err
			}
			i = end + 1
		}
		g.items = append(g.items, it)
	}
	n := 0
	for n < len(g.items) && g.items[n].kind == literal && utf8.ValidRune(g.items[n].r) {
		n++
	}
	g.prefix = string(runes[:n])
	g.items = g.items[n:]
	return g, nil
}

// members reads what stands between the brackets of a set.
func (it *item) members(runes []rune) error {
	it.kind = set
	if runes[0] == '!' {
		it.negated = true
		runes = runes[1:]
	}
	for i := 0; i < len(runes); i++ {
		s := span{runes[i], runes[i]}
		if i+2 < len(runes) && runes[i+1] == '-' {
			s.high = runes[i+2]
			i += 2
		}
		if s.high < s.low {
			return errRange
		}
		it.ranges = append(it.ranges, s)
	}
	return nil
}

func (it *item) matches(r rune) bool {
	switch it.kind {
	case literal:
		return r == it.r
	case anyOne, star:
		return r != '/'
	case stars:
		return true
	}
	for _, s := range it.ranges {
		if r >= s.low && r <= s.high {
			return !it.negated
		}
	}
	return it.negated
}

// Match tells whether the whole path matches. Its time is at most the product
// of the two lengths.
func (g *Glob) Match(path string) bool {
	rest, ok := strings.CutPrefix(path, g.prefix)
	if !ok {
		return false
	}
	if len(g.items) == 0 {
		return rest == ""
	}
	if len(g.items) < 64 {
		return g.matchShort(rest)
	}
	return g.matchLong(rest)
}

// matchShort follows all ways to match at once: bit i of the state says that
// items[:i] can match what was read.
func (g *Glob) matchShort(path string) bool {
	state := g.skip(1)
	for i := 0; i < len(path); {
		r, size := decodeRune(path[i:])
		i += size
		var next uint64
		for left := state; left != 0; left &= left - 1 {
			n := bits.TrailingZeros64(left)
			if n == len(g.items) || !g.items[n].matches(r) {
				continue
			}
			if k := g.items[n].kind; k == star || k == stars {
				next |= 1 << n
			} else {
				next |= 2 << n
			}
		}
		if next == 0 {
			return false
		}
		state = g.skip(next)
	}
	return state&(1<<len(g.items)) != 0
}

// skip adds the states that are reached without reading: after a star that
// matches nothing.
func (g *Glob) skip(state uint64) uint64 {
	for left := state; left != 0; left &= left - 1 {
		n := bits.TrailingZeros64(left)
		for n < len(g.items) && (g.items[n].kind == star || g.items[n].kind == stars) {
			n++
			state |= 1 << n
		}
	}
	return state
}

// matchLong is matchShort for patterns that are longer than a word.
func (g *Glob) matchLong(path string) bool {
	state, next := make([]bool, len(g.items)+1), make([]bool, len(g.items)+1)
	state[0] = true
	closeOver := func(s []bool) {
		for n, it := range g.items {
			if s[n] && (it.kind == star || it.kind == stars) {
				s[n+1] = true
			}
		}
	}
	closeOver(state)
	for i := 0; i < len(path); {
		r, size := decodeRune(path[i:])
		i += size
		clear(next)
		for n := range g.items {
			if !state[n] || !g.items[n].matches(r) {
				continue
			}
			if k := g.items[n].kind; k == star || k == stars {
				next[n] = true
			} else {
				next[n+1] = true
			}
		}
		closeOver(next)
		state, next = next, state
	}
	return state[len(g.items)]
}

// decodeRune reads one character. A byte that is not UTF-8 is the surrogate by
// which Python reads it.
func decodeRune(s string) (rune, int) {
	if s[0] < utf8.RuneSelf {
		return rune(s[0]), 1
	}
	r, size := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && size == 1 {
		return 0xdc00 + rune(s[0]), 1
	}
	return r, size
}

func decode(s string) []rune {
	runes := make([]rune, 0, len(s))
	for i := 0; i < len(s); {
		r, size := decodeRune(s[i:])
		runes = append(runes, r)
		i += size
	}
	return runes
}
