package node

import (
	"strings"
	"testing"
)

// odd are texts where readers of YAML tend to differ.
var odd = []string{
	// Document markers within and behind scalars.
	"a: |\n  x\n---\nb: c\n", "a: |\n  ---\n  x\n", "a:\n- |\n ---\n ...\n", "a: b\n...\n", "a: b\n---", "a: ---\n", "a: |\n  x\n...",
	"--- a\n", "---a: b\n", "a: >\n  x\n---\n", "...: a\n", "a:\n---\n", "a:\n  ---\n", "a:\n  --- b\n", "- ---\n", "%YAML 1.2\n---\na: b\n",
	"a: '\n---\n'", "--: a\n", "----: a\n", "a:\n- --- b\n", "a: [---]\n", "a: {--- : b}\n", "---\ta: b\n", "....: a\n", "a: b\n----: c\n",
	// Comments behind quoted scalars, and what only looks like one.
	"a: 'b'#c\n", "a: 'b' #c\n", "a: \"b\"#c\n", "a: \"b\" # c", "'a'#b: c\n", "'a' #b: c\n", "'a' : b\n", "'a':b\n", "\"a\":b\n", "a: 'b':\n", "a: 'b' : c\n",
	"a: 'b' c\n", "a: b #\n", "a: #\n", "a:#b\n", "a: #b\n  c\n", "a: | #b\n  c\n", "a: |#b\n  c\n", "a: [] #b\n", "a: []#b\n", "a: [b #c]\n", "a: [b#c]\n", "#", "# a\na: b\n#",
	"a: b\n#c\n  d\n", "a: |\n  b\n # c\n  d\n", "a: |\n  b\n# c\nd: e\n", "a: |\n  b\n   # c\n", "a:\n  # b\n- c\n", "-#\n", "a: -#\n", "a:\n- #\n- b\n", "a: | # c", "a: | #\n b\n",
	// Tabs and trailing spaces.
	"a:\t\n", "a: b\t\n", "a: \tb\n", "\ta: b\n", "a: 'b\tc'\n", "a: |\t\n  b\n", "a: |\n\tb\n", "a: |\n \t\n  b\n", "a: |\n  b\n\t\n", "a: |\n  b\n  \t\nc: d\n", "-\ta\n", "a:\n-\tb\n", "# a\tb\na: b #\tc\n",
	"a:   \n", "a: b   \n", "a:   b\n", "a: |   \n  b   \n", "a: |\n   \n  b\n", "a: |\n  b\n     \n", "a: >\n  b   \n  c\n", "a: >\n  b\n    \n  c\n", "a: 'b '  \n", "a: ' b'\n", "   \na: b\n   ", "a: b\n\t", "a: b\n \t# c\n",
	// Non-ASCII text, NEL, BOM, carriage returns, separators.
	"a: ä\n", "ä: a\n", "a: 'ä' # ö\n", "# ä\na: b\n", "a: |\n  ä\n   ö\n", "a: ä: b\n", "a: [ä]\n", "- ä: b\n", "a:\n- 漢: b\n", "a: \U0001f600\n", "a: b\u00a0\n", "a:\u00a0b\n", "a: [b, 'ä', c]\n", "a: |\n  \u00a0\n",
	"a: b\u0085c: d\n", "a: |\n  b\u0085  c\n", "a: b\u2028c\n", "\ufeffa: b\n", "a: \ufeffb\n", "a: b\r\nc: d\r\n", "a: |\r\n  b\r\n", "a: b\rc: d\n", "a: \xff\n", "a: \x7f\n", "a: \ufffe\n", "a: \x00\n", "# \x01\na: b\n", "# \u0085a: b\n", "a: \ufffd\n", "a: \U0010ffff\n",
	// Very long keys, explicit keys, keys of other kinds.
	strings.Repeat("k", 1024) + ": v\n", strings.Repeat("k", 999) + ": v\n", "'" + strings.Repeat("k", 1023) + "': v\n", strings.Repeat("k ", 512) + ": v\n", "a" + strings.Repeat(" ", 1030) + ": v\n",
	"a: {" + strings.Repeat("k", 1020) + ": v}\n", "a: {b" + strings.Repeat(" ", 1030) + ": v}\n", "a:\n- b" + strings.Repeat(" ", 1030) + ": v\n", "'a'" + strings.Repeat(" ", 1030) + ": v\n",
	"\"" + strings.Repeat("\\n", 600) + "\": v\n", "'" + strings.Repeat("''", 600) + "': v\n", "a: {'" + strings.Repeat("''", 600) + "': v}\n", "a: {\"" + strings.Repeat("\\n", 600) + "\": v}\n", "a: [" + strings.Repeat("b, ", 500) + "]\n",
	"a: {b: [" + strings.Repeat("c, ", 500) + "]}\n", "a:" + strings.Repeat(" ", 1030) + "b\n", "a: '" + strings.Repeat("b", 2000) + "'\n", "a: " + strings.Repeat("b", 2000) + "\n", "a: " + strings.Repeat("b", 2000) + ":\n",
	"? a\n: b\n", "?a: b\n", "a: ?b\n", "a: ? b\n", "a:\n  ? b\n", "- ? a\n", "?: a\n", "a?: b\n", ": a\n", ":a: b\n", "a: :b\n", "a: : b\n", "a: b:\n", "a:: b\n", "a: b: c\n", "[a]: b\n", "{a: b}: c\n", "a: {? b : c}\n", "a: ?\n", "?\n",
	"-a: b\n", "- a\n", "-: a\n", "a: -\n", "a: - b\n", "a: -b\n", "&a: b\n", "*a : b\n", "!a: b\n", "<<: a\n", "a: <<\n", "a: !b\n", "'': a\n", "\"\": a\n", "~: a\n", "null: a\n", "a: |: b\n", "<<: {a: b}\n", "a: {<<: {b: c}}\n", "' a ': b\n",
	// Lists in lists, lists in mappings at every indentation.
	"a: - - b\n", "- - - a\n", "a:\n- - - b\n    - c\n  - d\n- e\n", "a:\n- - -\n", "a:\n- -\n  - b\n", "a:\n-\n-\n", "a:\n-\n- b\nc:\n", "a:\n - b\n- c\n", "a:\n- b\n - c\n", "a:\n  - b\n  c: d\n", "a:\n- b: c\n  - d\n",
	"a:\n- b:\n  - c\n- d:\n    - e\n", "a:\n- b:\n- c\n", "a:\n- b: c\n d: e\n", "a:\n- b: c\n   d: e\n", "a:\n  b:\n  - c\n  d:\n - e\n", "a:\n-  b: c\n   d: e\n", "a:\n-   - b\n    - c\n", "a:\n\n\n- b\n\n- c\n", "a:\n  - b\n  -c\n",
	"a:\n- b\n-c: d\n", "a:\n- b\nc\n", "a:\n- b\n  c\n", "a:\n  b\n  c: d\n", "a:\n  b\nc: d\n", "a:\nb\n", "a:\n 'b'\n", "a:\n 'b': c\n 'd': e\n", "a:\n [b]\n", "a:\n{b: c}\n", "a:\n[b]\n", "a: [b,\nc]\n", "a:\n|\n b\n", "a:\n'b'\n",
	"a:\n- - b: c\n    d: e\n  - f\n", "a:\n-\n  b: c\n  d: e\n", "a:\n-\n  - b\n-\n  c\n", "a:\n-\nb: c\n", "a:\n-\n- \n-  \n", "a:\n- - - -\n", "a:\n- - -\n    - b\n", "a:\n- b: - c\n", "a:\n  - b\n - c\n", "a:\n  - b\n   - c\n", "a:\n-\n\n\n- b\n",
	// Block scalars at the end of a file, with and without a newline, and their headers.
	"a: |", "a: |\n", "a: |\n\n", "a: |\n  ", "a: |\n b", "a: |\n b\n", "a: |\n b\n\n", "a: |\n b\n  ", "a: >", "a: >\n", "a: >\n b", "a: >\n b\n\n\n", "a: |-", "a: |+\n b", "a: |2\n   b\n", "a: |-1\n  b\n", "a: |1-\n  b\n", "a: |0\n b\n", "a: |--\n b\n",
	"a: | b\n", "a: |\nb\n", "a: |\nb: c\n", "a:\n- |\nb: c\n", "a:\n- |\n- b\n", "a:\n- |\n b\n- c\n", "a:\n- b: |\n   c\n  d: |\n   e\n", "a:\n- b: |\n  c\n", "a:\n  b: |\n  c\n", "a:\n  |\n  b\n", "a:\n  |\n b\n", "|\n a\n", "a: |\n    b\n  c\n", "a: |\n  b\n c: d\n",
	"a: |\n  b\n\n\n   c\n\n", "a: >\n\n  b\n", "a: >\n  b\n\n   c\n", "a: >\n  - b\n  - c\n", "a: |\n  b: c\n  # d\n", "a: |\n  'b\n", "a: >\n  b\n # c\n", "a: |\n\n\n  b\n", "a: |\n     \n\n  b\n", "a:\n- - |\n   b\n  - c\n", "a:\n- - |\n  b\n", "a: |\n  # b\n", "a: |\n # b\n  c\n",
	"  a: |\n   b\n", "  a: |\n b\n", "  a: |\n  b\n", "  a:\n  - |\n   b\n", "a:\n- |\n  b\n # c\n- d\n", "a: |\n  b\n\n# c\n\nd: e\n", "a: >+\n  b\n\n\nc: d\n", "a: >\n  b\n  \n  c\n",
	// Flow collections and quotes.
	"a: [b, ]\n", "a: [, b]\n", "a: [,]\n", "a: {,}\n", "a: [b: c]\n", "a: [b:c]\n", "a: {b}\n", "a: {b: }\n", "a: {b:}\n", "a: {b:c}\n", "a: {'b':c}\n", "a: {\"b\": c}\n", "a: [[]]\n", "a: [{}]\n", "a: {}}\n", "a: []]\n", "a: [] b\n", "a: []: b\n", "a: [-]\n", "a: [- b]\n", "a: [b -c]\n",
	"a: [b ? c]\n", "a: [?]\n", "a: [\"b\"c]\n", "a: ['b' 'c']\n", "a: ['b', c d ]\n", "a: {b: c, d}\n", "a: [b", "a: {b: c", "a: [=]\n", "a: [<]\n", "a: [a<, b> ]\n", "a: {a : b}\n", "a: {a b: c}\n", "a: [(b]\n", "a: [b.]\n", "a: [.]\n", "a: [...]\n", "a: ['b''c']\n", "a: [a\tb]\n",
	"a: ['b': c]\n", "a: ['b' : c]\n", "a: [[b]: c]\n", "a: [{b: c}: d]\n", "a: {b: c: d}\n", "a: {b: 'c': d}\n", "a: {b: [c]: d}\n", "a:\n  [b]: c\n", "a:\n  {}: c\n", "[]: a\n", "a: [b]:\n", "a: {[b]: c}\n", "a: [b,c]\n", "a: {b: c,d: e}\n", "a: [ ]\n", "a: { }\n", "a: {b: -}\n", "a: [b - c]\n", "a: [b -]\n", "a: [b]]: c\n",
	"a: 'b\n", "a: \"b\n", "a: \"\\x41\"\n", "a: \"\\/\"\n", "a: \"\\ \"\n", "a: \"\\\n b\"\n", "a: \"\\", "a: '", "a: ''''\n", "a: ''\n", "a: \"\\t\"\n", "\"a\\nb\": c\n", "\"a\\tb\": c\n", "a: b'c\n", "a: b\"c\n", "a: b]\n", "a: b, c\n", "a: {b: c}d\n", "a: @b\n", "a: `b\n", "a: %b\n", "%a: b\n",
	"a: \"\\n\\n\"\n", "a: \" \\n b \"\n", "a: 'b''\n", "a: \"b\\\"\n", "a: 'b'\"c\"\n", "a: \"\" b\n", "- 'a'\n- \"b\": c\n", "a: b\\n\n", "a: b\\\n",
	// Duplicates by value, though not by text.
	"a: b\n'a': c\n", "a: b\n\"a\": c\n", "a: {b: c, 'b': d}\n", "a: b\na : c\n", "1: a\n0x1: b\n", "~: a\nnull: b\n", "a: b\n' a': c\n",
}

