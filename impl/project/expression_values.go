package project

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What expressions can do with values: arithmetic, filters, tests and methods,
// as Python and Jinja2 define them, for the values that options have.

type callKind uint8

const (
	callFilter callKind = iota
	callTest
	callMethod
)

// maxText bounds the texts, and maxNumber the numbers, that an expression can
// work out: it is there to compare options, not to fill memory.
const (
	maxText   = 1 << 20
	maxNumber = 1 << 40
)

// function works on evaluated values; of is what it is applied to.
type function struct {
	least, most int // arguments
	apply       func(of value, arguments []value) (value, error)
}

func (e call) evaluate(options map[string]value) (value, error) {
	of, err := e.of.evaluate(options)
	if err != nil {
		if v, caught, other := e.undefined(err, options); caught {
			return v, other
		}
		return nil, err
	}
	arguments := make([]value, len(e.arguments))
	for i, a := range e.arguments {
		if arguments[i], err = a.evaluate(options); err != nil {
			return nil, err
		}
	}
	f, ok := e.function(of)
	if !ok {
		return nil, undefinedError(fmt.Sprintf("'%s object' has no attribute '%s'", typeName(of), e.name))
	}
	if len(arguments) < f.least || len(arguments) > f.most {
		return nil, fmt.Errorf("'%s' takes %d to %d arguments, not %d", e.name, f.least, f.most, len(arguments))
	}
	v, err := f.apply(of, arguments)
	if text, ok := v.(string); ok && len(text) > maxText {
		return nil, fmt.Errorf("'%s' gives a text that is too long", e.name)
	}
	return v, err
}

// undefined answers for the tests and the filter that want to know of values
// that are not there.
func (e call) undefined(err error, options map[string]value) (v value, caught bool, other error) {
	if _, ok := err.(undefinedError); !ok {
		return nil, false, nil
	}
	switch {
	case e.kind == callTest && e.name == "defined":
		return false, true, nil
	case e.kind == callTest && e.name == "undefined":
		return true, true, nil
	case e.kind == callFilter && (e.name == "default" || e.name == "d"):
		if len(e.arguments) == 0 {
			return "", true, nil
		}
		v, other = e.arguments[0].evaluate(options)
		return v, true, other
	}
	return nil, false, nil
}

func (e call) function(of value) (function, bool) {
	var f function
	var ok bool
	switch e.kind {
	case callFilter:
		f, ok = filters[e.name]
	case callTest:
		f, ok = tests[e.name]
	default:
		switch of.(type) {
		case string:
			f, ok = textMethods[e.name]
		case []value:
			f, ok = listMethods[e.name]
		}
	}
	return f, ok
}

func (e minus) evaluate(options map[string]value) (value, error) {
	v, err := e.of.evaluate(options)
	if err != nil {
		return nil, err
	}
	if n, ok := number(v); ok {
		return -n, nil
	}
	return nil, fmt.Errorf("bad operand type for unary -: '%s'", typeName(v))
}

func (e arithmetic) evaluate(options map[string]value) (value, error) {
	left, err := e.left.evaluate(options)
	if err != nil {
		return nil, err
	}
	right, err := e.right.evaluate(options)
	if err != nil {
		return nil, err
	}
	if e.operator == "~" {
		return joined(display(left), display(right))
	}
	x, xNumber := number(left)
	y, yNumber := number(right)
	if xNumber && yNumber {
		return calculate(x, e.operator, y)
	}
	switch a := left.(type) {
	case string:
		if b, ok := right.(string); ok && e.operator == "+" {
			return joined(a, b)
		}
		if yNumber && e.operator == "*" {
			if y = max(y, 0); len(a)*y > maxText {
				return nil, fmt.Errorf("'*' gives a text that is too long")
			}
			return strings.Repeat(a, y), nil
		}
	case []value:
		if b, ok := right.([]value); ok && e.operator == "+" {
			if len(a)+len(b) > maxLength {
				return nil, fmt.Errorf("'+' gives a list that is too long")
			}
			return slices.Concat(a, b), nil
		}
	}
	return nil, fmt.Errorf("unsupported operand type(s) for %s: '%s' and '%s'", e.operator, typeName(left), typeName(right))
}

