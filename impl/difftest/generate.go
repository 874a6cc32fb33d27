package difftest

import (
	"fmt"
	"slices"
	"strings"
)

// Generate makes a random project. Most are legal; some are not, by one random
// change to one that was.
func Generate(seed uint64) *Project {
	g := &generator{
		source:  newSource(seed, 1),
		project: &Project{Seed: seed, Documents: map[string]*Map{}, Files: map[string]string{}},
	}
	top := g.subproject("", "top", 0)
	for _, o := range top.options {
		if g.one(3) {
			g.project.Options = append(g.project.Options, [2]string{o.name, o.any(g.source)})
		}
	}
	g.project.Targets = g.targets(top)
	if g.one(3) {
		g.spoil()
	}
	return g.project
}

type generator struct {
	source
	project *Project
}

// tree is one project of a project with its subprojects.
type tree struct {
	dir, name string
	depth     int
	conf      *Map
	options   []option
	variables []string
	elements  []string // of this project, dependencies before dependents
	kinds     map[string]string
	junctions []junction
	aliases   []string
}

type junction struct {
	file string
	tree *tree
}

// scalars are texts that YAML or BuildStream might take for something else.
var scalars = []string{
	"a", "word", "two words", "1", "0", "-1", "007", "1.0", "1e3", "0x1f", "0o17", "1_000", "true", "False", "yes", "off",
	"null", "~", "", " ", " leading", "trailing ", "\tTab", "new\nline", "one\n  two\n\nthree", "final\n", "it's", `say "hi"`,
	`back\slash`, "a: b", "a #b", "#hash", "- dash", "[list", "{map", "%percent", "%{", "100%", "%{ no}", "@at", "`tick", "&anchor", "*alias",
	"!tag", "|", ">", "?", "2001-12-14", "12:30:45", "<<", "=", "naïve", "Grüße", "日本語", "😀 smile", "\u00a0nbsp\u00a0", "\u2003em",
	"\x1c separated \x1f", "zero\u200bwidth", "\ufeffbom", "e\u0301", "</script>", "a/b//c", "$HOME ${HOME} $(id)", "\\n", "'", `"`, "''", ":", "a:", ":a", "-", "--", ",",
	strings.Repeat("long ", 60),
}

// text is a scalar that may refer to variables.
func (g *generator) text(variables []string) string {
	text := ""
	for range 1 + g.IntN(2) {
		switch {
		case len(variables) > 0 && g.one(2):
			text += "%{" + pick(g.source, variables...) + "}"
		default:
			text += pick(g.source, scalars...)
		}
	}
	return text
}

func (g *generator) commands(variables []string, most int) *Seq {
	s := list()
	for range g.IntN(most + 1) {
		s.Items = append(s.Items, g.text(variables))
	}
	return s
}

// listValue is a list, or directives for the list below.
func (g *generator) listValue(variables []string) Value {
	if !g.one(3) {
		return g.commands(variables, 3)
	}
	m := mapping()
	for _, directive := range []string{"(<)", "(>)", "(=)"} {
		if g.one(2) {
			m.set(directive, g.commands(variables, 2))
		}
	}
	if len(m.Keys) == 0 {
		m.set("(>)", g.commands(variables, 2))
	}
	return m
}

// option is one project option.
type option struct {
	name, kind string
	values     []string
}

// any is a legal value for the option.
func (o option) any(s source) string {
	switch o.kind {
	case "bool":
		return pick(s, "True", "False", "true", "false")
	case "flags", "element-mask":
		return strings.Join(some(s, 3, o.values...), ",")
	}
	return pick(s, o.values...)
}

