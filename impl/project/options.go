package project

import (
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"bst/impl/node"
	"bst/impl/seen"
	"bst/impl/stream"
)

// optionPool holds a project's options, in the order of their declaration.
type optionPool struct {
	elementPath string
	seen        *seen.Record
	options     []*option
	byName      map[string]*option
	// values is what expressions see, once resolve has run.
	values map[string]value
	// parsed remembers expressions: elements repeat them.
	parsed map[string]parsedExpression
}

type parsedExpression struct {
	expression expression
	err        error
}

// option is one declared option. A bool's value is on; all others' are
// strings, of which only flags and element-mask may have more or less than one.
type option struct {
	name, kind string
	// variable is the variable that carries the value, "" for none.
	variable string
	valid    []string
	strings  []string
	on       bool
}

var optionKinds = []string{"bool", "enum", "flags", "element-mask", "arch", "os"}

func newOptionPool(elementPath string, record *seen.Record) *optionPool {
	return &optionPool{elementPath: elementPath, seen: record, byName: map[string]*option{}, parsed: map[string]parsedExpression{}}
}

func loadErrorf(reason, message string) *stream.Error {
	return &stream.Error{Domain: stream.DomainLoad, Reason: reason, Message: message}
}

// declare reads project.conf's options.
func (pool *optionPool) declare(options *node.Node) error {
	for i, name := range options.Keys() {
		definition := options.Items()[i]
		if definition.Kind() != node.Mapping {
			return definition.Errorf("INVALID_DATA", "Value of '%s' is not of the expected type 'dict'", name)
		}
		if err := checkSymbol(name, "option name", definition, false); err != nil {
			return err
		}
		kind, err := definition.NeedStr("type")
		if err != nil {
			return err
		}
		if !has(optionKinds, kind) {
			return definition.Get("type").Errorf("INVALID_DATA", "Value of 'type' should be one of '%s'",
				strings.Join(optionKinds, ", "))
		}
		o := &option{name: name, kind: kind}
		if err := pool.define(o, definition); err != nil {
			return err
		}
		pool.options = append(pool.options, o)
		pool.byName[name] = o
	}
	return nil
}

// define reads one definition.
func (pool *optionPool) define(o *option, n *node.Node) error {
	if _, err := n.NeedStr("description"); err != nil {
		return err
	}
	var err error
	if o.variable, err = n.GetStr("variable", ""); err != nil {
		return err
	}
	if at := n.Get("variable"); at != nil {
		if err := checkSymbol(o.variable, "variable name", at, true); err != nil {
			return err
		}
	}
	keys := []string{"type", "description", "variable"}
	switch o.kind {
	case "bool":
		if err := n.ValidateKeys(append(keys, "default")...); err != nil {
			return err
		}
		if _, err := n.Need("default"); err != nil {
			return err
		}
		o.on, err = n.GetBool("default", false)
		return err
	case "enum", "flags":
		keys = append(keys, "values", "default")
	case "arch", "os":
		keys = append(keys, "values")
	case "element-mask":
		keys = append(keys, "default")
	}
	if err := n.ValidateKeys(keys...); err != nil {
		return err
	}
	if err := pool.defineValid(o, n); err != nil {
		return err
	}
	return o.defineDefault(n)
}

// defineValid finds the values that o may have.
func (pool *optionPool) defineValid(o *option, n *node.Node) error {
	var err error
	if o.kind == "element-mask" {
		o.valid, err = elementFiles(pool.elementPath, pool.seen)
	} else {
		o.valid, err = n.GetStrs("values")
	}
	if err != nil {
		return err
	}
	if len(o.valid) == 0 {
		return n.Errorf("INVALID_DATA", "No values specified for %s option '%s'", o.kind, o.name)
	}
	return nil
}

func (o *option) defineDefault(n *node.Node) error {
	switch o.kind {
	case "enum":
		text, err := n.NeedStr("default")
		if err != nil {
			return err
		}
		o.strings = []string{text}
		return o.validate(n.Get("default"))
	case "flags", "element-mask":
		var err error
		if o.strings, err = n.GetStrs("default"); err != nil {
			return err
		}
		return o.validate(n.Get("default"))
	case "os":
		o.strings = []string{hostOS()}
		return nil
	}
	// arch: the first value that means this machine. Where there is none, the
	// user may still choose another; resolve complains otherwise.
	host := HostArch()
	o.strings = nil
	for i, text := range o.valid {
		canonical, ok := CanonicalArch(text)
		if !ok {
			return n.Get("values").Items()[i].Errorf("INVALID_DATA",
				"Invalid value for arch option '%s': Unknown architecture: %s", o.name, text)
		}
		if canonical == host && o.strings == nil {
			o.strings = []string{text}
		}
	}
	if o.strings == nil {
		o.strings = []string{host}
	}
	return nil
}

// validate checks o's value; at is where it was given, nil for the command
// line.
func (o *option) validate(at *node.Node) error {
	for _, text := range o.strings {
		if has(o.valid, text) {
			continue
		}
		valid := "Valid values: " + strings.Join(o.valid, ", ")
		if o.isList() {
			return at.Errorf("INVALID_DATA", "Invalid value for flags option '%s': %s\n%s",
				o.name, pythonList(o.strings), valid)
		}
		return at.Errorf("INVALID_DATA", "Invalid value for %s option '%s': %s\n%s", o.kind, o.name, text, valid)
	}
	return nil
}

