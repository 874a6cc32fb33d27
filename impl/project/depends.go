package project

import (
	"strings"

	"bst/impl/node"
)

// depType is build, runtime, or both.
type depType uint8

const (
	depBuild depType = 1 << iota
	depRuntime
	depAll = depBuild | depRuntime
)

// extractDependencies reads the dependencies of an element in the order
// build-depends, runtime-depends, depends, and takes them out of its mapping.
// Those that are written several times are merged.
func extractDependencies(n *node.Node) ([]*Dep, error) {
	var x extraction
	for _, field := range [...]struct {
		key  string
		kind depType
	}{{"build-depends", depBuild}, {"runtime-depends", depRuntime}, {"depends", 0}} {
		list, err := n.GetSequence(field.key)
		if err != nil {
			return nil, err
		}
		if list == nil {
			continue
		}
		for _, item := range list.Items() {
			if err := x.item(item, field.kind); err != nil {
				return nil, err
			}
		}
		n.Delete(field.key)
	}
	return x.deps, nil
}

type extraction struct {
	deps []*Dep
	// seen finds a dependency by its path, once there are many.
	seen map[string]*Dep
}

// item reads one entry of a list, which may name several files.
func (x *extraction) item(n *node.Node, kind depType) error {
	switch n.Kind() {
	case node.Scalar:
		return x.file(n, n, nil, kind)
	case node.Sequence:
		return n.Errorf("INVALID_DATA", "Dependency is not specified as a string or a dictionary")
	}
	junction := n.Get("junction")
	if _, err := n.GetStr("junction", ""); err != nil {
		return err
	}
	files, err := n.Need("filename")
	if err != nil {
		return err
	}
	switch files.Kind() {
	case node.Scalar:
		return x.file(n, files, junction, kind)
	case node.Mapping:
		return files.Errorf("INVALID_DATA", "Value of 'filename' is not one of the following: list, scalar.")
	}
	for _, file := range files.Items() {
		if file.Kind() != node.Scalar {
			return file.Errorf("INVALID_DATA", "Expected string while parsing the filename list")
		}
	}
	for _, file := range files.Items() {
		if err := x.file(n, file, junction, kind); err != nil {
			return err
		}
	}
	return nil
}

// file adds the dependency n on the element that file names.
func (x *extraction) file(n, file, junction *node.Node, kind depType) error {
	path := file.Text()
	if junction != nil {
		if strings.Contains(path, ":") {
			return file.Errorf("INVALID_DATA", "Dependency %s contains `:` in its name. "+
				"`:` characters are not allowed in filename when junction attribute is specified.", path)
		}
		path = junction.Text() + ":" + path
	}
	dep := &Dep{Path: path, node: n}
	if err := dep.load(n, kind); err != nil {
		return err
	}
	if same := x.find(path); same != nil {
		same.merge(dep)
		return nil
	}
	x.deps = append(x.deps, dep)
	if x.seen != nil {
		x.seen[path] = dep
	}
	return nil
}

func (x *extraction) find(path string) *Dep {
	if x.seen == nil && len(x.deps) > manyDeps {
		x.seen = make(map[string]*Dep, 2*len(x.deps))
		for _, dep := range x.deps {
			x.seen[dep.Path] = dep
		}
	}
	if x.seen != nil {
		return x.seen[path]
	}
	for _, dep := range x.deps {
		if dep.Path == path {
			return dep
		}
	}
	return nil
}

// load reads a dependency's attributes. kind is that of the list, 0 where each
// entry says its own.
func (d *Dep) load(n *node.Node, kind depType) error {
	if n.Kind() == node.Scalar {
		d.setType(kind)
		return nil
	}
	valid := []string{"filename", "junction", "strict", "config", "type"}
	if kind != 0 {
		valid = valid[:4]
	}
	if err := n.ValidateKeys(valid...); err != nil {
		return err
	}
	if kind == 0 {
		text, err := n.GetStr("type", "all")
		if err != nil {
			return err
		}
		switch text {
		case "build":
			kind = depBuild
		case "runtime":
			kind = depRuntime
		case "all":
			kind = depAll
		default:
			return n.Get("type").Errorf("INVALID_DATA",
				"Dependency type '%s' is not 'build', 'runtime' or 'all'", text)
		}
	}
	d.setType(kind)
	var err error
	if d.Strict, err = n.GetBool("strict", false); err != nil {
		return err
	}
	config, err := n.GetMapping("config")
	if err != nil {
		return err
	}
	if config != nil {
		if kind == depRuntime {
			return config.Errorf("INVALID_DATA", "Specifying 'config' for a runtime dependency is not allowed")
		}
		d.Configs = []*node.Node{config}
	}
	if at := n.Get("strict"); at != nil && !d.Strict {
		return at.Errorf("INVALID_DATA", "Setting 'strict' to False is unsupported")
	}
	if d.Strict && kind == depRuntime {
		_, name := d.split()
		err := n.Errorf("INVALID_DATA", "Runtime dependency %s specified as `strict`.", name)
		err.Detail = "Only dependencies required at build time may be declared `strict`."
		return err
	}
	return nil
}

func (d *Dep) setType(kind depType) {
	if kind == 0 {
		kind = depAll
	}
	d.Build, d.Runtime = kind&depBuild != 0, kind&depRuntime != 0
}

// runtimeOnly says that the dependency is not built from.
func (d *Dep) runtimeOnly() bool { return d.Runtime && !d.Build }

// merge adds what another dependency on the same element says.
func (d *Dep) merge(other *Dep) {
	d.Build = d.Build || other.Build
	d.Runtime = d.Runtime || other.Runtime
	d.Strict = d.Strict || other.Strict
	d.Configs = append(d.Configs, other.Configs...)
}

// split gives the junctions of a dependency, "" for none, and its name.
func (d *Dep) split() (junction, name string) {
	if colon := strings.LastIndexByte(d.Path, ':'); colon >= 0 {
		return d.Path[:colon], d.Path[colon+1:]
	}
	return "", d.Path
}
