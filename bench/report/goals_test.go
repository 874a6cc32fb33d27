package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSharpest(t *testing.T) {
	rounds := func(v float64, n int) series {
		s := series{}
		for i := range n {
			s[i+1] = v
		}
		return s
	}
	g := goal{bound: atMost(1), measure: func(*Set) []figure {
		return []figure{
			{"few", "build, pty", ratio, rounds(2, 6)},
			{"many", "build, pty", ratio, rounds(1, 60)},
			{"fewer", "build, pty", ratio, rounds(3, 5)},
			{"good", "build, xterm", ratio, rounds(1, 6)},
			{"bad", "build, xterm", ratio, rounds(1.5, 6)},
		}
	}}
	var got []string
	for _, f := range g.sharpest(nil) {
		got = append(got, f.file)
	}
	if diff := cmp.Diff([]string{"many", "bad"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
