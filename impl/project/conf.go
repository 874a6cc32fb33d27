package project

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"bst/impl/kind/projectpath"
	"bst/impl/newproject"
	"bst/impl/node"
	"bst/impl/stream"
	"bst/impl/workspace"
)

const confName = "project.conf"

// The version of the format that is understood here: projects may ask for it
// or for less.
const (
	formatMajor = newproject.Major
	formatMinor = newproject.Minor
)

// session is what all projects of one Open share.
type session struct {
	options Options
	// junctions fetches; it changes with LoadOptions.
	junctions  JunctionFetcher
	progress   func(int)
	workspaces *workspace.Set
	// projects and loaders are in the order in which they were loaded.
	projects []*Project
	loaders  []*loader
	// elements counts what has been loaded, junctions and links apart.
	elements int
	// loading says that Load is at work.
	loading bool
	// unavailable are the origins of plugins whose junctions could not be fetched.
	unavailable map[*PluginOrigin]error
	// unfetched says that something could not be fetched that may be there the
	// next time.
	unfetched bool
}

// Open finds project.conf upwards from Options.Directory, or a workspace that
// tells where it is, and loads as much of it as needs no other project; loading
// elements loads the rest.
//
// Errors are LOAD domain: MISSING_PROJECT_CONF, and what can be wrong with the
// file.
func Open(ctx context.Context, o Options) (*Project, error) {
	dir, opened, err := Find(o.Directory, o.Seen)
	if err != nil {
		return nil, err
	}
	s := &session{options: o, junctions: o.Junctions}
	o.Seen.File(workspace.File(dir))
	if s.workspaces, err = workspace.Read(dir); err != nil {
		return nil, err
	}
	p, err := s.open(ctx, dir, nil, nil, nil)
	if err == nil {
		p.workspaceElement = opened
	}
	return p, err
}

// open loads the project in dir: the toplevel, or one across a junction, asked
// for by parent at from.
func (s *session) open(ctx context.Context, dir string, j *Junction, parent *loader, from *node.Node) (*Project, error) {
	p := &Project{Dir: dir, session: s, junction: j}
	if j != nil {
		p.Junction, p.Parent = j.Element.FullName, j.Element.Project
		p.LoadedBy = from.Provenance()
	}
	s.projects = append(s.projects, p)
	base, err := defaults()
	if err != nil {
		return nil, err
	}
	p.Seen().File(filepath.Join(dir, confName))
	p.conf, err = node.Load(filepath.Join(dir, confName), p.shown(confName))
	if err != nil {
		if reasonOf(err) == "MISSING_FILE" {
			return nil, loadErrorf("MISSING_PROJECT_CONF", err.Error())
		}
		return nil, err
	}
	if err := p.conf.Composite(base); err != nil {
		return nil, err
	}
	if err := p.loadConstant(base); err != nil {
		return nil, err
	}
	p.loader = newLoader(p, parent, from)
	s.loaders = append(s.loaders, p.loader)
	p.includes = newIncludes(p.loader)
	if err := p.loadFirst(ctx); err != nil {
		return nil, err
	}
	return p, p.loadRefStorage(base)
}

// shown is how errors call a file of the project.
func (p *Project) shown(name string) string {
	if p.junction == nil {
		return name
	}
	return p.junction.Element.Name + ":" + name
}

var confKeys = []string{
	"min-version", "element-path", "variables", "environment", "environment-nocache", "split-rules",
	"elements", "plugins", "aliases", "name", "defaults", "artifacts", "options", "fail-on-overlap",
	"shell", "fatal-warnings", "ref-storage", "sandbox", "mirrors", "sources", "source-caches",
	"junctions", "source-provenance-attributes", "(@)", "(?)",
}

// constantKeys cannot be set by a conditional.
var constantKeys = []string{
	"min-version", "name", "element-path", "junctions", "defaults", "fatal-warnings", "ref-storage",
	"options", "plugins",
}