// condition is an expression over options.
func (g *generator) condition(options []option) string {
	o := options[g.IntN(len(options))]
	var e string
	switch o.kind {
	case "bool":
		e = pick(g.source, o.name, "not "+o.name, "("+o.name+")", o.name+" == True", o.name+" != false")
	case "flags":
		e = fmt.Sprintf(`%q %s %s`, pick(g.source, o.values...), pick(g.source, "in", "not in"), o.name)
	case "element-mask":
		e = fmt.Sprintf(`'e0.bst' %s %s`, pick(g.source, "in", "not in"), o.name)
	default:
		a, b := pick(g.source, o.values...), pick(g.source, o.values...)
		e = pick(g.source,
			fmt.Sprintf(`%s == %q`, o.name, a),
			fmt.Sprintf(`%s != '%s'`, o.name, a),
			fmt.Sprintf(`%q == %s`, a, o.name),
			fmt.Sprintf(`%s in [%q, %q]`, o.name, a, b),
			fmt.Sprintf(`%s not in (%q, %q)`, o.name, a, b),
			fmt.Sprintf(`%s is defined`, o.name),
			fmt.Sprintf(`%s|upper == %q`, o.name, strings.ToUpper(a)),
			fmt.Sprintf(`%s.startswith(%q)`, o.name, a[:1]),
			fmt.Sprintf(`%s < %q`, o.name, a),
			fmt.Sprintf(`%s ~ %q == %q`, o.name, "x", a+"x"),
		)
	}
	if g.one(4) {
		e += pick(g.source, " and ", " or ") + g.condition(options)
	}
	return e
}

// conditional puts keys of m below conditions, now and then.
func (g *generator) conditional(m *Map, options []option) *Map {
	if len(options) == 0 || !g.one(3) {
		return m
	}
	branches := list()
	for range 1 + g.IntN(3) {
		then := mapping()
		for i, key := range m.Keys {
			if g.one(3) {
				then.set(key, m.Values[i])
				if g.one(3) {
					then.set(key, g.vary(m.Values[i]))
				}
			}
		}
		if g.one(5) && len(then.Keys) > 0 {
			then = mapping("(?)", list(mapping(g.condition(options), then)))
		}
		branches.Items = append(branches.Items, mapping(g.condition(options), then))
	}
	out := mapping()
	for i, key := range m.Keys {
		if !g.one(5) {
			out.set(key, m.Values[i])
		}
	}
	out.set("(?)", branches)
	return out
}

// vary changes scalars in a value that has no directives.
func (g *generator) vary(v Value) Value {
	switch v := v.(type) {
	case string:
		return pick(g.source, v, v+"x", "y", "")
	case *Seq:
		if g.one(2) {
			return mapping(pick(g.source, "(<)", "(>)", "(=)"), list("varied"))
		}
		return v
	}
	return v
}

// environment is a mapping of names to texts.
func (g *generator) environment(variables []string) *Map {
	m := mapping()
	for range g.IntN(3) {
		m.set(pick(g.source, "PATH", "LANG", "V", "CFLAGS", "naïve", "with space", "X-1", "MAXJOBS"), g.text(variables))
	}
	return m
}

func (g *generator) splitRules() *Map {
	m := mapping()
	for range 1 + g.IntN(2) {
		rules := list()
		for range 1 + g.IntN(3) {
			rules.Items = append(rules.Items, "%{"+pick(g.source, "bindir", "prefix", "libdir")+"}/"+pick(g.source, "*", "**", "lib*.so", "?x", "{a}", "naïve"))
		}
		m.set(pick(g.source, "devel", "runtime", "extra", "locale"), rules)
	}
	return m
}

func (g *generator) public(variables []string) *Map {
	bst := mapping()
	if g.one(2) {
		bst.set("split-rules", g.splitRules())
	}
	if g.one(3) {
		bst.set("integration-commands", g.commands(variables, 2))
	}
	if g.one(4) {
		bst.set("overlap-whitelist", list("/usr/*", "**"))
	}
	m := mapping("bst", bst)
	if g.one(3) {
		m.set("own", mapping("list", list("a", list(), mapping("k", g.text(variables)), ""), "text", g.text(variables), "ключ", "1"))
	}
	return m
}

