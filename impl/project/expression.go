package project

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Conditionals hold expressions of the reference's language, Jinja2's, as far
// as it makes sense for options: the operators, parentheses, lists, tuples,
// strings, whole numbers, constants and the options themselves, and what
// expression_values.go lists of filters, tests and methods. There are no
// fractions, no mappings and no functions.

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
	// arithmetic joins two values.
	arithmetic struct {
		left     expression
		operator string
		right    expression
	}
	minus struct{ of expression }
	// choice is "then if condition else otherwise"; otherwise may be nil.
	choice struct{ then, condition, otherwise expression }
	// call applies a filter, a test or a method to a value.
	call struct {
		of        expression
		kind      callKind
		name      string
		arguments []expression
	}
	// item is list[index].
	item struct{ of, index expression }
	// slice is list[from:to]; both may be nil.
	slice struct{ of, from, to expression }
)

// undefinedError is the use of what is not there; only tests and filters about
// just that catch it.
type undefinedError string

func (e undefinedError) Error() string { return string(e) }

func (e literal) evaluate(map[string]value) (value, error) { return e.value, nil }

func (e variable) evaluate(options map[string]value) (value, error) {
	if v, ok := options[e.name]; ok {
		return v, nil
	}
	return nil, undefinedError("'" + e.name + "' is undefined")
}

