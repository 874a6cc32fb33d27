package project

// The words that expressions are made of, as Jinja's lexer sees them. What they
// mean is the parser's (expression.go).

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenName
	tokenString
	tokenNumber
	tokenOperator
	// tokenError stands where the text has no token; its text says why.
	tokenError
)

type token struct {
	kind tokenKind
	text string
	int  int
}

// described is what errors call the token.
func (t token) described() string {
	switch t.kind {
	case tokenString:
		return "string"
	case tokenNumber:
		return "integer"
	}
	return t.text
}

// operators are those of the language; longer ones come first.
var operators = []string{"==", "!=", "<=", ">=", "<", ">", "(", ")", "[", "]", ",", "**", "*", "//", "/", "%", "+", "-", "~", "|", ".", ":"}

// begin is what the reference puts before an expression: it counts from there.
const begin = "{% if "

// tokenize splits all of text. Where it cannot go on there is an error token,
// so that the parser tells of what is wrong before that first, as the
// reference's does, which reads token by token.
func tokenize(text string) []token {
	var tokens []token
	var open []string // the closing brackets that are due
	rest := strings.TrimLeftFunc(text, unicode.IsSpace)
	for ; rest != ""; rest = strings.TrimLeftFunc(rest, unicode.IsSpace) {
		t, after, err := nextToken(rest)
		if err != nil {
			at := len([]rune(begin)) + utf8.RuneCountInString(text[:len(text)-len(rest)])
			return append(tokens, token{kind: tokenError, text: err.Error() + " at " + strconv.Itoa(at)})
		}
		if t.kind == tokenOperator {
			if complaint := balance(t.text, &open); complaint != "" {
				return append(tokens, token{kind: tokenError, text: complaint})
			}
		}
		if last := len(tokens) - 1; t.kind == tokenString && last >= 0 && tokens[last].kind == tokenString {
			tokens[last].text += t.text // neighbouring strings are one
		} else {
			tokens = append(tokens, t)
		}
		rest = after
	}
	if len(open) == 0 {
		return append(tokens, token{kind: tokenEnd, text: "end of statement block"})
	}
	// The reference reads on, and takes the end of its statement, "%}", apart.
	return append(tokens, token{kind: tokenOperator, text: "%"},
		token{kind: tokenError, text: "unexpected '}', expected '" + open[len(open)-1] + "'"})
}

// balance keeps count of brackets and says what is wrong with one.
func balance(bracket string, open *[]string) string {
	n := len(*open)
	switch bracket {
	case "(":
		*open = append(*open, ")")
	case "[":
		*open = append(*open, "]")
	case ")", "]":
		if n == 0 {
			return "unexpected '" + bracket + "'"
		}
		if expected := (*open)[n-1]; expected != bracket {
			return "unexpected '" + bracket + "', expected '" + expected + "'"
		}
		*open = (*open)[:n-1]
	}
	return ""
}

func nextToken(text string) (token, string, error) {
	c, size := utf8.DecodeRuneInString(text)
	switch {
	case c == '_' || unicode.IsLetter(c):
		n := strings.IndexFunc(text, func(r rune) bool {
			return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
		})
		if n < 0 {
			n = len(text)
		}
		return token{kind: tokenName, text: text[:n]}, text[n:], nil
	case c >= '0' && c <= '9':
		return numberToken(text)
	case c == '\'' || c == '"':
		return stringToken(text)
	}
	for _, operator := range operators {
		if strings.HasPrefix(text, operator) {
			return token{kind: tokenOperator, text: operator}, text[len(operator):], nil
		}
	}
	return token{}, "", fmt.Errorf("unexpected char '%s'", text[:size])
}

func numberToken(text string) (token, string, error) {
	n, end := 0, 0
	for ; end < len(text) && text[end] >= '0' && text[end] <= '9'; end++ {
		n = n*10 + int(text[end]-'0')
		if n > 1<<40 {
			return token{}, "", fmt.Errorf("number %.20s is too large", text)
		}
	}
	return token{kind: tokenNumber, text: text[:end], int: n}, text[end:], nil
}

func stringToken(text string) (token, string, error) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == text[0]:
			return token{kind: tokenString, text: b.String()}, text[i+1:], nil
		case c == '\\' && i+1 < len(text):
			i++
			switch text[i] {
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			case '\\', '\'', '"':
				b.WriteByte(text[i])
			default:
				b.WriteString(text[i-1 : i+1])
			}
		default:
			b.WriteByte(c)
		}
	}
	quoted := `'"'`
	if text[0] == '\'' {
		quoted = `"'"`
	}
	return token{}, "", fmt.Errorf("unexpected char %s", quoted)
}
