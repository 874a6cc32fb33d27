package project

// The order of an element's dependencies is part of its cache key, and comes
// from comparing them with a relation that is no total order: the result
// depends on which pairs are compared, and when. The reference sorts with the
// list sort of CPython 3.12, and so does this: an adaptive, stable, natural
// merge sort ("timsort", by Tim Peters; Objects/listsort.txt in CPython
// describes it), with the powersort rule for when to merge (J. Ian Munro and
// Sebastian Wild, "Nearly-Optimal Mergesorts", 2018).
//
// Runs that are sorted already are found, short ones are extended by binary
// insertion, and neighbouring runs are merged; while one run keeps winning, a
// merge gallops: it looks with growing steps for how far it wins.

// listSort sorts items as CPython 3.12's list.sort does. less is the only
// question that is asked of items.
func listSort[T any](items []T, less func(a, b T) bool) {
	s := &listSorter[T]{items: items, less: less, minGallop: minGallop}
	n := len(items)
	if n < 2 {
		return
	}
	minimum := minRun(n)
	for low := 0; low < n; {
		length := s.countRun(low, n)
		if length < minimum {
			force := min(minimum, n-low)
			s.binaryInsertion(low, low+force, low+length)
			length = force
		}
		s.found(low, length)
		low += length
	}
	for len(s.pending) > 1 {
		at := len(s.pending) - 2
		if at > 0 && s.pending[at-1].length < s.pending[at+1].length {
			at--
		}
		s.mergeAt(at)
	}
}

// minGallop is how often in a row a run must win before a merge gallops, at
// first: merges adapt it.
const minGallop = 7

type listSorter[T any] struct {
	items   []T
	less    func(a, b T) bool
	pending []run
	// minGallop grows where galloping does not pay and shrinks where it does.
	minGallop int
}

// run is a sorted stretch that waits to be merged. power belongs to the
// boundary to the next one.
type run struct{ base, length, power int }

// minRun is the length to which short runs are extended: n over a power of two
// is that or a little less, so that merges are balanced.
func minRun(n int) int {
	odd := 0
	for n >= 64 {
		odd |= n & 1
		n >>= 1
	}
	return n + odd
}

// countRun is the length of the run at low. A run that descends strictly is
// turned round; stability forbids that for one with equals in it.
func (s *listSorter[T]) countRun(low, high int) int {
	if low+1 == high {
		return 1
	}
	end := low + 2
	if s.less(s.items[low+1], s.items[low]) {
		for end < high && s.less(s.items[end], s.items[end-1]) {
			end++
		}
		for i, j := low, end-1; i < j; i, j = i+1, j-1 {
			s.items[i], s.items[j] = s.items[j], s.items[i]
		}
		return end - low
	}
	for end < high && !s.less(s.items[end], s.items[end-1]) {
		end++
	}
	return end - low
}

// binaryInsertion sorts [low, high), of which [low, start) is sorted.
func (s *listSorter[T]) binaryInsertion(low, high, start int) {
	if start == low {
		start++
	}
	for ; start < high; start++ {
		pivot := s.items[start]
		left, right := low, start
		for left < right {
			middle := left + (right-left)/2
			if s.less(pivot, s.items[middle]) {
				right = middle
			} else {
				left = middle + 1
			}
		}
		copy(s.items[left+1:start+1], s.items[left:start])
		s.items[left] = pivot
	}
}

// found takes a new run and merges older ones that its power is below.
func (s *listSorter[T]) found(base, length int) {
	if last := len(s.pending) - 1; last >= 0 {
		power := s.power(s.pending[last], length)
		for len(s.pending) > 1 && s.pending[len(s.pending)-2].power > power {
			s.mergeAt(len(s.pending) - 2)
		}
		s.pending[len(s.pending)-1].power = power
	}
	s.pending = append(s.pending, run{base: base, length: length})
}

// power is the depth at which the boundary between a run and its right
// neighbour lies in a balanced tree over the whole list: the first bit in which
// the two midpoints, as fractions of it, differ.
func (s *listSorter[T]) power(left run, length int) int {
	n := len(s.items)
	a := 2*left.base + left.length // twice the left midpoint
	b := a + left.length + length  // twice the right midpoint
	for power := 1; ; power++ {
		switch {
		case a >= n: // both bits are 1
			a -= n
			b -= n
		case b >= n: // 0 and 1
			return power
		}
		a <<= 1
		b <<= 1
	}
}

// mergeAt merges pending[at] and pending[at+1].
func (s *listSorter[T]) mergeAt(at int) {
	a, b := s.pending[at], s.pending[at+1]
	s.pending[at].length += b.length
	s.pending = append(s.pending[:at+1], s.pending[at+2:]...)

	// Where does b start in a, and a end in b? What lies outside is in place.
	skip := s.gallopRight(s.items[b.base], s.items[a.base:a.base+a.length], 0)
	a.base += skip
	a.length -= skip
	if a.length == 0 {
		return
	}
	b.length = s.gallopLeft(s.items[a.base+a.length-1], s.items[b.base:b.base+b.length], b.length-1)
	if b.length == 0 {
		return
	}
	// The smaller run is copied away, and merged from its side.
	if a.length <= b.length {
		s.mergeLow(a, b)
	} else {
		s.mergeHigh(a, b)
	}
}