func joined(a, b string) (value, error) {
	if len(a)+len(b) > maxText {
		return nil, fmt.Errorf("'~' gives a text that is too long")
	}
	return a + b, nil
}

func calculate(x int, operator string, y int) (value, error) {
	n := 0
	switch operator {
	case "+":
		n = x + y
	case "-":
		n = x - y
	case "*":
		// Both are below 2^40, so that their product may not fit.
		if x != 0 && (x*y/x != y || max(x, -x) > maxNumber) {
			return nil, fmt.Errorf("a number is too large")
		}
		n = x * y
	case "**":
		n = 1
		for range max(y, 0) {
			if n *= x; n > maxNumber || n < -maxNumber {
				return nil, fmt.Errorf("a number is too large")
			}
			if n == 0 || n == 1 && x == 1 {
				break
			}
			if x == -1 {
				if y%2 == 0 {
					n = 1
				}
				break
			}
		}
		if y < 0 {
			return nil, fmt.Errorf("fractions are not known here")
		}
	default:
		if y == 0 {
			return nil, fmt.Errorf("integer division or modulo by zero")
		}
		quotient, rest := x/y, x%y
		if rest != 0 && rest < 0 != (y < 0) { // Python rounds down
			quotient, rest = quotient-1, rest+y
		}
		switch {
		case operator == "//":
			n = quotient
		case operator == "%":
			n = rest
		case rest != 0:
			return nil, fmt.Errorf("fractions are not known here")
		default:
			n = quotient
		}
	}
	if n > maxNumber || n < -maxNumber {
		return nil, fmt.Errorf("a number is too large")
	}
	return n, nil
}

func (e item) evaluate(options map[string]value) (value, error) {
	of, err := e.of.evaluate(options)
	if err != nil {
		return nil, err
	}
	index, err := e.index.evaluate(options)
	if err != nil {
		return nil, err
	}
	list, ok := elements(of)
	i, isNumber := number(index)
	if i < 0 {
		i += len(list)
	}
	if !ok || !isNumber || i < 0 || i >= len(list) {
		return nil, undefinedError(fmt.Sprintf("'%s object' has no attribute %s", typeName(of), quoted(index)))
	}
	return list[i], nil
}

func (e slice) evaluate(options map[string]value) (value, error) {
	of, err := e.of.evaluate(options)
	if err != nil {
		return nil, err
	}
	list, ok := elements(of)
	if !ok {
		return nil, fmt.Errorf("'%s' object is not subscriptable", typeName(of))
	}
	bound := func(at expression, otherwise int) (int, error) {
		if at == nil {
			return otherwise, nil
		}
		v, err := at.evaluate(options)
		if err != nil {
			return 0, err
		}
		n, ok := number(v)
		if !ok {
			return 0, fmt.Errorf("slice indices must be integers or None or have an __index__ method")
		}
		if n < 0 {
			n += len(list)
		}
		return min(max(n, 0), len(list)), nil
	}
	from, err := bound(e.from, 0)
	if err != nil {
		return nil, err
	}
	to, err := bound(e.to, len(list))
	if err != nil {
		return nil, err
	}
	part := list[from:max(from, to)]
	if _, ok := of.(string); ok {
		return strings.Join(texts(part), ""), nil
	}
	return part, nil
}

// elements are a list's items, or a text's characters.
func elements(v value) ([]value, bool) {
	switch v := v.(type) {
	case []value:
		return v, true
	case string:
		list := make([]value, 0, len(v))
		for _, r := range v {
			list = append(list, string(r))
		}
		return list, true
	}
	return nil, false
}

// display is Python's str().
func display(v value) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case int:
		return strconv.Itoa(v)
	case string:
		return v
	case []value:
		parts := make([]string, len(v))
		for i, one := range v {
			parts[i] = quoted(one)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return ""
}

