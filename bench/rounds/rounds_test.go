package rounds_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bst/bench/rounds"
)

func TestRounds(t *testing.T) {
	jobs := []int{1, 2, 3, 4, 5, 6, 7, 8}
	collect := func(seed uint64) (all [][]int) {
		want := 0
		for round, order := range rounds.Warmed(jobs, 3, rounds.Random(seed)) {
			if round != want {
				t.Errorf("round %d, want %d", round, want)
			}
			want++
			all = append(all, order)
		}
		return all
	}
	first := collect(1)
	if len(first) != 4 || !slices.Equal(first[0], jobs) {
		t.Errorf("%v", first)
	}
	if diff := cmp.Diff(first, collect(1)); diff != "" {
		t.Errorf("the same seed, another order:\n%s", diff)
	}
	if cmp.Equal(first, collect(2)) || cmp.Equal(first[1], first[2]) {
		t.Errorf("not in random order: %v", first)
	}
	for _, order := range first {
		if sorted := slices.Sorted(slices.Values(order)); !slices.Equal(sorted, jobs) {
			t.Errorf("not every job once: %v", order)
		}
	}
	for round := range rounds.Warmed(jobs, 3, rounds.Random(1)) {
		if round == 1 {
			break // ends without a panic
		}
	}
}