// loadConstant reads what neither includes nor options can change.
func (p *Project) loadConstant(n *node.Node) error {
	if err := p.loadMinVersion(n); err != nil {
		return err
	}
	if err := n.ValidateKeys(confKeys...); err != nil {
		return err
	}
	var err error
	if p.Name, err = p.conf.NeedStr("name"); err != nil {
		return err
	}
	if err := checkSymbol(p.Name, "project name", n.Get("name"), true); err != nil {
		return err
	}
	elements, _, err := p.resolve(n.Get("element-path"), projectpath.Directory)
	if err != nil {
		return err
	}
	p.ElementPath = filepath.Join(p.Dir, elements)
	p.first.options, p.second.options = newOptionPool(p.ElementPath, p.Seen()), newOptionPool(p.ElementPath, p.Seen())

	targets, err := n.GetMapping("defaults")
	if err != nil {
		return err
	}
	if err := targets.ValidateKeys("targets"); err != nil {
		return err
	}
	if p.defaultTargets, err = targets.GetStrs("targets"); err != nil {
		return err
	}
	if p.fatalWarnings, err = n.GetStrs("fatal-warnings"); err != nil {
		return err
	}
	return p.loadJunctions(n)
}

// loadMinVersion comes first: a project for another version is told so, and
// not what is unknown in its file.
func (p *Project) loadMinVersion(n *node.Node) error {
	at := n.Get("min-version")
	if at.IsNone() {
		err := n.Errorf("INVALID_DATA", "Dictionary did not contain expected key 'min-version'")
		err.Detail = "If you are trying to use a BuildStream 1 project, " +
			"please install BuildStream 1 to use this project."
		return err
	}
	text, err := n.GetStr("min-version", "")
	if err != nil {
		return err
	}
	p.MinVersion = text
	parts := strings.Split(text, ".")
	major, err := strconv.Atoi(parts[0])
	minor := 0
	if err == nil && len(parts) > 1 {
		minor, err = strconv.Atoi(parts[1])
	}
	if err != nil || len(parts) < 2 {
		err := at.Errorf("INVALID_DATA", "Malformed version string: %s\n", text)
		err.Detail = "The min-version must be specified as MAJOR.MINOR with " +
			"numeric major and minor minimum required version numbers"
		return err
	}
	mismatch := at.Errorf("UNSUPPORTED_PROJECT", "Version mismatch")
	switch {
	case major != formatMajor:
		mismatch.Detail = "Project requires BuildStream " + strconv.Itoa(major) + ", but BuildStream " +
			strconv.Itoa(formatMajor) + " is installed.\nPlease use BuildStream " + strconv.Itoa(major) +
			" with this project."
		return mismatch
	case minor > formatMinor:
		installed := strconv.Itoa(formatMajor) + "." + strconv.Itoa(formatMinor)
		mismatch.Detail = "Project requires at least BuildStream " + strconv.Itoa(major) + "." +
			strconv.Itoa(minor) + ", but BuildStream " + installed + " is installed.\nPlease upgrade BuildStream."
		return mismatch
	}
	return nil
}

const unaliasedURL = "unaliased-url"

func (p *Project) loadJunctions(n *node.Node) error {
	junctions, err := n.GetMapping("junctions")
	if err != nil {
		return err
	}
	if err := junctions.ValidateKeys("duplicates", "internal", "disallow-subproject-uris"); err != nil {
		return err
	}
	if p.Parent != nil && p.Parent.disallowSubprojectURIs {
		// It holds for all projects below, and none may have a URL of its own.
		p.disallowSubprojectURIs = true
		if !has(p.fatalWarnings, unaliasedURL) {
			p.fatalWarnings = append(p.fatalWarnings, unaliasedURL)
		}
	} else if p.disallowSubprojectURIs, err = junctions.GetBool("disallow-subproject-uris", false); err != nil {
		return err
	}
	if p.junctionDuplicates, err = junctions.GetMapping("duplicates"); err != nil {
		return err
	}
	for _, name := range p.junctionDuplicates.Keys() {
		if _, err := p.junctionDuplicates.GetStrs(name); err != nil {
			return err
		}
	}
	if _, err := junctions.GetStrs("internal"); err != nil {
		return err
	}
	p.junctionInternal, err = junctions.GetSequence("internal")
	return err
}

