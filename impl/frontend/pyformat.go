package frontend

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/rivo/uniseg"
)

// spec is the part of Python's format specification that makes sense for
// strings: [[fill]align][0][width][.precision][s].
type spec struct {
	fill      string
	align     byte // '<', '>', '^', or 0 for none given
	width     int
	precision int // -1 for none
}

// maxWidth bounds the padding that a format may ask for.
const maxWidth = 4096

// parseSpec reads what stands between a field's name and its closing brace:
// "", ":spec", "!s:spec".
func parseSpec(text string) (spec, error) {
	s := spec{fill: " ", precision: -1}
	if strings.HasPrefix(text, "!") {
		if len(text) < 2 || text[1] != 's' {
			return s, fmt.Errorf("conversion %q is not supported", text)
		}
		text = text[2:]
	}
	if text == "" {
		return s, nil
	}
	if text[0] != ':' {
		return s, fmt.Errorf("unexpected %q", text)
	}
	text = text[1:]

	// A fill is any one character that is followed by an alignment.
	runes := []rune(text)
	switch {
	case len(runes) >= 2 && isAlign(runes[1]):
		s.fill, s.align = string(runes[0]), byte(runes[1])
		text = string(runes[2:])
	case len(runes) >= 1 && isAlign(runes[0]):
		s.align = byte(runes[0])
		text = string(runes[1:])
	}
	if s.align == '=' {
		return s, fmt.Errorf("'=' alignment is not allowed in a string format")
	}
	if strings.HasPrefix(text, "0") && s.align == 0 {
		s.fill, s.align = "0", '<'
		text = text[1:]
	}
	digits := leadingDigits(text)
	if digits != "" {
		n, err := strconv.Atoi(digits)
		if err != nil || n > maxWidth {
			return s, fmt.Errorf("width %s is too large", digits)
		}
		s.width = n
		text = text[len(digits):]
	}
	if strings.HasPrefix(text, ".") {
		digits = leadingDigits(text[1:])
		if digits == "" {
			return s, fmt.Errorf("format specifier is missing precision")
		}
		n, err := strconv.Atoi(digits)
		if err != nil {
			return s, fmt.Errorf("precision %s is too large", digits)
		}
		s.precision = n
		text = text[1+len(digits):]
	}
	text = strings.TrimPrefix(text, "s")
	if text != "" {
		return s, fmt.Errorf("unknown format code %q for a string", text)
	}
	return s, nil
}

func isAlign(r rune) bool { return r == '<' || r == '>' || r == '^' || r == '=' }

func leadingDigits(text string) string {
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return text[:n]
}

// apply pads value as Python's str.format does, but by width on the screen.
func (s spec) apply(value string) string {
	if s.precision >= 0 {
		runes := []rune(value)
		if len(runes) > s.precision {
			value = string(runes[:s.precision])
		}
	}
	missing := s.width - width(value)
	if missing <= 0 {
		return value
	}
	left := 0
	switch s.align {
	case '>':
		left = missing
	case '^':
		left = missing / 2
	}
	return strings.Repeat(s.fill, left) + value + strings.Repeat(s.fill, missing-left)
}

// width is how many columns text takes.
func width(text string) int {
	for i := 0; i < len(text); i++ {
		if text[i] >= 0x80 {
			return uniseg.StringWidth(text)
		}
	}
	return len(text)
}
