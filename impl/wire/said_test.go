package wire

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bst/impl/stream"
)

// What a frame's strings cross as: themselves in quotes, or how many were spelt out
// since.
func TestSaid(t *testing.T) {
	key := strings.Repeat("a", 64)
	long := strings.Repeat("x", longestSaid+1)
	many := make([]string, maxSaid+1)
	for i := range many {
		many[i] = fmt.Sprintf("element-%d.bst", i)
	}
	var spelt []string
	for _, s := range many {
		spelt = append(spelt, fmt.Sprintf("%q", s))
	}
	for _, test := range []struct {
		name string
		text []string
		want []string
	}{
		{"the last", []string{key, key, key}, []string{`"` + key + `"`, "0", "0"}},
		{"one before", []string{key, "Build", key, "Build"}, []string{`"` + key + `"`, `"Build"`, "1", "0"}},
		{"too short and too long", []string{"abcd", "abcd", "", "", long, long},
			[]string{`"abcd"`, `"abcd"`, `""`, `""`, `"` + long + `"`, `"` + long + `"`}},
		{"equal, of another address", []string{key, strings.Clone(key)}, []string{`"` + key + `"`, `"` + key + `"`}},
		{"its beginning", []string{key, key[:10]}, []string{`"` + key + `"`, `"` + key[:10] + `"`}},
		{"too long ago", append(many[:len(many):len(many)], many[0]), append(spelt[:len(spelt):len(spelt)], spelt[0])},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, h := new(said), new(heard)
			var got []string
			for _, text := range test.text {
				b := s.append(nil, text)
				if b[0]&0xe0 == cborUint {
					_, n, _, err := head(b)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, fmt.Sprint(n))
				} else {
					got = append(got, fmt.Sprintf("%q", text))
				}
				if back, rest, err := h.read(b); back != text || len(rest) > 0 || err != nil {
					t.Fatalf("%q came as %q, %d bytes are left, %v", text, back, len(rest), err)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever is said, in any order, is heard; and what is equal and was said at one
// address becomes one string again.
func TestSaidIsHeard(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		s, h := new(said), new(heard)
		words := make([]string, 1+r.IntN(2*maxSaid))
		for i := range words {
			words[i] = strings.Repeat(fmt.Sprint(i), r.IntN(100))
		}
		saved := 0
		for range 2000 {
			text := words[r.IntN(len(words))]
			b := s.append(nil, text)
			if len(b) < len(text) {
				saved++
			}
			if got, rest, err := h.read(b); got != text || len(rest) > 0 || err != nil {
				t.Fatalf("%q came as %q, %d bytes are left, %v", text, got, len(rest), err)
			}
		}
		if len(words) < maxSaid/4 && saved == 0 {
			t.Errorf("of %d words none was ever given as a number", len(words))
		}
	}
}

// A number that stands for nothing is refused, and each frame begins anew.
func TestUnsaid(t *testing.T) {
	key := strings.Repeat("k", 64)
	h := new(heard)
	for _, n := range []uint64{0, 1, maxSaid - 1, maxSaid, 1 << 40} {
		if text, _, err := h.read(appendHead(nil, cborUint, n)); err == nil {
			t.Errorf("%d of a frame without strings came as %q", n, text)
		}
	}
	tab := testTables(t)
	var w frameWriter
	for range 2 {
		w.begin()
		for range 3 {
			if err := w.add(tab, &stream.Message{Element: key}); err != nil {
				t.Fatal(err)
			}
		}
		if n := strings.Count(string(w.buf), key); n != 1 {
			t.Errorf("the key is spelt out %d times in a frame", n)
		}
		got := 0
		if err := tab.readFrame(w.buf[frameHeader:], func(value any, _ int) error {
			if m := value.(*stream.Message); m.Element == key {
				got++
			}
			return nil
		}); err != nil || got != 3 {
			t.Errorf("%d of 3 came, %v", got, err)
		}
	}
}