func (g *generator) sandbox() *Map {
	m := mapping()
	if g.one(2) {
		m.set("build-uid", pick(g.source, "0", "1000", "007", " 12 ", "+3", "1_0"))
	}
	if g.one(3) {
		m.set("build-gid", "100")
	}
	if g.one(3) {
		m.set("build-arch", pick(g.source, "x86-64", "aarch64", "amd64", "x86_64", "riscv64"))
	}
	if g.one(4) {
		m.set("build-os", pick(g.source, "Linux", "linux", "%{lib}"))
	}
	if g.one(5) {
		m.set("remote-apis-socket", mapping("path", "/run/reapi.sock"))
		if g.one(2) {
			m.get("remote-apis-socket").(*Map).set("action-cache-enable-update", pick(g.source, "True", "False"))
		}
	}
	return m
}

// subproject makes a project in a folder.
func (g *generator) subproject(dir, name string, depth int) *tree {
	t := &tree{dir: dir, name: name, depth: depth, kinds: map[string]string{}, variables: []string{"prefix", "bindir", "project-name", "max-jobs"}}
	c := mapping("name", name, "min-version", pick(g.source, "2.0", "2.4", "2.8"))
	t.conf = c
	if g.one(2) {
		c.set("element-path", "elements")
	}
	c.set("plugins", list(mapping("origin", "pip", "package-name", "buildstream-plugins",
		"elements", list("autotools", "cmake", "make", "meson", "pip", "setuptools"),
		"sources", list("git", "patch", "docker", "cargo", "pip", "bzr"))))
	g.options(t)
	variables := mapping()
	for i := range g.IntN(6) {
		v := fmt.Sprintf("v%d", i)
		variables.set(v, g.text(t.variables))
		if g.one(4) {
			variables.set(v, g.text(nil))
		}
		t.variables = append(t.variables, v)
	}
	if g.one(6) {
		variables.set("notparallel", pick(g.source, "True", "False", "1", "false"))
	}
	if g.one(6) {
		variables.set(pick(g.source, "prefix", "lib", "build-root", "conf-root", "strip-binaries"), pick(g.source, "/", "/odd", "naïve", "%{project-name}"))
	}
	c.set("variables", g.conditional(variables, t.options))
	if env := g.environment(t.variables); len(env.Keys) > 0 {
		c.set("environment", g.conditional(env, t.options))
		if g.one(2) {
			c.set("environment-nocache", list("V", "MAXJOBS"))
		}
	}
	if g.one(4) {
		c.set("split-rules", g.splitRules())
	}
	if g.one(3) {
		c.set("sandbox", g.sandbox())
	}
	if g.one(3) {
		c.set("fatal-warnings", pick[Value](g.source, "True", "False", list("overlaps"), list("unstaged-files", "overlaps"), list()))
		if c.get("fatal-warnings") == Value("True") {
			c.set("fatal-warnings", list("overlaps")) // or URLs without alias would end most projects
		}
	}
	for _, a := range some(g.source, 2, "upstream", "mirror", "gnu") {
		if c.get("aliases") == nil {
			c.set("aliases", mapping())
		}
		c.get("aliases").(*Map).set(a, "https://"+a+".example/")
		t.aliases = append(t.aliases, a)
	}
	if g.one(6) {
		c.set("source-provenance-attributes", pick[Value](g.source, mapping(), mapping("originator", "who"),
			mapping("homepage", "where", "issue-tracker", "whom to ask")))
	}
	g.overrides(t)
	g.includes(t)
	if depth < 2 {
		for i := range some(g.source, 2-depth, 1, 2, 3) {
			g.junction(t, i)
		}
	}
	for i := range 2 + g.IntN(8-2*depth) {
		g.element(t, i)
	}
	if g.one(8) {
		g.refs(t)
	}
	g.project.Documents[t.path("project.conf")] = c
	return t
}

// path is a path in the tree, below the toplevel project.
func (t *tree) path(parts ...string) string {
	if t.dir != "" {
		parts = append([]string{t.dir}, parts...)
	}
	return join(parts...)
}

