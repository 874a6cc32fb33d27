package project

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Conditionals hold expressions of the reference's language, Jinja2's, as far
// as it makes sense for options: comparisons, in and not in, and, or, not,
// parentheses, lists, tuples, strings, numbers, constants and the options
// themselves.

// value is what an expression gives: bool, int, string, []value (a list), or
// nil for none.
type value any

// expression is a parsed expression. evaluate fails like Jinja2's strict mode:
// an option that is not declared cannot be used.
type expression interface {
	evaluate(options map[string]value) (value, error)
}

type (
	literal  struct{ value value }
	variable struct{ name string }
	sequence []expression
	negation struct{ of expression }
	// logic is and (stop at false) or or (stop at true).
	logic struct {
		left, right expression
		stop        bool
	}
	// comparison is a chain, as in a < b < c.
	comparison struct {
		first expression
		rest  []comparand
	}
	comparand struct {
		operator string
		operand  expression
	}
	// defined is "name is defined".
	defined struct{ name string }
)

func (e literal) evaluate(map[string]value) (value, error) { return e.value, nil }

func (e variable) evaluate(options map[string]value) (value, error) {
	if v, ok := options[e.name]; ok {
		return v, nil
	}
	return nil, fmt.Errorf("'%s' is undefined", e.name)
}

func (e defined) evaluate(options map[string]value) (value, error) {
	_, ok := options[e.name]
	return ok, nil
}

