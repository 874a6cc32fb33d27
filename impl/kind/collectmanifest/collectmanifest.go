// Package collectmanifest is the element kind "collect_manifest": a JSON file
// that says, of all that it is built from, what product it is and where its
// sources come from. Tools that look for known weaknesses read it.
package collectmanifest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"

	"bst/impl/cas"
	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/stream"
)

// Traits are what the kind is.
func Traits() kind.Traits {
	return kind.Traits{
		Kind:            "collect_manifest",
		ArtifactVersion: 2,
		StrictRebuild:   true,
		Plugins:         kind.Plugins{Packages: []string{kind.Community}},
		New:             func() kind.Element { return new(element) },
	}
}

type element struct {
	// path is where the manifest is put; nil leaves it in public data alone.
	path   *string
	direct []kind.Handle
}

func (e *element) Configure(config *node.Node, _ kind.Env) error {
	if err := config.ValidateKeys("path"); err != nil {
		return err
	}
	if at := config.Get("path"); at != nil {
		text, err := at.Str()
		if err != nil {
			return err
		}
		e.path = &text
	}
	return nil
}

func (e *element) ConfigureDependencies(deps []kind.Dependency) error {
	seen := map[kind.Handle]bool{}
	for _, dep := range deps {
		if !seen[dep.Element] {
			seen[dep.Element] = true
			e.direct = append(e.direct, dep.Element)
		}
	}
	return nil
}

func (e *element) UniqueKey() any {
	key := map[string]any{"path": nil, "source_provenance": true}
	if e.path != nil {
		key["path"] = *e.path
	}
	return key
}

// note begins every manifest.
const note = "This is a generated manifest from buildstream files and not usable by flatpak-builder"

// module is what the manifest says of an element.
type module struct {
	Name    string            `json:"name"`
	CPE     map[string]string `json:"x-cpe"`
	Sources []map[string]any  `json:"sources"`
}

func (e *element) Assemble(ctx context.Context, a kind.Assembly) (string, error) {
	modules, err := e.modules(a)
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err = encoder.Encode(struct {
		Note    string `json:"//NOTE"`
		Modules []any  `json:"modules"`
	}{note, modules})
	if err != nil {
		return "", err
	}
	// YAML reads JSON: so what is published is what is written.
	manifest, err := node.Parse(text.Bytes(), a.Name()+" (manifest)")
	if err != nil {
		return "", err
	}
	public := a.Public()
	public.Set("cpe-manifest", manifest)
	a.SetPublic(public)
	if e.path == nil {
		return "/", nil
	}
	at, err := free(ctx, a, *e.path)
	if err != nil {
		return "", err
	}
	return "/", kind.PutFile(ctx, a, at, bytes.TrimRight(text.Bytes(), "\n"), false)
}

// free is the path, or one like it where something is there already.
func free(ctx context.Context, a kind.Assembly, at string) (string, error) {
	root, err := a.Root(ctx)
	if err != nil {
		return "", err
	}
	if _, err := root.Lookup(strings.Trim(at, "/")); cas.IsNotFound(err) {
		return at, nil
	} else if err != nil {
		return "", err
	}
	if last := at[len(at)-1]; '0' <= last && last < '9' {
		return at[:len(at)-1] + string(last+1), nil
	}
	return at + "-1", nil
}

// modules describes everything that the direct dependencies need, what is
// needed first.
func (e *element) modules(a kind.Assembly) ([]any, error) {
	modules := []any{}
	err := walk(e.direct, func(h kind.Described) error {
		public, err := a.PublicOf(h)
		if err != nil {
			return err
		}
		// A manifest that was made before stands for its element.
		if made := public.Get("cpe-manifest"); made.Len() > 0 {
			for _, m := range made.Get("modules").Items() {
				modules = append(modules, m.Plain())
			}
			return nil
		}
		cpe, err := describe(a, h, public)
		if err != nil {
			return err
		}
		modules = append(modules, module{Name: h.Name(), CPE: cpe, Sources: locations(h)})
		return nil
	})
	return modules, err
}