// quoted is Python's repr(), but for unusual characters.
func quoted(v value) string {
	text, ok := v.(string)
	if !ok {
		return display(v)
	}
	if strings.Contains(text, "'") && !strings.Contains(text, `"`) {
		return `"` + text + `"`
	}
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`, "\n", `\n`, "\t", `\t`).Replace(text) + "'"
}

func texts(list []value) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = display(v)
	}
	return out
}

func values(list []string) []value {
	out := make([]value, len(list))
	for i, text := range list {
		out[i] = text
	}
	return out
}

// onText makes a filter of a function of texts: filters take anything for one.
func onText(f func(string) value) function {
	return function{0, 0, func(of value, _ []value) (value, error) { return f(display(of)), nil }}
}

// onList makes a filter of a function of lists.
func onList(f func([]value) (value, error)) function {
	return function{0, 0, func(of value, _ []value) (value, error) {
		list, ok := elements(of)
		if !ok {
			return nil, fmt.Errorf("'%s' object is not iterable", typeName(of))
		}
		return f(list)
	}}
}

var filters = map[string]function{
	"upper":      onText(func(s string) value { return strings.ToUpper(s) }),
	"lower":      onText(func(s string) value { return strings.ToLower(s) }),
	"capitalize": onText(func(s string) value { return capitalize(s) }),
	"string":     onText(func(s string) value { return s }),
	"trim": {0, 1, func(of value, a []value) (value, error) {
		if len(a) == 0 {
			return strings.TrimSpace(display(of)), nil
		}
		return strings.Trim(display(of), display(a[0])), nil
	}},
	"length": onList(func(l []value) (value, error) { return len(l), nil }),
	"count":  onList(func(l []value) (value, error) { return len(l), nil }),
	"list":   onList(func(l []value) (value, error) { return l, nil }),
	"first":  onList(func(l []value) (value, error) { return nth(l, 0) }),
	"last":   onList(func(l []value) (value, error) { return nth(l, len(l)-1) }),
	"unique": onList(func(l []value) (value, error) { return unique(l), nil }),
	"sort":   onList(func(l []value) (value, error) { return sorted(l) }),
	"reverse": {0, 0, func(of value, _ []value) (value, error) {
		list, ok := elements(of)
		if !ok {
			return nil, fmt.Errorf("argument must be iterable")
		}
		list = slices.Clone(list)
		slices.Reverse(list)
		if _, ok := of.(string); ok {
			return strings.Join(texts(list), ""), nil
		}
		return list, nil
	}},
	"join": {0, 1, func(of value, a []value) (value, error) {
		list, ok := elements(of)
		if !ok {
			return nil, fmt.Errorf("'%s' object is not iterable", typeName(of))
		}
		between := ""
		if len(a) > 0 {
			between = display(a[0])
		}
		if len(between)*len(list) > maxText {
			return nil, fmt.Errorf("'join' gives a text that is too long")
		}
		return strings.Join(texts(list), between), nil
	}},
	"replace": {2, 3, func(of value, a []value) (value, error) { return replace(display(of), a) }},
	"int": {0, 1, func(of value, a []value) (value, error) {
		if n, ok := number(of); ok {
			return n, nil
		}
		if text, ok := of.(string); ok {
			if n, err := strconv.Atoi(strings.TrimSpace(text)); err == nil && n <= maxNumber && n >= -maxNumber {
				return n, nil
			}
		}
		if len(a) > 0 {
			return a[0], nil
		}
		return 0, nil
	}},
	"abs": {0, 0, func(of value, _ []value) (value, error) {
		n, ok := number(of)
		if !ok {
			return nil, fmt.Errorf("bad operand type for abs(): '%s'", typeName(of))
		}
		return max(n, -n), nil
	}},
	"default": {0, 2, otherwise},
	"d":       {0, 2, otherwise},
}

// otherwise is the default filter's answer for a value that is there.
func otherwise(of value, a []value) (value, error) {
	if len(a) > 1 && truth(a[1]) && !truth(of) {
		return a[0], nil
	}
	return of, nil
}

func nth(list []value, i int) (value, error) {
	if i < 0 || i >= len(list) {
		return nil, undefinedError("No first item, sequence was empty.")
	}
	return list[i], nil
}

func unique(list []value) value {
	var out []value
	for _, v := range list {
		if !slices.ContainsFunc(out, func(o value) bool { return equal(o, v) }) {
			out = append(out, v)
		}
	}
	return out
}

func sorted(list []value) (value, error) {
	list = slices.Clone(list)
	var failed error
	slices.SortStableFunc(list, func(a, b value) int {
		// Jinja2's sorting does not tell upper from lower case.
		if x, ok := a.(string); ok {
			a = strings.ToLower(x)
		}
		if x, ok := b.(string); ok {
			b = strings.ToLower(x)
		}
		order, err := ordered(a, "<", b)
		if err != nil {
			failed = err
		}
		return order
	})
	return list, failed
}

func capitalize(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToTitle(r)) + strings.ToLower(s[size:])
}

func replace(text string, a []value) (value, error) {
	n := -1
	if len(a) > 2 {
		n, _ = number(a[2])
	}
	from, to := display(a[0]), display(a[1])
	if (strings.Count(text, from)+1)*len(to)+len(text) > maxText {
		return nil, fmt.Errorf("'replace' gives a text that is too long")
	}
	return strings.Replace(text, from, to, n), nil
}

// is makes a test without arguments.
func is(f func(of value) bool) function {
	return function{0, 0, func(of value, _ []value) (value, error) { return f(of), nil }}
}

// against makes a test that compares.
func against(operator string) function {
	return function{1, 1, func(of value, a []value) (value, error) { return compare(of, operator, a[0]) }}
}

func isType(names ...string) function {
	return is(func(of value) bool { return slices.Contains(names, typeName(of)) })
}

var tests = map[string]function{
	"defined":   is(func(value) bool { return true }),
	"undefined": is(func(value) bool { return false }),
	"none":      is(func(of value) bool { return of == nil }),
	"boolean":   isType("bool"),
	"string":    isType("str"),
	"integer":   isType("int"),
	"number":    isType("int", "bool"),
	"sequence":  isType("str", "list"),
	"iterable":  isType("str", "list"),
	"mapping":   is(func(value) bool { return false }),
	"true":      is(func(of value) bool { return typeName(of) == "bool" && truth(of) }),
	"false":     is(func(of value) bool { return typeName(of) == "bool" && !truth(of) }),
	"lower":     is(func(of value) bool { return cased(display(of), unicode.IsUpper) }),
	"upper":     is(func(of value) bool { return cased(display(of), unicode.IsLower) }),
	"odd":       is(func(of value) bool { n, ok := number(of); return ok && n%2 != 0 }),
	"even":      is(func(of value) bool { n, ok := number(of); return ok && n%2 == 0 }),
	"divisibleby": {1, 1, func(of value, a []value) (value, error) {
		rest, err := arithmetic{literal{of}, "%", literal{a[0]}}.evaluate(nil)
		return err == nil && rest == value(0), err
	}},
	"in": against("in"),
	"==": against("=="), "eq": against("=="), "equalto": against("=="), "sameas": against("=="),
	"!=": against("!="), "ne": against("!="),
	"<": against("<"), "lt": against("<"), "lessthan": against("<"),
	"<=": against("<="), "le": against("<="),
	">": against(">"), "gt": against(">"), "greaterthan": against(">"),
	">=": against(">="), "ge": against(">="),
}

// cased tells whether a text has letters of one case only; other finds those of
// the other.
func cased(text string, other func(rune) bool) bool {
	letters := false
	for _, r := range text {
		if other(r) {
			return false
		}
		letters = letters || unicode.IsUpper(r) || unicode.IsLower(r)
	}
	return letters
}

// method makes a method of texts without arguments.
func method(f func(string) value) function {
	return function{0, 0, func(of value, _ []value) (value, error) { return f(of.(string)), nil }}
}

// withText makes a method of texts that takes another.
func withText(f func(s, other string) value) function {
	return function{1, 1, func(of value, a []value) (value, error) {
		other, ok := a[0].(string)
		if !ok {
			return nil, fmt.Errorf("a text is needed, not %s", typeName(a[0]))
		}
		return f(of.(string), other), nil
	}}
}

// edge makes startswith and endswith, which take several texts too.
func edge(has func(s, part string) bool) function {
	return function{1, 1, func(of value, a []value) (value, error) {
		parts, ok := a[0].([]value)
		if !ok {
			parts = a
		}
		for _, p := range parts {
			part, ok := p.(string)
			if !ok {
				return nil, fmt.Errorf("a text is needed, not %s", typeName(p))
			}
			if has(of.(string), part) {
				return true, nil
			}
		}
		return false, nil
	}}
}

// trimmer makes strip and its like.
func trimmer(space func(string, func(rune) bool) string, set func(string, string) string) function {
	return function{0, 1, func(of value, a []value) (value, error) {
		if len(a) == 0 || a[0] == nil {
			return space(of.(string), unicode.IsSpace), nil
		}
		return set(of.(string), display(a[0])), nil
	}}
}

// all tells whether a text is not empty and has only such characters.
func all(such func(rune) bool) function {
	return method(func(s string) value {
		return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !such(r) })
	})
}

// find gives the place of a text in another in characters.
func find(index func(s, part string) int) function {
	return withText(func(s, part string) value {
		i := index(s, part)
		if i < 0 {
			return -1
		}
		return utf8.RuneCountInString(s[:i])
	})
}

var textMethods = map[string]function{
	"upper":        method(func(s string) value { return strings.ToUpper(s) }),
	"lower":        method(func(s string) value { return strings.ToLower(s) }),
	"casefold":     method(func(s string) value { return strings.ToLower(s) }),
	"capitalize":   method(func(s string) value { return capitalize(s) }),
	"strip":        trimmer(strings.TrimFunc, strings.Trim),
	"lstrip":       trimmer(strings.TrimLeftFunc, strings.TrimLeft),
	"rstrip":       trimmer(strings.TrimRightFunc, strings.TrimRight),
	"startswith":   edge(strings.HasPrefix),
	"endswith":     edge(strings.HasSuffix),
	"removeprefix": withText(func(s, p string) value { return strings.TrimPrefix(s, p) }),
	"removesuffix": withText(func(s, p string) value { return strings.TrimSuffix(s, p) }),
	"find":         find(strings.Index),
	"rfind":        find(strings.LastIndex),
	"count":        withText(func(s, p string) value { return strings.Count(s, p) }),
	"isdigit":      all(unicode.IsDigit),
	"isalpha":      all(unicode.IsLetter),
	"isalnum":      all(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }),
	"isspace":      all(unicode.IsSpace),
	"isupper":      method(func(s string) value { return cased(s, unicode.IsLower) }),
	"islower":      method(func(s string) value { return cased(s, unicode.IsUpper) }),
	"replace":      {2, 3, func(of value, a []value) (value, error) { return replace(of.(string), a) }},
	"join": {1, 1, func(of value, a []value) (value, error) {
		return filters["join"].apply(a[0], []value{of})
	}},
	"split": {0, 2, func(of value, a []value) (value, error) {
		n := -1
		if len(a) > 1 {
			if m, ok := number(a[1]); ok && m >= 0 {
				n = m + 1
			}
		}
		if len(a) == 0 || a[0] == nil {
			return values(strings.Fields(of.(string))), nil
		}
		if display(a[0]) == "" {
			return nil, fmt.Errorf("empty separator")
		}
		return values(strings.SplitN(of.(string), display(a[0]), n)), nil
	}},
}

var listMethods = map[string]function{
	"count": {1, 1, func(of value, a []value) (value, error) {
		n := 0
		for _, v := range of.([]value) {
			if equal(v, a[0]) {
				n++
			}
		}
		return n, nil
	}},
	"index": {1, 1, func(of value, a []value) (value, error) {
		for i, v := range of.([]value) {
			if equal(v, a[0]) {
				return i, nil
			}
		}
		return nil, fmt.Errorf("%s is not in list", quoted(a[0]))
	}},
}
