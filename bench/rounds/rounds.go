// Package rounds orders what is measured again and again: each job once a round, in
// random order within it, so that what drifts on the machine drifts for all.
package rounds

import (
	"iter"
	"math/rand/v2"
	"slices"
)

// Random draws the order of a seed, the same everywhere.
func Random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// Of yields n rounds, from 1, each of all jobs in an order that r draws. jobs itself
// stays as it is; a round's slice is that of the round alone.
func Of[J any](jobs []J, n int, r *rand.Rand) iter.Seq2[int, []J] {
	return func(yield func(int, []J) bool) {
		for round := 1; round <= n; round++ {
			shuffled := slices.Clone(jobs)
			r.Shuffle(len(shuffled), func(i, k int) { shuffled[i], shuffled[k] = shuffled[k], shuffled[i] })
			if !yield(round, shuffled) {
				return
			}
		}
	}
}

// Warmed is Of after a round 0, which is not to be recorded, in the jobs' own order.
func Warmed[J any](jobs []J, n int, r *rand.Rand) iter.Seq2[int, []J] {
	return func(yield func(int, []J) bool) {
		if !yield(0, slices.Clone(jobs)) {
			return
		}
		for round, shuffled := range Of(jobs, n, r) {
			if !yield(round, shuffled) {
				return
			}
		}
	}
}