// loadFirst is the first pass: local includes only.
func (p *Project) loadFirst(ctx context.Context) error {
	n, err := p.composed(ctx, true)
	if err != nil {
		return err
	}
	if p.plugins, err = p.loadPlugins(n.config); err != nil {
		return err
	}
	return p.loadPass(n.config, &p.first, true)
}

// composition is project.conf with its includes.
type composition struct {
	// own is the project's; config has the defaults under it.
	own, config *node.Node
}

func (p *Project) composed(ctx context.Context, local bool) (composition, error) {
	c := composition{own: p.conf.Clone()}
	if err := p.includes.processConf(ctx, c.own, local); err != nil {
		return c, err
	}
	var err error
	if c.config, err = defaults(); err != nil {
		return c, err
	}
	return c, c.own.Composite(c.config)
}

// ensureFullyLoaded does the second pass: all includes. The parents' comes
// first. It may come back here while it runs, across included junctions.
func (p *Project) ensureFullyLoaded(ctx context.Context) error {
	if p.fullyLoaded {
		return nil
	}
	if p.Parent != nil {
		if err := p.Parent.ensureFullyLoaded(ctx); err != nil || p.fullyLoaded {
			return err
		}
	}
	p.fullyLoaded = true
	// Until the second pass is done, the first is what there is.
	p.second = p.first
	return p.loadSecond(ctx)
}

func (p *Project) loadSecond(ctx context.Context) error {
	c, err := p.composed(ctx, false)
	if err != nil {
		return err
	}
	second := pass{options: newOptionPool(p.ElementPath, p.Seen())}
	if err := p.loadPass(c.config, &second, false); err != nil {
		return err
	}
	p.second = second
	n := c.config
	if err := n.ValidateKeys(confKeys...); err != nil {
		return err
	}
	for _, key := range []string{"name", "element-path", "min-version", "plugins"} {
		if file := n.Get(key).Provenance().File; file != "" && file != p.shown(confName) && file != defaultsName {
			err := n.Get(key).Errorf("INVALID_DATA", "Unexpected key: %s", key)
			err.Detail = "The '" + key + "' configuration must be specified in project.conf"
			return err
		}
	}
	if err := p.loadBase(n); err != nil {
		return err
	}
	if err := p.loadFailOnOverlap(n); err != nil {
		return err
	}
	if p.RefStorage == RefsProjectRefs {
		if p.refs, err = p.loadRefs(projectRefs, p.second.options); err != nil {
			return err
		}
	}
	if err := p.loadShell(n); err != nil {
		return err
	}
	// A project's own attributes replace the default ones, also where it has none.
	if p.sourceProvenanceAttributes, err = c.own.GetMapping("source-provenance-attributes"); err != nil {
		return err
	}
	if c.own.Get("source-provenance-attributes").IsNone() {
		if p.sourceProvenanceAttributes, err = n.GetMapping("source-provenance-attributes"); err != nil {
			return err
		}
	}
	p.secondLoaded = true
	for _, check := range p.whenLoaded {
		if err := check(); err != nil {
			return err
		}
	}
	p.whenLoaded = nil
	return nil
}

// WhenLoaded runs check when the second pass over the project is done: now if
// it is, and then gives what check gives.
func (p *Project) WhenLoaded(check func() error) error {
	if p.secondLoaded {
		return check()
	}
	p.whenLoaded = append(p.whenLoaded, check)
	return nil
}

