package project

import (
	"math/bits"
	"strings"
)

// sortDependencies sorts the dependencies of elements: what other
// dependencies depend on comes first, directly or not. ordered holds each
// element once, dependencies before dependents.
//
// Elements that were sorted by an earlier Load keep their order.
func sortDependencies(ordered []*Element) {
	needed := false
	for i, e := range ordered {
		e.id = int32(i)
		needed = needed || !e.sorted && len(e.Deps) > 1
	}
	if needed {
		closures := newClosures(ordered)
		for _, e := range ordered {
			if !e.sorted && len(e.Deps) > 1 {
				listSort(e.Deps, closures.less)
			}
		}
	}
	for _, e := range ordered {
		e.sorted = true
	}
}

// closures tells what each element depends on. Elements are numbered so that
// dependencies come before dependents: a closure is then a few stretches of
// numbers, which is compact for real graphs as well as for long chains.
type closures struct {
	// of has the closure of element i.
	of [][]span
	// arena is where new closures are put, in large pieces.
	arena []span
}

// span is the numbers from first up to, not including, end.
type span struct{ first, end int32 }

const arenaSize = 1 << 16

func newClosures(ordered []*Element) *closures {
	c := &closures{of: make([][]span, len(ordered))}
	set := newBitset(len(ordered))
	for i, e := range ordered {
		switch len(e.Deps) {
		case 0:
		case 1:
			dep := e.Deps[0].Element.id
			c.of[i] = c.extended(c.of[dep], dep)
		default:
			for _, d := range e.Deps {
				dep := d.Element.id
				set.add(dep, dep+1)
				for _, s := range c.of[dep] {
					set.add(s.first, s.end)
				}
			}
			start := len(c.arena)
			c.arena = set.drain(c.arena)
			c.of[i] = c.arena[start:len(c.arena):len(c.arena)]
		}
		if len(c.arena) > arenaSize*3/4 {
			c.arena = make([]span, 0, arenaSize) // what is in the old one stays
		}
	}
	return c
}

// extended is a closure and one number, which is greater than all in it.
func (c *closures) extended(closure []span, id int32) []span {
	if last := len(closure) - 1; last >= 0 && closure[last].end == id {
		start := len(c.arena)
		c.arena = append(c.arena, closure...)
		c.arena[len(c.arena)-1].end = id + 1
		return c.arena[start:len(c.arena):len(c.arena)]
	}
	start := len(c.arena)
	c.arena = append(append(c.arena, closure...), span{id, id + 1})
	return c.arena[start:len(c.arena):len(c.arena)]
}

// depends says that a depends on b, directly or not.
func (c *closures) depends(a, b int32) bool {
	if a <= b {
		return false
	}
	spans := c.of[a]
	low, high := 0, len(spans)
	for low < high {
		middle := (low + high) / 2
		if spans[middle].end <= b {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low < len(spans) && spans[low].first <= b
}

// less is the reference's order of an element's dependencies. It is no total
// order: listSort says why that matters.
func (c *closures) less(a, b *Dep) bool {
	x, y := a.Element, b.Element
	switch {
	case c.depends(x.id, y.id):
		return false
	case c.depends(y.id, x.id):
		return true
	}
	// What is needed at runtime only comes last.
	if a.runtimeOnly() != b.runtimeOnly() {
		return b.runtimeOnly()
	}
	if x.Name != y.Name {
		return x.Name < y.Name
	}
	// Across junctions before local, which is what the reference does.
	j, k := x.Project.junction, y.Project.junction
	if j != nil && k != nil {
		return strings.Compare(j.Element.Name, k.Element.Name) < 0
	}
	return j != nil && k == nil
}

// bitset is a set of numbers with a summary, so that a few far numbers are
// found as fast as many near ones.
type bitset struct{ words, summary []uint64 }

func newBitset(n int) *bitset {
	words := n/64 + 1
	return &bitset{words: make([]uint64, words), summary: make([]uint64, words/64+1)}
}

// add puts the numbers from first up to, not including, end into the set.
func (b *bitset) add(first, end int32) {
	low, high := first/64, (end-1)/64
	for w := low; w <= high; w++ {
		mask := ^uint64(0)
		if w == low {
			mask &= ^uint64(0) << (first % 64)
		}
		if w == high {
			mask &= ^uint64(0) >> (63 - (end-1)%64)
		}
		b.words[w] |= mask
		b.summary[w/64] |= 1 << (w % 64)
	}
}

// drain appends the set's stretches to spans and empties it.
func (b *bitset) drain(spans []span) []span {
	start := len(spans)
	for s, summary := range b.summary {
		for ; summary != 0; summary &= summary - 1 {
			w := s*64 + bits.TrailingZeros64(summary)
			base := int32(w * 64)
			for word := b.words[w]; word != 0; {
				first := bits.TrailingZeros64(word)
				length := bits.TrailingZeros64(^(word >> first))
				at, end := base+int32(first), base+int32(first+length)
				if last := len(spans) - 1; last >= start && spans[last].end == at {
					spans[last].end = end
				} else {
					spans = append(spans, span{at, end})
				}
				if first+length == 64 {
					break
				}
				word &= ^uint64(0) << (first + length)
			}
			b.words[w] = 0
		}
		b.summary[s] = 0
	}
	return spans
}