func (t *tree) elementPath(file string) string {
	if t.conf.get("element-path") != nil {
		return t.path("elements", file)
	}
	return t.path(file)
}

func (g *generator) options(t *tree) {
	all := mapping()
	for i, kind := range some(g.source, 4, "bool", "enum", "flags", "arch", "os", "element-mask") {
		o := option{name: fmt.Sprintf("opt%d", i), kind: kind}
		m := mapping("type", kind, "description", g.text(nil))
		switch kind {
		case "bool":
			m.set("default", pick(g.source, "True", "False", "0", "true"))
		case "enum":
			o.values = []string{"red", "green", "naïve", "1"}
			m.set("values", list("red", "green", "naïve", "1"))
			m.set("default", pick(g.source, o.values...))
		case "flags":
			o.values = []string{"ssl", "x", "long-name"}
			m.set("values", list("ssl", "x", "long-name"))
			m.set("default", list("x"))
		case "arch":
			o.values = []string{"x86-64", "aarch64", "i686"}
			m.set("values", pick[Value](g.source, list("x86-64", "aarch64", "i686"), list("x86_64", "aarch64", "i686")))
			if m.get("values").(*Seq).Items[0] == Value("x86_64") {
				o.values[0] = "x86_64"
			}
		case "os":
			o.values = []string{"Linux", "Darwin"}
			m.set("values", list("Linux", "Darwin"))
		case "element-mask":
			o.values = []string{"e0.bst", "e1.bst"}
			if g.one(2) {
				m.set("default", list("e0.bst"))
			}
		}
		if g.one(2) {
			v := "exported" + fmt.Sprint(i)
			m.set("variable", v)
			t.variables = append(t.variables, v)
		}
		all.set(o.name, m)
		// An element mask names elements, which exist only later.
		if kind != "element-mask" {
			t.options = append(t.options, o)
		}
	}
	if len(all.Keys) > 0 {
		t.conf.set("options", all)
	}
}

// overrides are the project's defaults for kinds.
func (g *generator) overrides(t *tree) {
	if g.one(2) {
		m := mapping()
		for _, kind := range some(g.source, 2, "manual", "autotools", "script", "import", "stack", "meson") {
			o := mapping()
			if g.one(2) {
				o.set("variables", mapping("v9", g.text(t.variables)))
			}
			if g.one(2) {
				o.set("environment", g.environment(t.variables))
			}
			if g.one(3) {
				o.set("public", g.public(t.variables))
			}
			if g.one(4) {
				o.set("sandbox", g.sandbox())
			}
			if g.one(3) && (kind == "manual" || kind == "autotools") {
				o.set("config", mapping("build-commands", g.listValue(t.variables)))
			}
			m.set(kind, g.conditional(o, t.options))
		}
		t.conf.set("elements", m)
	}
	if g.one(5) {
		t.conf.set("sources", mapping("tar", mapping("config", mapping("base-dir", pick(g.source, "", "*", "x")))))
	}
}

// includes moves parts of project.conf to files.
func (g *generator) includes(t *tree) {
	if !g.one(3) {
		return
	}
	files := list()
	for i, key := range some(g.source, 2, "variables", "environment", "elements", "aliases", "options", "sandbox") {
		v := t.conf.get(key)
		if v == nil {
			continue
		}
		file := fmt.Sprintf("include/part%d.yml", i)
		g.project.Documents[t.path(file)] = mapping(key, v)
		t.conf.remove(slices.Index(t.conf.Keys, key))
		if m, ok := v.(*Map); ok && g.one(2) && key == "variables" {
			t.conf.set(key, mapping("v0", "over", "extra", g.text(nil)))
			_ = m
		}
		if g.one(4) {
			// A file that only includes the next, and says something under it.
			between := fmt.Sprintf("include/between%d.yml", i)
			g.project.Documents[t.path(between)] = mapping("(@)", pick[Value](g.source, file, list(file)),
				"variables", g.conditional(mapping("between", g.text(nil)), t.options))
			file = between
		}
		files.Items = append(files.Items, file)
	}
	if len(files.Items) == 1 && g.one(2) {
		t.conf.set("(@)", files.Items[0])
	} else if len(files.Items) > 0 {
		t.conf.set("(@)", files)
	}
}

