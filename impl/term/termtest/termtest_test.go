package termtest

import (
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTerminal(t *testing.T) {
	s := New(10, 3)
	for _, text := range []string{"one\r\n", "two \x1b[31mred\x1b[0m\r\n", "\x1b[?2026hgone\x1b[2K\rthree\x1b[?2026l\r\nfour 漢字 five"} {
		if _, err := io.WriteString(s, text); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff("three\nfour 漢字\nfive\n", s.String()); diff != "" {
		t.Errorf("screen (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"one", "two red"}, s.Scrollback()); diff != "" {
		t.Errorf("scrollback (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("one\ntwo red\nthree\nfour 漢字\nfive\n", s.All()); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	if bytes, writes := s.Written(); writes != 3 || bytes == 0 {
		t.Errorf("%d bytes in %d writes", bytes, writes)
	}
}

func TestSideBySide(t *testing.T) {
	if got := SideBySide("a\nb\n", "a\nb\n"); got != "" {
		t.Errorf("equal screens differ: %q", got)
	}
	for _, test := range []struct{ name, want, got, text string }{
		{"a line differs", "same\nleft", "same\nright", "want | got\n---- + ----\nsame | same\nleft X right\n"},
		{"a line is missing", "same\n漢字漢", "same", "want   | got\n------ + ------\nsame   | same\n漢字漢 <\n"},
		{"a line is too many", "same", "same\nmore", "want | got\n---- + ----\nsame | same\n     > more\n"},
	} {
		if diff := cmp.Diff(test.text, SideBySide(test.want, test.got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}
