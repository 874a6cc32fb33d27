// Package collectmanifest is the element kind "collect_manifest": a JSON file
// that says, of all that it is built from, what product it is and where its
// sources come from. Tools that look for known weaknesses read it. It is laid out
// as flatpak-builder's manifests are, or as an SPDX 2.3 document.
//
// It knows what elements and sources report of themselves, and looks at no file
// of theirs.
package collectmanifest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"bst/impl/cas"
	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/stream"
)

// Traits are what the kind is.
func Traits() kind.Traits {
	return kind.Traits{
		Kind:              "collect_manifest",
		ArtifactVersion:   2,
		StrictRebuild:     true,
		ForbidRuntimeDeps: true,
		ForbidSources:     true,
		Plugins:           kind.Plugins{Packages: []string{kind.Community}},
		Variant:           variant,
		New:               func() kind.Element { return new(element) },
	}
}

// variant knows of the releases before sources reported where they come from.
func variant(file string) kind.Traits {
	traits := Traits()
	if strings.Contains(file, "def get_unique_key") && !strings.Contains(file, "use-source-provenance") {
		spdx := strings.Contains(file, "output-type")
		traits.New = func() kind.Element { return &element{old: true, plainOnly: !spdx} }
	}
	return traits
}

type element struct {
	// old says that keys do not tell of provenance.
	old bool
	// plainOnly says that there is no output but the plain manifest.
	plainOnly bool
	// path is where the manifest is put; nil leaves it in public data alone.
	path *string
	// spdx are the settings of an SPDX document; nil for a plain manifest.
	spdx *document
	// provenance says that the manifest has what sources report of themselves.
	provenance bool
	direct     []kind.Handle
}

// Configure reads the configuration. Keys that mean nothing here are no errors
// of this kind.
func (e *element) Configure(config *node.Node, _ kind.Env) error {
	var err error
	if e.path, err = optional(config, "path"); err != nil || e.plainOnly {
		return err
	}
	output, err := config.GetStr("output-type", "manifest")
	if err != nil {
		return err
	}
	if output != "manifest" && output != "spdx" {
		return config.Get("output-type").Errorf("INVALID_DATA", "Value of 'output-type' should be one of 'manifest, spdx'")
	}
	info, err := config.GetMapping("spdx-info")
	if err != nil {
		return err
	}
	spdx, err := readSPDX(info)
	if err != nil {
		return err
	}
	if output == "spdx" {
		e.spdx = spdx
	}
	if e.old {
		return nil
	}
	e.provenance, err = config.GetBool("use-source-provenance", true)
	return err
}

// optional is a string that may be absent.
func optional(n *node.Node, key string) (*string, error) {
	at := n.Get(key)
	if at == nil || at.IsNone() {
		return nil, nil
	}
	text, err := at.Str()
	return &text, err
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
	key := map[string]any{"path": nil}
	if e.path != nil {
		key["path"] = *e.path
	}
	if e.spdx != nil {
		key["output_type"] = "spdx"
		key["spdx_info"] = e.spdx.key()
	}
	if e.provenance {
		key["source_provenance"] = true
	}
	return key
}

// note begins every manifest.
const note = "This is a generated manifest from buildstream files and not usable by flatpak-builder"

func (e *element) Assemble(ctx context.Context, a kind.Assembly) (string, error) {
	found, err := e.collect(a)
	if err != nil {
		return "", err
	}
	manifest := kind.Texts("//NOTE", note)
	modules := node.NewSequence(nil, stream.Provenance{})
	infos := node.NewSequence(nil, stream.Provenance{})
	for _, m := range found {
		modules.Append(m.plain)
		if m.infos == nil {
			infos.Append(node.NewNone(stream.Provenance{}))
		} else {
			infos.Append(m.infos)
		}
	}
	manifest.Set("modules", modules)
	public := a.Public()
	public.Set("cpe-manifest", manifest)
	if e.provenance {
		reported := kind.Texts()
		reported.Set("element-infos", infos)
		public.Set("source-info-manifest", reported)
	}
	a.SetPublic(public)
	if e.path == nil || *e.path == "" {
		return "/", nil
	}
	var output any = manifest
	if e.spdx != nil {
		if output, err = e.spdx.output(a, found); err != nil {
			return "", err
		}
	}
	at, err := free(ctx, a, *e.path)
	if err != nil {
		return "", err
	}
	return "/", kind.PutFile(ctx, a, at, pythonJSON(output), false)
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
	// One digit counts, whatever stands before it: 9 is followed by 10.
	if last := at[len(at)-1]; '0' <= last && last <= '9' {
		return at[:len(at)-1] + strconv.Itoa(int(last-'0')+1), nil
	}
	return at + "-1", nil
}

// module is what is known of one element.
type module struct {
	// plain is its part of the plain manifest.
	plain *node.Node
	// infos are what its sources report, with its name and its project's; nil
	// where that is not known.
	infos *node.Node
}

// collect describes everything that the direct dependencies need, what is
// needed first.
func (e *element) collect(a kind.Assembly) ([]module, error) {
	var found []module
	err := walk(e.direct, func(h kind.Described) error {
		public, err := a.PublicOf(h)
		if err != nil {
			return err
		}
		// A manifest that was made before stands for its element.
		if made := public.Get("cpe-manifest"); made.Len() > 0 {
			imported, err := e.imported(a, h, made, public.Get("source-info-manifest"))
			found = append(found, imported...)
			return err
		}
		cpe, err := describe(a, h, public)
		if err != nil {
			return err
		}
		m := module{plain: kind.Texts("name", h.Name())}
		m.plain.Set("x-cpe", cpe)
		if e.provenance {
			infos := collectInfos(a, h)
			m.plain.Set("sources", locations(a, infos))
			reported := node.NewSequence(nil, stream.Provenance{})
			for _, info := range infos {
				reported.Append(info.Node())
			}
			m.infos = kind.Texts("name", h.NormalName(), "project-name", h.ProjectName())
			m.infos.Set("source-infos", reported)
		} else {
			m.plain.Set("sources", exported(h))
		}
		found = append(found, m)
		return nil
	})
	return found, err
}

// imported takes the modules of a manifest that a dependency made.
func (e *element) imported(a kind.Assembly, h kind.Described, made, reported *node.Node) ([]module, error) {
	modules := made.Get("modules").Items()
	var infos []*node.Node
	switch {
	case e.provenance && reported.Len() > 0:
		if infos = reported.Get("element-infos").Items(); len(infos) != len(modules) {
			return nil, failure("%s: the public data of %s has %d modules in 'cpe-manifest', and %d elements in 'source-info-manifest': it is broken. Build that element again.",
				a.Name(), h.Name(), len(modules), len(infos))
		}
	case e.provenance:
		warn(a, "legacy-manifest", fmt.Sprintf("Dependency \"%s\" from project \"%s\" doesn't use the source provenance API", h.Name(), h.ProjectName()))
	}
	found := make([]module, len(modules))
	for i, m := range modules {
		found[i].plain = m.Clone()
		if infos != nil && infos[i].Kind() == node.Mapping {
			found[i].infos = infos[i].Clone()
		}
	}
	return found, nil
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

// warn logs a warning by its name.
func warn(a kind.Assembly, token, text string) {
	a.Message(stream.TypeWarning, "[collect_manifest:"+token+"]: "+text, "")
}

func failure(format string, args ...any) error {
	return &stream.Error{Domain: stream.DomainElement, Message: fmt.Sprintf(format, args...)}
}
