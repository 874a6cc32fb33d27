package project

import "testing"

var testOptions = map[string]value{
	"on": true, "off": false, "arch": "x86-64", "flags": []value{"a", "b"}, "none_set": []value{},
}

func TestExpressions(t *testing.T) {
	for text, want := range map[string]bool{
		"on": true, "off": false, "not off": true, "not not on": true,
		`arch == "x86-64"`: true, `arch == 'arm'`: false, `arch != "arm"`: true,
		`arch in ["arm", "x86-64"]`: true, `arch in ("arm",)`: false, `arch not in ("arm", "x86-64")`: false,
		`"a" in flags`: true, `"c" in flags`: false, `"c" not in flags`: true, "flags": true, "none_set": false,
		`"x86" in arch`: true, `on and arch == "x86-64"`: true, `off or on and off`: false,
		`(off or on) and on`: true, `not (on and off)`: true, "True": true, "false": false,
		"on or undefined_thing": true, "off and undefined_thing": false,
		"1 < 2 < 3": true, "1 < 2 > 3": false, "2 >= 2": true, `"a" < "b"`: true, "on == 1": true,
		"[] == []": true, `flags == ["a", "b"]`: true, `flags == "a"`: false, `"a" "b" == "ab"`: true,
		"on is defined": true, "pony is defined": false, "pony is not defined": true, "pony is undefined": true,
		`"it\'s" == 'it\'s'`: true, "none == None": true, "()": false, "(on, off)": true, "on,": true,
		" \t on \n": true, `[["a"]] == [["a"]]`: true,
	} {
		e, err := parseExpression(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, err := e.evaluate(testOptions)
		if err != nil || truth(got) != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

func TestExpressionErrors(t *testing.T) {
	// In the words of Jinja, which says them of "{% if EXPRESSION %}".
	for text, want := range map[string]string{
		"":                  "Expected an expression, got 'end of statement block'",
		"on and":            "unexpected 'end of statement block'",
		"on in":             "unexpected 'end of statement block'",
		"not":               "unexpected 'end of statement block'",
		"(":                 "unexpected '%'",
		"[1,":               "unexpected '%'",
		"on in (":           "unexpected '%'",
		"on )":              "unexpected ')'",
		"(on]":              "unexpected ']', expected ')'",
		"on and )":          "unexpected ')'",
		"on on )":           "expected token 'end of statement block', got 'on'",
		"1 2":               "expected token 'end of statement block', got 'integer'",
		"on 'a'":            "expected token 'end of statement block', got 'string'",
		"on if off":         "expected token 'end of statement block', got 'if'",
		"on.":               "expected name or number",
		"on..off":           "expected name or number",
		"on is":             "expected token 'name', got 'end of statement block'",
		"on is 'a'":         "expected token 'name', got 'string'",
		"naïve & 1":         "unexpected char '&' at 12",
		"pony":              "'pony' is undefined",
		"in":                "'in' is undefined",
		"on and pony":       "'pony' is undefined",
		"not pony":          "'pony' is undefined",
		"pony == arch":      "'pony' is undefined",
		"arch == pony":      "'pony' is undefined",
		"on on":             "expected token 'end of statement block', got 'on'",
		"(on":               "unexpected '}', expected ')'",
		"[on":               "unexpected '}', expected ']'",
		"'open":             "unexpected char \"'\" at 6",
		"on & off":          "unexpected char '&' at 9",
		"arch is pony":      "No test named 'pony'.",
		"is defined pony":   "expected token 'end of statement block', got 'defined'",
		"'a' in on":         "argument of type 'bool' is not iterable",
		"on in arch":        "'in <string>' requires string as left operand, not bool",
		"arch < 1":          "'<' not supported between instances of 'str' and 'int'",
		"99999999999999999": "number 99999999999999999 is too large at 6",
	} {
		e, err := parseExpression(text)
		if err == nil {
			_, err = e.evaluate(testOptions)
		}
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// FuzzExpression looks for expressions that the evaluator does not survive.
func FuzzExpression(f *testing.F) {
	for _, seed := range []string{"on and not (arch in ['a', \"b\"])", "1 < 2 >= x", "not not not on", "((((", "a is not defined"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := parseExpression(text)
		if err != nil {
			return
		}
		if v, err := e.evaluate(testOptions); err == nil {
			truth(v)
		}
	})
}
