package difftest

import (
	"fmt"
	"strings"
)

var names = []string{"e%d.bst", "dir/e%d.bst", "e-%d.bst", "E%d.bst", "e %d.bst", "e%d.2.bst", "e_%d+.bst"}

// element adds an element that depends on earlier ones.
func (g *generator) element(t *tree, i int) {
	file := fmt.Sprintf(pick(g.source, names...), i)
	if i == 0 {
		file = "e0.bst"
	}
	kind := pick(g.source, "manual", "manual", "stack", "stack", "import", "script", "compose", "filter",
		"autotools", "cmake", "make", "meson", "pip", "setuptools")
	if (kind == "filter" || kind == "compose") && i == 0 {
		kind = "manual"
	}
	e := mapping("kind", kind)
	variables := t.variables
	own := mapping()
	if kind != "stack" {
		for range g.IntN(3) {
			v := pick(g.source, "own1", "own2", "notparallel", "command-subdir", "conf-local", "v0", "prefix")
			switch v {
			case "notparallel":
				own.set(v, pick(g.source, "True", "False", "1"))
			case "v0", "prefix":
				own.set(v, g.text(nil)) // or it would soon refer to itself
			default:
				own.set(v, g.text(t.variables))
			}
			if strings.HasPrefix(v, "own") {
				variables = append(variables[:len(variables):len(variables)], v)
			}
		}
	}
	if len(own.Keys) > 0 {
		e.set("variables", g.conditional(own, t.options))
		variables = t.variables // own ones may be behind conditions
	}
	if g.one(3) {
		e.set("description", g.text(nil))
	}
	if g.one(3) {
		e.set("public", g.conditional(g.public(variables), t.options))
	}
	if g.one(3) && kind != "stack" {
		e.set("environment", g.environment(variables))
		if g.one(3) {
			e.set("environment-nocache", list(g.text(nil)))
		}
	}
	if g.one(4) && kind != "stack" {
		e.set("sandbox", g.conditional(g.sandbox(), t.options))
	}
	g.configure(t, e, kind, variables)
	g.sources(t, e, kind)
	g.depend(t, e, kind)
	if g.one(6) {
		part := fmt.Sprintf("include/e%d.yml", i)
		g.project.Documents[t.path(part)] = mapping("variables", mapping("from-include", g.text(nil)), "public", g.public(nil))
		at := part
		e.set("(@)", pick[Value](g.source, at, list(at)))
	}
	g.project.Documents[t.elementPath(file)] = e
	t.elements = append(t.elements, file)
	t.kinds[file] = kind
}

func (g *generator) configure(t *tree, e *Map, kind string, variables []string) {
	config := mapping()
	switch kind {
	case "manual", "autotools", "cmake", "make", "meson", "pip", "setuptools":
		for _, k := range some(g.source, 3, "configure-commands", "build-commands", "install-commands", "strip-commands") {
			config.set(k, g.listValue(variables))
		}
	case "script":
		if g.one(2) {
			config.set("root-read-only", pick(g.source, "True", "False", "0"))
		}
		config.set("commands", g.commands(variables, 3))
	case "compose":
		for _, k := range some(g.source, 2, "include", "exclude") {
			config.set(k, list("runtime", "devel"))
		}
		if g.one(2) {
			config.set("integrate", pick(g.source, "True", "False"))
		}
	case "filter":
		config.set("include", list(pick(g.source, "runtime", "devel")))
		if g.one(2) {
			config.set("include-orphans", "True")
		}
		if g.one(3) {
			config.set("pass-integration", "True")
		}
	case "import":
		if g.one(2) {
			config.set("source", pick(g.source, "/", "/a", "a"))
		}
		if g.one(2) {
			config.set("target", pick(g.source, "/", "/opt", "%{prefix}"))
		}
	}
	if len(config.Keys) > 0 {
		e.set("config", g.conditional(config, t.options))
	}
}

func (g *generator) sources(t *tree, e *Map, kind string) {
	n := g.IntN(3)
	switch kind {
	case "stack", "script", "compose", "filter":
		return
	case "import":
		n = 1 + g.IntN(2)
	}
	sources := list()
	for range n {
		sources.Items = append(sources.Items, g.oneSource(t))
	}
	if n > 0 {
		e.set("sources", sources)
	}
}

