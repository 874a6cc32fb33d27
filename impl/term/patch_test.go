package term

import (
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"bst/impl/term/termtest"
)

// TestPatchRandom: however a line is turned into another, the screen looks as
// if the other had been written whole.
func TestPatchRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	pieces := []string{"a", "bc", "00:00:01", "\x1b[m ", "\x1b[m    ", "[", "\x1b[36m", "\x1b[36;2m", "\x1b[0;33m", "\x1b[m", "12", "13"}
	line := func() string {
		var b strings.Builder
		for range random.IntN(20) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		if random.IntN(10) == 0 {
			b.WriteString("漢é")
		}
		return b.String() + "\x1b[m."
	}
	patched := 0
	e, want := termtest.NewCooked(200, 4), termtest.NewCooked(200, 4)
	write := func(to io.Writer, text string) {
		if _, err := io.WriteString(to, text); err != nil {
			t.Fatal(err)
		}
	}
	for range 2000 {
		old, next := line(), line()
		if random.IntN(2) == 0 && len(old) > 6 { // mostly the same, as frames are
			next = strings.Replace(old, "0", "7", 1)
		}
		write(e, "\x1b[m\x1b[H\x1b[2J")
		write(want, "\x1b[m\x1b[H\x1b[2J")
		s := &Screen{features: Features{Status: true}}
		for _, f := range []Frame{{Status: []string{old, "below"}}, {Status: []string{next, "below"}}} {
			write(e, bytesOf(s.compose(f)))
		}
		write(want, next+"\nbelow")
		if diff := termtest.SideBySide(want.Coloured(), e.Coloured()); diff != "" {
			t.Fatalf("from %q to %q:\n%s", old, next, diff)
		}
		if _, ok := patch(nil, old, next); ok && old != next {
			patched++
		}
	}
	if patched < 500 {
		t.Errorf("only %d lines were patched", patched)
	}
}

// TestPatchIsSmall: what ticks costs what it changes.
func TestPatchIsSmall(t *testing.T) {
	old := "\x1b[33m00:00:01\x1b[36;2m gnome (\x1b[0;33m1139\x1b[36;2m) [####      ]  36% \x1b[0;33m412\x1b[36;2m/1139\x1b[m"
	next := strings.NewReplacer("00:00:01", "00:00:02", "412", "419").Replace(old)
	got, ok := patch(nil, old, next)
	if want := "\x1b[7C\x1b[33m2\x1b[34C\x1b[m\x1b[0;33m9\x1b[m"; !ok || string(got) != want {
		t.Errorf("%v, %q, want %q", ok, got, want)
	}
}

func FuzzPatch(f *testing.F) {
	f.Add("a\x1b[31mb\x1b[m", "a\x1b[0;32mc\x1b[m")
	f.Add("\x1b[", "\x1b[1")
	f.Fuzz(func(t *testing.T, old, next string) {
		if got, ok := patch(nil, old, next); ok && len(got) > len(next)+len(eraseToEnd) {
			t.Errorf("%q to %q took %q", old, next, got)
		}
	})
}