// gallopLeft is where key belongs in a sorted list, before its equals. The
// search starts at hint.
func (s *listSorter[T]) gallopLeft(key T, list []T, hint int) int {
	last, offset := 0, 1
	if s.less(list[hint], key) {
		for limit := len(list) - hint; offset < limit && s.less(list[hint+offset], key); {
			last, offset = offset, 2*offset+1
		}
		offset = min(offset, len(list)-hint)
		last, offset = last+hint, offset+hint
	} else {
		for limit := hint + 1; offset < limit && !s.less(list[hint-offset], key); {
			last, offset = offset, 2*offset+1
		}
		offset = min(offset, hint+1)
		last, offset = hint-offset, hint-last
	}
	for last++; last < offset; {
		middle := last + (offset-last)/2
		if s.less(list[middle], key) {
			last = middle + 1
		} else {
			offset = middle
		}
	}
	return offset
}

// gallopRight is gallopLeft, but after the equals.
func (s *listSorter[T]) gallopRight(key T, list []T, hint int) int {
	last, offset := 0, 1
	if s.less(key, list[hint]) {
		for limit := hint + 1; offset < limit && s.less(key, list[hint-offset]); {
			last, offset = offset, 2*offset+1
		}
		offset = min(offset, hint+1)
		last, offset = hint-offset, hint-last
	} else {
		for limit := len(list) - hint; offset < limit && !s.less(key, list[hint+offset]); {
			last, offset = offset, 2*offset+1
		}
		offset = min(offset, len(list)-hint)
		last, offset = last+hint, offset+hint
	}
	for last++; last < offset; {
		middle := last + (offset-last)/2
		if s.less(key, list[middle]) {
			offset = middle
		} else {
			last = middle + 1
		}
	}
	return offset
}

// mergeLow merges from the left; a is the shorter run. b's first item is known
// to come first and a's last to come last.
func (s *listSorter[T]) mergeLow(a, b run) {
	left := append([]T(nil), s.items[a.base:a.base+a.length]...)
	right := s.items[b.base : b.base+b.length]
	to := s.items[a.base:]
	put := 0
	fromRight := func(count int) {
		put += copy(to[put:], right[:count])
		right = right[count:]
	}
	fromLeft := func(count int) {
		put += copy(to[put:], left[:count])
		left = left[count:]
	}
	// What is left of either run goes last: of a right after the rest of b,
	// where one item of a is greater than all of that.
	defer func() {
		if len(left) == 1 && len(right) > 0 {
			fromRight(len(right))
		}
		fromLeft(len(left))
	}()

	fromRight(1)
	if len(right) == 0 || len(left) == 1 {
		return
	}
	for {
		// One by one, until a run wins often.
		leftWins, rightWins := 0, 0
		for leftWins|rightWins < s.minGallop {
			if s.less(right[0], left[0]) {
				fromRight(1)
				rightWins, leftWins = rightWins+1, 0
				if len(right) == 0 {
					return
				}
			} else {
				fromLeft(1)
				leftWins, rightWins = leftWins+1, 0
				if len(left) == 1 {
					return
				}
			}
		}
		// Gallop, while it pays.
		s.minGallop++
		for leftWins, rightWins = minGallop, minGallop; leftWins >= minGallop || rightWins >= minGallop; {
			if s.minGallop > 1 {
				s.minGallop--
			}
			leftWins = s.gallopRight(right[0], left, 0)
			if leftWins > 0 {
				fromLeft(leftWins)
				// None is left only where the relation contradicts itself.
				if len(left) <= 1 {
					return
				}
			}
			fromRight(1)
			if len(right) == 0 {
				return
			}
			rightWins = s.gallopLeft(left[0], right, 0)
			if rightWins > 0 {
				fromRight(rightWins)
				if len(right) == 0 {
					return
				}
			}
			fromLeft(1)
			if len(left) == 1 {
				return
			}
		}
		s.minGallop++ // it no longer pays
	}
}

// mergeHigh is mergeLow from the right; b is the shorter run.
func (s *listSorter[T]) mergeHigh(a, b run) {
	left := s.items[a.base : a.base+a.length]
	right := append([]T(nil), s.items[b.base:b.base+b.length]...)
	put := b.base + b.length
	fromLeft := func(count int) {
		put -= count
		copy(s.items[put:], left[len(left)-count:])
		left = left[:len(left)-count]
	}
	fromRight := func(count int) {
		put -= count
		copy(s.items[put:], right[len(right)-count:])
		right = right[:len(right)-count]
	}
	defer func() {
		if len(right) == 1 && len(left) > 0 {
			fromLeft(len(left))
		}
		fromRight(len(right))
	}()

	fromLeft(1)
	if len(left) == 0 || len(right) == 1 {
		return
	}
	for {
		leftWins, rightWins := 0, 0
		for leftWins|rightWins < s.minGallop {
			if s.less(right[len(right)-1], left[len(left)-1]) {
				fromLeft(1)
				leftWins, rightWins = leftWins+1, 0
				if len(left) == 0 {
					return
				}
			} else {
				fromRight(1)
				rightWins, leftWins = rightWins+1, 0
				if len(right) == 1 {
					return
				}
			}
		}
		s.minGallop++
		for leftWins, rightWins = minGallop, minGallop; leftWins >= minGallop || rightWins >= minGallop; {
			if s.minGallop > 1 {
				s.minGallop--
			}
			leftWins = len(left) - s.gallopRight(right[len(right)-1], left, len(left)-1)
			if leftWins > 0 {
				fromLeft(leftWins)
				if len(left) == 0 {
					return
				}
			}
			fromRight(1)
			if len(right) == 1 {
				return
			}
			rightWins = len(right) - s.gallopLeft(left[len(left)-1], right, len(right)-1)
			if rightWins > 0 {
				fromRight(rightWins)
				if len(right) <= 1 {
					return
				}
			}
			fromLeft(1)
			if len(left) == 0 {
				return
			}
		}
		s.minGallop++
	}
}