func (o *option) isList() bool { return o.kind == "flags" || o.kind == "element-mask" }

func pythonList(list []string) string {
	if len(list) == 0 {
		return "[]"
	}
	return "['" + strings.Join(list, "', '") + "']"
}

// loadValues takes values from YAML: a junction's options.
func (pool *optionPool) loadValues(values *node.Node) error {
	for i, name := range values.Keys() {
		o, at := pool.byName[name], values.Items()[i]
		if o == nil {
			return at.Errorf("INVALID_DATA", "Unknown option '%s' specified", name)
		}
		if err := o.load(values); err != nil {
			return err
		}
	}
	return nil
}

func (o *option) load(values *node.Node) error {
	var err error
	switch {
	case o.kind == "bool":
		o.on, err = values.GetBool(o.name, false)
		return err
	case o.isList():
		if o.strings, err = values.GetStrs(o.name); err != nil {
			return err
		}
		sort.Strings(o.strings)
	default:
		text, err := values.GetStr(o.name, "")
		if err != nil {
			return err
		}
		o.strings = []string{text}
	}
	return o.validate(values.Get(o.name))
}

// loadSettings takes values from the user configuration, where they are texts
// or lists.
func (pool *optionPool) loadSettings(texts map[string]string, lists map[string][]string) error {
	values := node.NewMapping(stream.Provenance{})
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		values.Set(name, node.NewScalar(texts[name], stream.Provenance{}))
	}
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		items := make([]*node.Node, len(lists[name]))
		for i, text := range lists[name] {
			items[i] = node.NewScalar(text, stream.Provenance{})
		}
		values.Set(name, node.NewSequence(items, stream.Provenance{}))
	}
	return pool.loadValues(values)
}

// setValues takes values as they are on the command line. ignoreUnknown skips
// options that are not declared (yet).
func (pool *optionPool) setValues(values map[string]string, ignoreUnknown bool) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		o := pool.byName[name]
		if o == nil {
			if ignoreUnknown {
				continue
			}
			return loadErrorf("INVALID_DATA", "Unknown option '"+name+"' specified on the command line")
		}
		if err := o.set(values[name]); err != nil {
			return err
		}
	}
	return nil
}

func (o *option) set(text string) error {
	switch {
	case o.kind == "bool":
		switch text {
		case "True", "true":
			o.on = true
		case "False", "false":
			o.on = false
		default:
			return loadErrorf("INVALID_DATA", "Invalid value for boolean option "+o.name+": "+text)
		}
		return nil
	case o.isList():
		o.strings = strings.Split(strings.Join(strings.Fields(text), ""), ",")
		sort.Strings(o.strings)
	default:
		o.strings = []string{text}
	}
	return o.validate(nil)
}

// resolve ends the setting of values.
func (pool *optionPool) resolve() error {
	pool.values = make(map[string]value, len(pool.options))
	for _, o := range pool.options {
		if o.kind == "arch" || o.kind == "os" {
			if err := o.validate(nil); err != nil {
				return err
			}
		}
		pool.values[o.name] = o.value()
	}
	return nil
}

// value is what expressions see.
func (o *option) value() value {
	switch {
	case o.kind == "bool":
		return o.on
	case o.isList():
		list := make([]value, len(o.strings))
		for i, text := range o.strings {
			list[i] = text
		}
		return list
	}
	return o.strings[0]
}

// text is the value as variables and people see it.
func (o *option) text() string {
	if o.kind == "bool" {
		if o.on {
			return "1"
		}
		return "0"
	}
	return strings.Join(o.strings, ",")
}

// export sets the variables of those options that have one.
func (pool *optionPool) export(variables *node.Node) {
	for _, o := range pool.options {
		if o.variable != "" {
			setText(variables, o.variable, o.text())
		}
	}
}

// setText sets a key to a synthetic scalar that says to be where the old value
// was.
func setText(n *node.Node, key, text string) {
	n.Set(key, node.NewScalar(text, n.Get(key).Provenance()))
}

// printable are the options by name.
func (pool *optionPool) printable() []stream.Pair {
	if pool == nil {
		return nil
	}
	pairs := make([]stream.Pair, 0, len(pool.options))
	for _, o := range pool.options {
		pairs = append(pairs, stream.Pair{Name: o.name, Value: o.text()})
	}
	sort.Slice(pairs, func(i, j int) bool { return pairs[i].Name < pairs[j].Name })
	return pairs
}

// elementFiles lists the element files below a directory, relative to it, in
// the order of their names. Folders named .bst hold staged junctions.
func elementFiles(dir string, record *seen.Record) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == ".bst":
			return filepath.SkipDir
		case entry.IsDir():
			record.File(path) // before its names are read
			return nil
		case !strings.HasSuffix(path, ".bst"):
			return nil
		}
		relative, err := filepath.Rel(dir, path)
		files = append(files, filepath.ToSlash(relative))
		return err
	})
	if err != nil {
		e := loadErrorf("MISSING_FILE", "Could not list the elements in '"+dir+"'")
		e.Cause = err.Error()
		return nil, e
	}
	return files, nil
}
