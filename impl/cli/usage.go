package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageError is a mistake in the arguments: status 2 and a hint.
type usageError struct {
	cmd  *cobra.Command
	text string
}

func (e *usageError) Error() string { return e.text }

// misuse says that an option's or argument's value is wrong.
func misuse(cmd *cobra.Command, formatted string, args ...any) error {
	return &usageError{cmd, fmt.Sprintf(formatted, args...)}
}

// flagError turns pflag's errors into the reference's words.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	var syntax *pflag.InvalidSyntaxError
	switch {
	case errors.As(err, &unknown):
		name := "--" + unknown.GetSpecifiedName()
		if unknown.GetSpecifiedShortnames() != "" {
			name = "-" + unknown.GetSpecifiedName()
		}
		where := ""
		if root := cmd.Root(); cmd != root && root.Flags().Lookup(unknown.GetSpecifiedName()) != nil && strings.HasPrefix(name, "--") {
			where = "\nIt stands before the command: bst " + name + strings.TrimPrefix(cmd.CommandPath(), root.Name())
		}
		return misuse(cmd, "No such option: %s%s", name, where)
	case errors.As(err, &missing):
		return misuse(cmd, "Option '%s' requires %s.", shownName(missing.GetFlag(), missing.GetSpecifiedShortnames()), arguments(missing.GetFlag()))
	case errors.As(err, &invalid):
		f := invalid.GetFlag()
		var wrong *valueError
		if errors.As(invalid.Unwrap(), &wrong) && wrong.whole {
			return misuse(cmd, "Option '--%s' %s", f.Name, wrong.text)
		}
		return misuse(cmd, "Invalid value for %s: %s", hint(f), invalid.Unwrap())
	case errors.As(err, &syntax):
		return misuse(cmd, "No such option: %s", syntax.GetSpecifiedFlag())
	}
	return misuse(cmd, "%s", err)
}

func isFlagError(err error) bool {
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	var syntax *pflag.InvalidSyntaxError
	return errors.As(err, &unknown) || errors.As(err, &missing) || errors.As(err, &invalid) || errors.As(err, &syntax)
}

func shownName(f *pflag.Flag, short string) string {
	if short != "" {
		return "-" + f.Shorthand
	}
	return "--" + f.Name
}

func arguments(f *pflag.Flag) string {
	if _, ok := f.Value.(*pairs); ok {
		return "2 arguments"
	}
	return "an argument"
}

// hint is how the reference names an option: '--config' / '-c'.
func hint(f *pflag.Flag) string {
	if f.Shorthand != "" {
		return "'--" + f.Name + "' / '-" + f.Shorthand + "'"
	}
	return "'--" + f.Name + "'"
}

// valueError is what an option's value says of itself. whole means that the
// text says something of the option instead.
type valueError struct {
	text  string
	whole bool
}

func (e *valueError) Error() string { return e.text }

func wrong(formatted string, args ...any) error {
	return &valueError{text: fmt.Sprintf(formatted, args...)}
}

// toggle is one half of "--x/--no-x"; the last one given wins.
type toggle struct {
	target **bool
	value  bool
}

func (t *toggle) String() string   { return "" }
func (t *toggle) Type() string     { return "bool" }
func (t *toggle) IsBoolFlag() bool { return true }
func (t *toggle) Set(text string) error {
	if text != "true" {
		return &valueError{text: "does not take a value.", whole: true}
	}
	v := t.value
	*t.target = &v
	return nil
}

// addToggle defines --name and --no-name.
func addToggle(set *pflag.FlagSet, target **bool, name, help string) {
	set.Var(&toggle{target, true}, name, help)
	set.Lookup(name).NoOptDefVal = "true"
	set.Var(&toggle{target, false}, "no-"+name, "")
	set.Lookup("no-" + name).NoOptDefVal = "true"
}

// addSwitch defines a flag that can only be turned on.
func addSwitch(set *pflag.FlagSet, target *bool, name, short, help string) {
	set.BoolVarP(target, name, short, false, help)
}

// number is an integer that may be absent.
type number struct{ target **int }

func (n *number) String() string { return "" }
func (n *number) Type() string   { return "INTEGER" }
func (n *number) Set(text string) error {
	v, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return wrong("'%s' is not a valid integer.", text)
	}
	*n.target = &v
	return nil
}

// choice is one of a few words.
type choice struct {
	target *string
	words  []string
}

func (c *choice) String() string { return *c.target }
func (c *choice) Type() string   { return "[" + strings.Join(c.words, "|") + "]" }
func (c *choice) Set(text string) error {
	for _, w := range c.words {
		if w == text {
			*c.target = text
			return nil
		}
	}
	return wrong("'%s' is not one of '%s'.", text, strings.Join(c.words, "', '"))
}

// list collects the values of an option that may be repeated.
type list struct {
	target *[]string
	kind   string
}

func (l *list) String() string { return "" }
func (l *list) Type() string   { return l.kind }
func (l *list) Set(text string) error {
	*l.target = append(*l.target, text)
	return nil
}

// pairs collects options that take two arguments, which splice has joined into
// one.
type pairs struct {
	target *[][2]string
	kind   string
	check  func(a, b string) error
}

// optionValue is what the two arguments of --option are called.
const optionValue = "OPTION VALUE"

// joint lies between the two; no argument can contain it.
const joint = "\x00"

func (p *pairs) String() string { return "" }
func (p *pairs) Type() string   { return p.kind }
func (p *pairs) Set(text string) error {
	a, b, ok := strings.Cut(text, joint)
	if !ok {
		return &valueError{text: "requires 2 arguments.", whole: true}
	}
	if p.check != nil {
		if err := p.check(a, b); err != nil {
			return err
		}
	}
	*p.target = append(*p.target, [2]string{a, b})
	return nil
}

// splice joins the two arguments of every option of type pairs, because pflag
// knows options of one argument only. It stops at "--", and where untilCommand
// is set at the first argument that is no option. It returns how many
// arguments it went through, in the result.
func splice(set *pflag.FlagSet, args []string, untilCommand bool) (out []string, seen int) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" || untilCommand && (len(arg) < 2 || arg[0] != '-') {
			return append(out, args[i:]...), len(out)
		}
		f, value, attached := option(set, arg)
		_, two := valueOf(f).(*pairs)
		switch {
		case f == nil || f.NoOptDefVal != "":
			out = append(out, arg)
		case two && attached && i+1 < len(args):
			out = append(out, "--"+f.Name+"="+value+joint+args[i+1])
			i++
		case two && !attached && i+2 < len(args):
			out = append(out, "--"+f.Name+"="+args[i+1]+joint+args[i+2])
			i += 2
		case !attached && i+1 < len(args):
			out = append(out, arg, args[i+1])
			i++
		default:
			out = append(out, arg)
		}
	}
	return out, len(out)
}

func valueOf(f *pflag.Flag) pflag.Value {
	if f == nil {
		return nil
	}
	return f.Value
}

// option finds the option that an argument names; attached says that its value
// is part of the argument. Of grouped short options it is the last.
func option(set *pflag.FlagSet, arg string) (f *pflag.Flag, value string, attached bool) {
	if long, ok := strings.CutPrefix(arg, "--"); ok {
		name, value, attached := strings.Cut(long, "=")
		return set.Lookup(name), value, attached
	}
	if len(arg) < 2 || arg[0] != '-' {
		return nil, "", false
	}
	for i := 1; i < len(arg); i++ {
		f = set.ShorthandLookup(arg[i : i+1])
		if f == nil || f.NoOptDefVal == "" {
			return f, arg[i+1:], i+1 < len(arg)
		}
	}
	return f, "", false
}