// walk visits elements with what they need at run time, each once, before what
// needs it. Depth does not recurse: graphs may be deep.
func walk(tops []kind.Handle, f func(kind.Described) error) error {
	type visit struct {
		at   kind.Described
		todo []kind.Handle
	}
	seen := map[kind.Handle]bool{}
	var stack []visit
	enter := func(h kind.Handle) error {
		if seen[h] {
			return nil
		}
		seen[h] = true
		described, ok := h.(kind.Described)
		if !ok {
			return errors.New("collect_manifest: the engine does not tell what elements are made of")
		}
		stack = append(stack, visit{described, described.Runtime()})
		return nil
	}
	for _, top := range tops {
		if err := enter(top); err != nil {
			return err
		}
		for len(stack) > 0 {
			v := &stack[len(stack)-1]
			if len(v.todo) > 0 {
				next := v.todo[0]
				v.todo = v.todo[1:]
				if err := enter(next); err != nil {
					return err
				}
				continue
			}
			stack = stack[:len(stack)-1]
			if err := f(v.at); err != nil {
				return err
			}
		}
	}
	return nil
}

// describe gives the product and version of an element: as its public data
// says, and guessed where that is silent.
func describe(a kind.Assembly, h kind.Described, public *node.Node) (map[string]string, error) {
	declared, err := public.GetMapping("cpe")
	if err != nil {
		return nil, err
	}
	cpe := map[string]string{}
	for _, key := range declared.Keys() {
		if cpe[key], err = declared.GetStr(key, ""); err != nil {
			return nil, err
		}
	}
	if _, ok := cpe["product"]; !ok {
		cpe["product"] = strings.TrimSuffix(path.Base(h.Name()), path.Ext(h.Name()))
	}
	pattern, matched := cpe["version-match"]
	delete(cpe, "version-match")
	if _, ok := cpe["version"]; ok {
		return cpe, nil
	}
	version, err := guess(h, pattern)
	switch {
	case err != nil:
		return nil, &stream.Error{
			Domain:  stream.DomainElement,
			Message: fmt.Sprintf("%s: the version-match of %s cannot be used: %s", a.Name(), h.Name(), err),
		}
	case version != "":
		cpe["version"] = version
	case matched:
		return nil, &stream.Error{
			Domain: stream.DomainElement,
			Message: fmt.Sprintf("%s: %s: version match string \"%s\" did not match anything.",
				a.Name(), h.Name(), pattern),
		}
	default:
		a.Message(stream.TypeStatus, "Missing version to "+h.Name()+".", "")
	}
	return cpe, nil
}

var usual = regexp.MustCompile(`\d+\.\d+(?:\.\d+)?`)

// guess looks for a version in the names of files and in what sources guess of
// themselves. The groups of the pattern are the version's parts.
func guess(h kind.Described, pattern string) (string, error) {
	match := usual
	if pattern != "" {
		var err error
		if match, err = regexp.Compile(pattern); err != nil {
			return "", err
		}
	}
	for _, s := range h.Sources() {
		infos, _ := s.Info()
		for _, info := range infos {
			texts := []string{info.Guess}
			if info.Medium == kind.MediumRemote {
				texts = []string{path.Base(info.URL), info.Guess}
			}
			for _, text := range texts {
				if groups := match.FindStringSubmatch(text); len(groups) > 1 {
					return strings.Join(groups[1:], "."), nil
				} else if groups != nil {
					return groups[0], nil
				}
			}
		}
	}
	return "", nil
}

// locations say where the sources of an element come from, in the words of
// flatpak-builder, with what the project says of them.
func locations(h kind.Described) []map[string]any {
	found := []map[string]any{}
	for _, s := range h.Sources() {
		infos, _ := s.Info()
		for _, info := range infos {
			at := map[string]any{}
			switch {
			case info.Medium == kind.MediumGit:
				at["type"], at["url"], at["commit"] = "git", info.URL, info.Version
			case info.Medium == kind.MediumRemote:
				at["type"], at["url"], at["sha256"] = "archive", info.URL, info.Version
			case s.Kind() == "patch":
				at["type"], at["path"] = "patch", path.Base(info.URL)
			default:
				continue
			}
			if s.Kind() != at["type"] {
				at["x-bst-kind"] = s.Kind()
			}
			for _, key := range info.Provenance.Keys() {
				at["x-"+key] = info.Provenance.Get(key).Text()
			}
			found = append(found, at)
		}
	}
	return found
}