func (g *generator) oneSource(t *tree) *Map {
	hexes := func(n int) string { return strings.Repeat(fmt.Sprintf("%x", g.IntN(16)), n) }
	url := func(end string) string {
		if len(t.aliases) > 0 && g.one(2) {
			return pick(g.source, t.aliases...) + ":" + end
		}
		return "https://example.com/" + end
	}
	var s *Map
	switch g.IntN(6) {
	case 0, 1:
		s = mapping("kind", "local", "path", g.localFile(t))
	case 2:
		s = mapping("kind", "remote", "url", url("file.bin"), "ref", hexes(64))
		if g.one(2) {
			s.set("filename", pick(g.source, "named", "naïve", ".hidden"))
		}
		if g.one(3) {
			s.set("executable", pick(g.source, "True", "False"))
		}
	case 3:
		s = mapping("kind", "tar", "url", url("file-1.2.3.tar.gz"), "ref", hexes(64))
		if g.one(2) {
			s.set("base-dir", pick(g.source, "", "*", "x-*", "."))
		}
	case 4:
		s = mapping("kind", "git", "url", url("repo.git"), "ref", pick(g.source, hexes(40), "v1.0-3-g"+hexes(40)), "track", "main")
		if g.one(3) {
			s.set("checkout-submodules", pick(g.source, "True", "False"))
		}
		if g.one(4) {
			s.set("submodules", mapping("sub/one", mapping("url", url("one.git"), "checkout", "False"), "two", mapping("url", url("two.git"))))
		}
	case 5:
		p := t.path("patches", "a.patch")
		g.project.Files[p] = "--- a\n+++ b\n"
		s = mapping("kind", "patch", "path", "patches/a.patch")
		if g.one(2) {
			s.set("strip-level", pick(g.source, "0", "1", "2", "01"))
		}
	}
	g.provenance(s)
	if g.one(3) && s.get("kind") != Value("patch") {
		s.set("directory", pick(g.source, "sub", "a/b", "naïve", "%{v0}"))
		if s.get("directory") == Value("%{v0}") && t.conf.get("variables") == nil {
			s.set("directory", "sub")
		}
	}
	return s
}

// localFile makes a file or a folder to be a source.
func (g *generator) localFile(t *tree) string {
	name := pick(g.source, "files/one.txt", "files", "files/naïve", "files/deep")
	g.project.Files[t.path("files/one.txt")] = "one\n"
	g.project.Files[t.path("files/naïve")] = "Grüße"
	g.project.Files[t.path("files/deep/a")] = ""
	g.project.Files[t.path("files/deep/b/c")] = "c"
	return name
}

// depend gives an element dependencies on some earlier ones.
func (g *generator) depend(t *tree, e *Map, kind string) {
	if len(t.elements) == 0 {
		return
	}
	var on []Value
	seen := map[string]bool{}
	n := g.IntN(5)
	if kind == "filter" || kind == "compose" || kind == "script" {
		n++
	}
	for range n {
		name := t.elements[g.IntN(len(t.elements))]
		if len(t.junctions) > 0 && g.one(4) {
			j := t.junctions[g.IntN(len(t.junctions))]
			name = j.file + ":" + pick(g.source, j.tree.elements...)
			if len(j.tree.junctions) > 0 && g.one(4) {
				jj := j.tree.junctions[g.IntN(len(j.tree.junctions))]
				name = j.file + ":" + jj.file + ":" + pick(g.source, jj.tree.elements...)
			}
		}
		if seen[name] {
			continue
		}
		seen[name] = true
		d := g.dependency(name, kind)
		if m, ok := d.(*Map); ok && kind == "stack" && !g.one(20) {
			// Both for building and running is all that a stack allows.
			for i := len(m.Keys) - 1; i >= 0; i-- {
				if m.Keys[i] == "type" {
					m.remove(i)
				}
			}
		}
		on = append(on, d)
	}
	if kind == "filter" {
		// Exactly one, for building, of this project.
		e.set("build-depends", list(t.elements[g.IntN(len(t.elements))]))
		return
	}
	for _, d := range on {
		key := pick(g.source, "depends", "build-depends", "runtime-depends")
		if kind == "compose" || kind == "script" {
			key = "build-depends"
		}
		if kind == "stack" && !g.one(20) {
			key = "depends"
		}
		if m, ok := d.(*Map); ok {
			if key != "depends" {
				for i, k := range m.Keys {
					if k == "type" {
						m.remove(i)
						break
					}
				}
			}
			if key == "runtime-depends" || m.get("type") == Value("runtime") {
				for _, gone := range []string{"strict", "config"} {
					for i, k := range m.Keys {
						if k == gone {
							m.remove(i)
							break
						}
					}
				}
			}
		}
		if e.get(key) == nil {
			e.set(key, list())
		}
		s := e.get(key).(*Seq)
		s.Items = append(s.Items, d)
	}
}

func (g *generator) dependency(name, kind string) Value {
	if g.one(2) {
		return name
	}
	d := mapping("filename", name)
	if i := strings.LastIndex(name, ":"); i > 0 && g.one(2) {
		d = mapping("junction", name[:i], "filename", name[i+1:])
	}
	if g.one(5) {
		d.set("filename", list(d.get("filename")))
	}
	if g.one(2) {
		d.set("type", pick(g.source, "build", "runtime", "all"))
	}
	if g.one(4) {
		d.set("strict", "True")
	}
	if (kind == "manual" || kind == "script" || kind == "autotools") && g.one(4) {
		d.set("config", mapping("location", pick(g.source, "/", "/sysroot", "%{prefix}/x")))
	}
	return d
}