func TestPlainOdd(t *testing.T) {
	read := 0
	for _, text := range odd {
		if compare(t, text) {
			read++
		}
	}
	if read == 0 || read == len(odd) {
		t.Errorf("%d of %d are read: the texts are to be of both kinds", read, len(odd))
	}
}

// tokens are what texts of YAML are put together from: random texts of them get
// further into a reader than random bytes do.
var tokens = []string{
	"\n", "\n", "\n", "\n  ", "\n  ", "\n    ", "\n ", " ", " ", "  ", "a", "b", "c", "k", "a: ", "b: ", "c:", "d: e", "k: v\n", "- ", "- ", "-", ":", ": ", "\n- ", "\n  - ", "\n- -",
	"|", ">", "|-", ">-", "|+", " |\n  x\n", " >\n  x\n  y\n", "'", "\"", "'x'", "\"x\"", "''", "\\n", "\\", " #", "#", " # c\n", "[", "]", "{", "}", ", ", ",", "[x]", "{k: v}", "[]", "{}",
	"---", "...", "\n---\n", "\t", "? ", "?", "&", "*", "!", "!!str ", "%", "@", "`", "ä", "\u00a0", "\r", "\u0085", "\ufeff", "~", "null", "1", "<<", "<<: ", "=", ".", "(", ")", "/", "x-y", "a b", "\n\n", "   \n", "\n# c", "it's",
}

func FuzzPlainTokens(f *testing.F) {
	for i := range tokens {
		f.Add([]byte{byte(i), 20, byte(i), 0, 15, byte(i)})
	}
	f.Fuzz(func(t *testing.T, picks []byte) {
		if len(picks) > 60 {
			return
		}
		var text strings.Builder
		text.WriteString("a: ")
		for _, pick := range picks {
			text.WriteString(tokens[int(pick)%len(tokens)])
		}
		compare(t, text.String())
		compare(t, strings.TrimPrefix(text.String(), "a: "))
	})
}