// loadBase reads what elements are composed with.
func (p *Project) loadBase(n *node.Node) error {
	for _, field := range []struct {
		key  string
		into *[]*node.Node
	}{{"artifacts", &p.artifacts}, {"source-caches", &p.sourceCaches}} {
		list, err := n.GetSequence(field.key)
		if err != nil {
			return err
		}
		for _, item := range list.Items() {
			if item.Kind() != node.Mapping {
				return item.Errorf("INVALID_DATA", "Value is not one of the following: dict.")
			}
		}
		*field.into = list.Items()
	}
	for _, field := range []struct {
		key  string
		into **node.Node
	}{{"environment", &p.environment}, {"sandbox", &p.sandbox}, {"split-rules", &p.splitRules}} {
		var err error
		if *field.into, err = n.GetMapping(field.key); err != nil {
			return err
		}
	}
	var err error
	p.environmentNoCache, err = n.GetStrs("environment-nocache")
	return err
}

func (p *Project) loadFailOnOverlap(n *node.Node) error {
	fail, err := n.GetBool("fail-on-overlap", false)
	if err != nil || n.Get("fail-on-overlap") == nil {
		return err
	}
	p.warn("Use of fail-on-overlap within project.conf "+
		"is deprecated. Consider using fatal-warnings instead.", "")
	if fail && !has(p.fatalWarnings, "overlaps") {
		p.fatalWarnings = append(p.fatalWarnings, "overlaps")
	}
	return nil
}

func (p *Project) warn(text, detail string) {
	if warn := p.session.options.Warn; warn != nil {
		warn(text, detail)
	}
}

func (p *Project) loadShell(n *node.Node) error {
	shell, err := n.GetMapping("shell")
	if err != nil {
		return err
	}
	if err := shell.ValidateKeys("command", "environment", "host-files"); err != nil {
		return err
	}
	if p.shell.Command, err = shell.GetStrs("command"); err != nil {
		return err
	}
	environment, err := shell.GetMapping("environment")
	if err != nil {
		return err
	}
	for _, name := range environment.Keys() {
		text, err := environment.GetStr(name, "")
		if err != nil {
			return err
		}
		p.shell.Environment = append(p.shell.Environment, stream.Pair{Name: name, Value: expandEnvironment(text)})
	}
	files, err := shell.GetSequence("host-files")
	if err != nil {
		return err
	}
	for _, item := range files.Items() {
		file, err := loadHostFile(item)
		if err != nil {
			return err
		}
		p.shell.HostFiles = append(p.shell.HostFiles, file)
	}
	return nil
}

func loadHostFile(n *node.Node) (HostFile, error) {
	switch n.Kind() {
	case node.Scalar:
		return HostFile{Path: n.Text(), HostPath: n.Text()}, nil
	case node.Sequence:
		return HostFile{}, n.Errorf("INVALID_DATA", "Value is not one of the following: dict, scalar.")
	}
	if err := n.ValidateKeys("path", "host_path", "optional"); err != nil {
		return HostFile{}, err
	}
	path, err := n.NeedStr("path")
	if err != nil {
		return HostFile{}, err
	}
	host, err := n.GetStr("host_path", path)
	if err != nil {
		return HostFile{}, err
	}
	optional, err := n.GetBool("optional", false)
	return HostFile{Path: path, HostPath: host, Optional: optional}, err
}

// expandEnvironment puts the values of $NAME and ${NAME} into text, of those
// that are set.
func expandEnvironment(text string) string {
	return os.Expand(text, func(name string) string {
		if value, ok := os.LookupEnv(name); ok {
			return value
		}
		return "${" + name + "}"
	})
}

// loadPass reads what the two passes both give. ignoreUnknown is the first
// pass': options may be declared across a junction.
func (p *Project) loadPass(n *node.Node, out *pass, ignoreUnknown bool) error {
	if err := p.loadOptions(n, out, ignoreUnknown); err != nil {
		return err
	}
	if err := out.options.process(n, constantKeys...); err != nil {
		return err
	}
	// Overrides are laid over kinds' defaults: directives may remain in them.
	var err error
	if out.elementOverrides, err = n.GetMapping("elements"); err != nil {
		return err
	}
	if out.sourceOverrides, err = n.GetMapping("sources"); err != nil {
		return err
	}
	n.Delete("elements")
	n.Delete("sources")
	if err := n.AssertFullyComposited(); err != nil {
		return err
	}
	if out.variables, err = n.GetMapping("variables"); err != nil {
		return err
	}
	setText(out.variables, "project-name", p.Name)
	setText(out.variables, "max-jobs", strconv.Itoa(p.maxJobs()))
	out.options.export(out.variables)
	return p.loadURLs(n, out)
}