func (e choice) evaluate(options map[string]value) (value, error) {
	holds, err := e.condition.evaluate(options)
	switch {
	case err != nil:
		return nil, err
	case truth(holds):
		return e.then.evaluate(options)
	case e.otherwise != nil:
		return e.otherwise.evaluate(options)
	}
	return nil, undefinedError("the inline if-expression evaluated to false and no else section was defined.")
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

// maxNesting bounds parentheses, so that neither parsing nor evaluation can
// exhaust the stack.
const (
	maxNesting = 200
	// maxLength bounds the operators of an expression for the same reason.
	maxLength = 10000
)

var errTooDeep = errors.New("too deeply nested")

type parser struct {
	tokens []token
	depth  int
	length int
}

// parseExpression parses the whole of text.
func parseExpression(text string) (expression, error) {
	p := &parser{tokens: tokenize(text)}
	e, err := p.tuple()
	switch t := p.peek(); {
	case t.kind == tokenError:
		return nil, errors.New(t.text) // found when what is before it was read
	case err != nil:
		return nil, err
	case t.kind != tokenEnd:
		return nil, fmt.Errorf("expected token 'end of statement block', got '%s'", t.described())
	}
	return e, nil
}

func (p *parser) peek() token { return p.tokens[0] }

func (p *parser) next() token {
	t := p.tokens[0]
	if t.kind != tokenEnd && t.kind != tokenError {
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
		return fmt.Errorf("expected token '%s', got '%s'", text, p.peek().described())
	}
	return nil
}

// tuple is an expression without "if", or several with commas between them.
func (p *parser) tuple() (expression, error) {
	items, comma, err := p.items("", p.or)
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

// choice is the widest expression: "a if b else c", or less.
func (p *parser) choice() (expression, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	e, err := p.or()
	for err == nil && p.accept("if") {
		c := choice{then: e}
		if c.condition, err = p.or(); err != nil {
			return nil, err
		}
		if p.accept("else") {
			c.otherwise, err = p.choice()
		}
		e = c
	}
	return e, err
}

func (p *parser) or() (expression, error)  { return p.logic("or", true, p.and) }
func (p *parser) and() (expression, error) { return p.logic("and", false, p.not) }

func (p *parser) logic(word string, stop bool, operand func() (expression, error)) (expression, error) {
	e, err := operand()
	for err == nil && p.accept(word) {
		var right expression
		right, err = operand()
		e = logic{left: e, right: right, stop: stop}
		err = errors.Join(err, p.lengthen())
	}
	return e, err
}

func (p *parser) not() (expression, error) {
	if !p.accept("not") {
		return p.comparison()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	e, err := p.not()
	return negation{of: e}, err
}

func (p *parser) comparison() (expression, error) {
	first, err := p.sum()
	if err != nil {
		return nil, err
	}
	c := comparison{first: first}
	for {
		operator := p.comparisonOperator()
		if operator == "" {
			break
		}
		operand, err := p.sum()
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

func (p *parser) sum() (expression, error)     { return p.arithmetic(p.concat, "+", "-") }
func (p *parser) concat() (expression, error)  { return p.arithmetic(p.product, "~") }
func (p *parser) product() (expression, error) { return p.arithmetic(p.power, "*", "//", "/", "%") }
func (p *parser) power() (expression, error)   { return p.arithmetic(p.unary, "**") }

func (p *parser) arithmetic(operand func() (expression, error), operators ...string) (expression, error) {
	e, err := operand()
	for err == nil {
		t := p.peek()
		if t.kind != tokenOperator || !slices.Contains(operators, t.text) {
			break
		}
		p.next()
		var right expression
		right, err = operand()
		e = arithmetic{left: e, operator: t.text, right: right}
		err = errors.Join(err, p.lengthen())
	}
	return e, err
}

// unary is a value with all that follows it.
func (p *parser) unary() (expression, error) {
	e, err := p.signed()
	for err == nil {
		switch {
		case p.accept("|"):
			e, err = p.filter(e)
		case p.accept("is"):
			e, err = p.test(e)
		default:
			return e, nil
		}
		err = errors.Join(err, p.lengthen())
	}
	return nil, err
}

// signed is a value with signs before it and dots and brackets after it.
func (p *parser) signed() (expression, error) {
	if t := p.peek(); t.kind == tokenOperator && (t.text == "-" || t.text == "+") {
		p.next()
		if err := p.enter(); err != nil {
			return nil, err
		}
		defer p.leave()
		e, err := p.signed()
		if t.text == "-" {
			e = minus{of: e}
		}
		return e, err
	}
	e, err := p.primary()
	for err == nil {
		switch {
		case p.accept("."):
			e, err = p.method(e)
		case p.accept("["):
			e, err = p.subscript(e)
		case p.peek().kind == tokenOperator && p.peek().text == "(":
			return nil, fmt.Errorf("there are no functions to be called")
		default:
			return e, nil
		}
		err = errors.Join(err, p.lengthen())
	}
	return nil, err
}

func (p *parser) primary() (expression, error) {
	t := p.peek()
	switch {
	case t.kind == tokenString:
		p.next()
		return literal{t.text}, nil
	case t.kind == tokenNumber:
		p.next()
		return literal{t.int}, nil
	case t.kind == tokenName:
		return p.name(t.text)
	case t.kind == tokenOperator && (t.text == "(" || t.text == "["):
		p.next()
		return p.group(t.text)
	}
	return nil, fmt.Errorf("unexpected '%s'", t.text)
}

var constants = map[string]value{"True": true, "true": true, "False": false, "false": false, "None": nil, "none": nil}

// name is a constant or a variable, which may be called like an operator.
func (p *parser) name(name string) (expression, error) {
	p.next()
	if constant, ok := constants[name]; ok {
		return literal{constant}, nil
	}
	return variable{name}, nil
}

// word takes a name.
func (p *parser) word() (string, error) {
	t := p.peek()
	if t.kind != tokenName {
		return "", fmt.Errorf("expected token 'name', got '%s'", t.described())
	}
	return p.next().text, nil
}

func (p *parser) filter(of expression) (expression, error) {
	name, err := p.word()
	if err != nil {
		return nil, err
	}
	if _, ok := filters[name]; !ok {
		return nil, fmt.Errorf("No filter named '%s'.", name)
	}
	arguments, err := p.arguments()
	return call{of: of, kind: callFilter, name: name, arguments: arguments}, err
}

func (p *parser) method(of expression) (expression, error) {
	name, err := p.word()
	if err != nil {
		return nil, errors.New("expected name or number")
	}
	if t := p.peek(); t.kind != tokenOperator || t.text != "(" {
		return nil, fmt.Errorf("a value has no part that is called '%s'", name)
	}
	arguments, err := p.arguments()
	return call{of: of, kind: callMethod, name: name, arguments: arguments}, err
}

// test is what follows "is". A test may have one argument without parentheses.
func (p *parser) test(of expression) (expression, error) {
	not := p.accept("not")
	name := p.peek()
	if name.kind != tokenName && name.text != "==" && name.text != "!=" && name.text != "<" && name.text != ">" && name.text != "<=" && name.text != ">=" {
		return nil, fmt.Errorf("expected token 'name', got '%s'", name.described())
	}
	p.next()
	if _, ok := tests[name.text]; !ok {
		return nil, fmt.Errorf("No test named '%s'.", name.text)
	}
	arguments, err := p.arguments()
	if t := p.peek(); err == nil && len(arguments) == 0 &&
		(t.kind == tokenString || t.kind == tokenNumber || t.kind == tokenOperator && t.text == "[" ||
			t.kind == tokenName && !slices.Contains([]string{"else", "or", "and", "is", "if", "in", "not"}, t.text)) {
		arguments = make([]expression, 1)
		arguments[0], err = p.signed()
	}
	var e expression = call{of: of, kind: callTest, name: name.text, arguments: arguments}
	if not {
		e = negation{of: e}
	}
	return e, err
}

// arguments are those in parentheses, if there are any.
func (p *parser) arguments() ([]expression, error) {
	if !p.accept("(") {
		return nil, nil
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	items, _, err := p.items(")", p.choice)
	if err != nil {
		return nil, err
	}
	return items, p.expect(")")
}

// subscript is what follows an opening bracket after a value.
func (p *parser) subscript(of expression) (expression, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	var s slice
	var err error
	if !p.accept(":") {
		if s.from, err = p.choice(); err != nil {
			return nil, err
		}
		if !p.accept(":") {
			return item{of: of, index: s.from}, p.expect("]")
		}
	}
	if !p.accept("]") {
		if s.to, err = p.choice(); err == nil {
			err = p.expect("]")
		}
	}
	s.of = of
	return s, err
}

// enter and leave bound how deeply an expression can be nested.
func (p *parser) enter() error {
	if p.depth++; p.depth > maxNesting {
		return errTooDeep
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

// lengthen bounds chains, which are nested to the left.
func (p *parser) lengthen() error {
	if p.length++; p.length > maxLength {
		return errTooDeep
	}
	return nil
}

// group is what follows an opening parenthesis or bracket. A list is always
// one; parentheses make a tuple only where a comma is.
func (p *parser) group(open string) (expression, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	closing := ")"
	if open == "[" {
		closing = "]"
	}
	items, comma, err := p.items(closing, p.choice)
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
func (p *parser) items(end string, one func() (expression, error)) (items sequence, comma bool, err error) {
	for p.peek().kind != tokenEnd && !(p.peek().kind == tokenOperator && p.peek().text == end) {
		e, err := one()
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