func (e sequence) evaluate(options map[string]value) (value, error) {
	list := make([]value, 0, len(e))
	for _, item := range e {
		v, err := item.evaluate(options)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

func (e negation) evaluate(options map[string]value) (value, error) {
	v, err := e.of.evaluate(options)
	return !truth(v), err
}

func (e logic) evaluate(options map[string]value) (value, error) {
	left, err := e.left.evaluate(options)
	if err != nil || truth(left) == e.stop {
		return left, err
	}
	return e.right.evaluate(options)
}

func (e comparison) evaluate(options map[string]value) (value, error) {
	left, err := e.first.evaluate(options)
	if err != nil {
		return nil, err
	}
	for _, c := range e.rest {
		right, err := c.operand.evaluate(options)
		if err != nil {
			return nil, err
		}
		holds, err := compare(left, c.operator, right)
		if err != nil || !holds {
			return false, err
		}
		left = right
	}
	return true, nil
}

// truth is Python's.
func truth(v value) bool {
	switch v := v.(type) {
	case bool:
		return v
	case int:
		return v != 0
	case string:
		return v != ""
	case []value:
		return len(v) > 0
	}
	return false
}

func compare(left value, operator string, right value) (bool, error) {
	switch operator {
	case "==":
		return equal(left, right), nil
	case "!=":
		return !equal(left, right), nil
	case "in":
		return within(left, right)
	case "not in":
		in, err := within(left, right)
		return !in, err
	}
	order, err := ordered(left, operator, right)
	if err != nil {
		return false, err
	}
	switch operator {
	case "<":
		return order < 0, nil
	case "<=":
		return order <= 0, nil
	case ">":
		return order > 0, nil
	}
	return order >= 0, nil
}

func equal(a, b value) bool {
	if x, ok := number(a); ok {
		y, ok := number(b)
		return ok && x == y
	}
	x, ok := a.([]value)
	if !ok {
		_, list := b.([]value)
		return !list && a == b
	}
	y, ok := b.([]value)
	if !ok || len(x) != len(y) {
		return false
	}
	for i := range x {
		if !equal(x[i], y[i]) {
			return false
		}
	}
	return true
}

// number takes booleans for numbers, as Python does.
func number(v value) (int, bool) {
	switch v := v.(type) {
	case int:
		return v, true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

func within(item, in value) (bool, error) {
	switch in := in.(type) {
	case []value:
		for _, one := range in {
			if equal(item, one) {
				return true, nil
			}
		}
		return false, nil
	case string:
		s, ok := item.(string)
		if !ok {
			return false, fmt.Errorf("'in <string>' requires string as left operand, not %s", typeName(item))
		}
		return strings.Contains(in, s), nil
	}
	return false, fmt.Errorf("argument of type '%s' is not iterable", typeName(in))
}

func ordered(a value, operator string, b value) (int, error) {
	if x, ok := number(a); ok {
		if y, ok := number(b); ok {
			return x - y, nil
		}
	}
	if x, ok := a.(string); ok {
		if y, ok := b.(string); ok {
			return strings.Compare(x, y), nil
		}
	}
	return 0, fmt.Errorf("'%s' not supported between instances of '%s' and '%s'",
		operator, typeName(a), typeName(b))
}

func typeName(v value) string {
	switch v.(type) {
	case bool:
		return "bool"
	case int:
		return "int"
	case string:
		return "str"
	case []value:
		return "list"
	}
	return "NoneType"
}

// --- parsing

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenName
	tokenString
	tokenNumber
	tokenOperator
)

type token struct {
	kind tokenKind
	text string
	int  int
}

// maxNesting bounds parentheses, so that neither parsing nor evaluation can
// exhaust the stack.
const maxNesting = 200

type parser struct {
	tokens []token
	depth  int
}

// parseExpression parses the whole of text.
func parseExpression(text string) (expression, error) {
	tokens, err := tokenize(text)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	e, err := p.tuple()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != tokenEnd {
		return nil, fmt.Errorf("expected token 'end of statement block', got '%s'", t.text)
	}
	return e, nil
}

// operators are those of the language; longer ones come first.
var operators = []string{"==", "!=", "<=", ">=", "<", ">", "(", ")", "[", "]", ","}

func tokenize(text string) ([]token, error) {
	var tokens []token
	for text = strings.TrimLeftFunc(text, unicode.IsSpace); text != ""; text = strings.TrimLeftFunc(text, unicode.IsSpace) {
		t, rest, err := nextToken(text)
		if err != nil {
			return nil, err
		}
		if last := len(tokens) - 1; t.kind == tokenString && last >= 0 && tokens[last].kind == tokenString {
			tokens[last].text += t.text // neighbouring strings are one
		} else {
			tokens = append(tokens, t)
		}
		text = rest
	}
	return append(tokens, token{kind: tokenEnd, text: "end of statement block"}), nil
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
	return token{}, "", fmt.Errorf("unexpected char '%s'", text[:1])
}

func (p *parser) peek() token { return p.tokens[0] }

func (p *parser) next() token {
	t := p.tokens[0]
	if t.kind != tokenEnd {
		p.tokens = p.tokens[1:]
	}
	return t
}

// accept takes the next token if it is the given operator or word.
func (p *parser) accept(text string) bool {
	if t := p.peek(); (t.kind == tokenOperator || t.kind == tokenName) && t.text == text {
		p.next()
		return true
	}
	return false
}

func (p *parser) expect(text string) error {
	if !p.accept(text) {
		return fmt.Errorf("expected token '%s', got '%s'", text, p.peek().text)
	}
	return nil
}

// tuple is an expression, or several with commas between them.
func (p *parser) tuple() (expression, error) {
	items, comma, err := p.items("")
	switch {
	case err != nil:
		return nil, err
	case len(items) == 0:
		return nil, fmt.Errorf("Expected an expression, got 'end of statement block'")
	case len(items) == 1 && !comma:
		return items[0], nil
	}
	return items, nil
}

func (p *parser) or() (expression, error)  { return p.logic("or", true, p.and) }
func (p *parser) and() (expression, error) { return p.logic("and", false, p.not) }

func (p *parser) logic(word string, stop bool, operand func() (expression, error)) (expression, error) {
	e, err := operand()
	for err == nil && p.accept(word) {
		var right expression
		right, err = operand()
		e = logic{left: e, right: right, stop: stop}
	}
	return e, err
}

func (p *parser) not() (expression, error) {
	if !p.accept("not") {
		return p.comparison()
	}
	if p.depth++; p.depth > maxNesting {
		return nil, fmt.Errorf("too deeply nested")
	}
	e, err := p.not()
	p.depth--
	return negation{of: e}, err
}

func (p *parser) comparison() (expression, error) {
	first, err := p.primary()
	if err != nil {
		return nil, err
	}
	c := comparison{first: first}
	for {
		operator := p.comparisonOperator()
		if operator == "" {
			break
		}
		operand, err := p.primary()
		if err != nil {
			return nil, err
		}
		c.rest = append(c.rest, comparand{operator, operand})
	}
	if len(c.rest) == 0 {
		return first, nil
	}
	return c, nil
}

func (p *parser) comparisonOperator() string {
	for _, operator := range [...]string{"==", "!=", "<=", ">=", "<", ">", "in"} {
		if p.accept(operator) {
			return operator
		}
	}
	if p.peek().kind == tokenName && p.peek().text == "not" && p.tokens[1].text == "in" {
		p.next()
		p.next()
		return "not in"
	}
	return ""
}

func (p *parser) primary() (expression, error) {
	t := p.next()
	switch t.kind {
	case tokenString:
		return literal{t.text}, nil
	case tokenNumber:
		return literal{t.int}, nil
	case tokenName:
		return p.name(t.text)
	case tokenOperator:
		if t.text == "(" || t.text == "[" {
			return p.group(t.text)
		}
	case tokenEnd:
		return nil, fmt.Errorf("Expected an expression, got 'end of statement block'")
	}
	return nil, fmt.Errorf("unexpected '%s'", t.text)
}

func (p *parser) name(name string) (expression, error) {
	switch name {
	case "True", "true":
		return literal{true}, nil
	case "False", "false":
		return literal{false}, nil
	case "None", "none":
		return literal{nil}, nil
	case "and", "or", "not", "in", "is", "if", "else":
		return nil, fmt.Errorf("unexpected '%s'", name)
	}
	if !p.accept("is") {
		return variable{name}, nil
	}
	not := p.accept("not")
	switch {
	case p.accept("defined"):
		if not {
			return negation{of: defined{name}}, nil
		}
		return defined{name}, nil
	case p.accept("undefined"):
		if not {
			return defined{name}, nil
		}
		return negation{of: defined{name}}, nil
	}
	return nil, fmt.Errorf("No test named '%s'.", p.peek().text)
}

// group is what follows an opening parenthesis or bracket. A list is always
// one; parentheses make a tuple only where a comma is.
func (p *parser) group(open string) (expression, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, fmt.Errorf("too deeply nested")
	}
	defer func() { p.depth-- }()
	closing := ")"
	if open == "[" {
		closing = "]"
	}
	items, comma, err := p.items(closing)
	if err != nil {
		return nil, err
	}
	if err := p.expect(closing); err != nil {
		return nil, err
	}
	if open == "(" && len(items) == 1 && !comma {
		return items[0], nil
	}
	return items, nil
}

// items are expressions with commas between them, up to the token end. comma
// says that there was one.
func (p *parser) items(end string) (items sequence, comma bool, err error) {
	for p.peek().kind != tokenEnd && !(p.peek().kind == tokenOperator && p.peek().text == end) {
		e, err := p.or()
		if err != nil {
			return nil, false, err
		}
		items = append(items, e)
		if !p.accept(",") {
			break
		}
		comma = true
	}
	return items, comma, nil
}