// junction adds a subproject and the element that leads to it.
func (g *generator) junction(t *tree, i int) {
	name := fmt.Sprintf("%s-sub%d", t.name, i)
	dir := fmt.Sprintf("sub%d", i)
	sub := g.subproject(t.path(dir), name, t.depth+1)
	file := fmt.Sprintf("j%d.bst", i)
	config := mapping()
	options := mapping()
	for _, o := range sub.options {
		if g.one(2) {
			options.set(o.name, o.any(g.source))
			if o.kind == "flags" {
				options.set(o.name, list(pick(g.source, o.values...)))
			}
		}
	}
	if len(options.Keys) > 0 {
		config.set("options", options)
	}
	overrides := mapping()
	if len(t.junctions) > 0 && len(sub.junctions) > 0 && g.one(3) {
		overrides.set(sub.junctions[0].file, t.junctions[0].file)
	}
	if len(sub.elements) > 0 && g.one(4) {
		// An element of ours in the place of one of theirs.
		g.project.Documents[t.elementPath("instead.bst")] = mapping("kind", "stack")
		overrides.set(pick(g.source, sub.elements...), "instead.bst")
	}
	if len(overrides.Keys) > 0 {
		config.set("overrides", overrides)
	}
	if g.one(5) {
		config.set("map-aliases", "identity")
	}
	if g.one(5) && len(sub.aliases) > 0 && len(t.aliases) > 0 {
		config.set("aliases", mapping(pick(g.source, sub.aliases...), pick(g.source, t.aliases...)))
	}
	local := mapping("kind", "local", "path", dir)
	g.provenance(local)
	e := mapping("kind", "junction", "sources", list(local))
	if len(config.Keys) > 0 {
		e.set("config", config)
	}
	g.project.Documents[t.elementPath(file)] = e
	t.junctions = append(t.junctions, junction{file, sub})
	if g.one(3) {
		link := fmt.Sprintf("l%d.bst", i)
		g.project.Documents[t.elementPath(link)] = mapping("kind", "link", "config", mapping("target", file))
		t.junctions = append(t.junctions, junction{link, sub})
	}
	if g.one(4) && len(sub.elements) > 0 {
		link := fmt.Sprintf("le%d.bst", i)
		g.project.Documents[t.elementPath(link)] = mapping("kind", "link", "config", mapping("target", file+":"+pick(g.source, sub.elements...)))
	}
	if g.one(6) {
		t.conf.set("junctions", mapping(pick(g.source, "internal", "duplicates"), list(file)))
		if t.conf.get("junctions").(*Map).Keys[0] == "duplicates" {
			t.conf.set("junctions", mapping("duplicates", mapping(sub.name, list(file))))
		}
	}
}

// provenance says of a source where it comes from, sometimes in words that the
// project does not know.
func (g *generator) provenance(s *Map) {
	if g.one(6) {
		s.set("provenance", mapping(pick(g.source, "homepage", "homepage", "issue-tracker", "issue-tracker", "originator"), g.text(nil)))
	}
}

// targets are some elements of the toplevel project.
func (g *generator) targets(t *tree) []string {
	last := t.elements[len(t.elements)-1]
	targets := []string{last}
	for _, e := range some(g.source, 2, t.elements...) {
		if e != last {
			targets = append(targets, e)
		}
	}
	return targets
}

// refs moves sources' refs to project.refs.
func (g *generator) refs(t *tree) {
	t.conf.set("ref-storage", "project.refs")
	elements := mapping()
	for _, e := range t.elements {
		if g.one(3) {
			elements.set(e, list(mapping("ref", strings.Repeat(fmt.Sprint(g.IntN(10)), 64))))
		}
	}
	g.project.Documents[t.path("project.refs")] = mapping("projects", mapping(t.name, elements))
}