// loadOptions declares the options and gives them their values: those of the
// junction, the user configuration and the command line, each over the ones
// before.
func (p *Project) loadOptions(n *node.Node, out *pass, ignoreUnknown bool) error {
	declared, err := n.GetMapping("options")
	if err != nil {
		return err
	}
	if err := out.options.declare(declared); err != nil {
		return err
	}
	if p.junction != nil {
		if err := out.options.loadValues(p.junction.options); err != nil {
			return err
		}
	}
	settings := p.session.options.Projects[p.Name]
	if err := out.options.loadSettings(settings.Options, settings.OptionLists); err != nil {
		return err
	}
	if p.junction == nil {
		err := out.options.setValues(p.session.options.Options, ignoreUnknown)
		if err != nil {
			return err
		}
	}
	return out.options.resolve()
}

// loadURLs reads aliases and mirrors, which alone may name the directories of
// projects.
func (p *Project) loadURLs(n *node.Node, out *pass) error {
	root, top := p.realPath(p.Dir), p.realPath(p.Toplevel().Dir)
	vars := out.variables.Clone()
	setText(vars, "project-root", root)
	setText(vars, "toplevel-root", top)
	setText(vars, "project-root-uri", fileURL(root))
	setText(vars, "toplevel-root-uri", fileURL(top))
	set, err := resolve(vars, "")
	if err != nil {
		return err
	}
	settings := p.session.options.Projects[p.Name]
	out.defaultMirror = settings.DefaultMirror
	if p.junction == nil && p.session.options.DefaultMirror != "" {
		out.defaultMirror = p.session.options.DefaultMirror
	}
	from := n
	if settings.Mirrors != "" {
		if from, err = node.Parse([]byte(settings.Mirrors), "user configuration of the project '"+p.Name+"'"); err != nil {
			return err
		}
		out.ownMirrors = true
	}
	mirrors, err := from.GetSequence("mirrors")
	if err != nil {
		return err
	}
	if err := set.Expand(mirrors); err != nil {
		return err
	}
	if out.mirrors, err = loadMirrors(mirrors); err != nil {
		return err
	}
	if out.defaultMirror == "" && len(out.mirrors) > 0 {
		out.defaultMirror = out.mirrors[0].Name
	}
	if out.aliases, err = n.GetMapping("aliases"); err != nil {
		return err
	}
	for _, alias := range out.aliases.Keys() {
		if _, err := out.aliases.GetStr(alias, ""); err != nil {
			return err
		}
	}
	return set.Expand(out.aliases)
}

func (p *Project) realPath(dir string) string {
	p.Seen().Real(dir)
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		return real
	}
	return dir
}

func fileURL(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a drive of Windows
	}
	return "file://" + (&url.URL{Path: path}).EscapedPath()
}

// maxJobs is the value of the variable max-jobs.
func (p *Project) maxJobs() int {
	if jobs := p.session.options.MaxJobs; jobs > 0 {
		return jobs
	}
	return min(runtime.NumCPU(), 8)
}

func (p *Project) loadRefStorage(n *node.Node) error {
	var err error
	if p.RefStorage, err = n.GetStr("ref-storage", RefsInline); err != nil {
		return err
	}
	switch p.RefStorage {
	case RefsInline:
		return nil
	case RefsProjectRefs:
		p.junctionRefs, err = p.loadRefs(junctionRefs, p.first.options)
		return err
	}
	return n.Get("ref-storage").Errorf("INVALID_DATA", "Invalid value '%s' specified for ref-storage", p.RefStorage)
}
