package node

import "unicode"

// isPythonSpace is Python's str.isspace for one character: it differs from
// unicode.IsSpace in the information separators.
func isPythonSpace(r rune) bool {
	return r >= 0x1c && r <= 0x1f || unicode.IsSpace(r)
}
