package project

import (
	"fmt"
	"strings"

	"bst/impl/node"
	"bst/impl/stream"
)

// Aliases stand for the beginnings of URLs: "alias:rest". A junction may hand
// a subproject's aliases to those of the project that it is in.

// TranslateURL replaces the alias of a URL by what it stands for. A URL
// without an alias of the project comes back as it is. first asks for what
// junctions see. The error is SOURCE/missing-alias-mapping.
func (p *Project) TranslateURL(url string, first bool) (string, error) {
	alias, rest, ok := strings.Cut(url, ":")
	if !ok {
		return url, nil
	}
	base := p.alias(alias, first)
	if base == "" {
		return url, nil
	}
	if p.junction != nil {
		if parent := p.junction.parentAlias(alias); parent != "" {
			return p.Parent.TranslateURL(parent+":"+rest, first)
		}
		if p.Parent.disallowSubprojectURIs {
			return "", missingAlias(alias)
		}
	}
	return base + rest, nil
}

// AliasURLs are what to try in the place of an alias, in order: the default
// mirror's, the other mirrors', the alias' own. Nil for no alias of the
// project.
func (p *Project) AliasURLs(alias string, first bool) []string {
	own := p.alias(alias, first)
	if own == "" {
		return nil
	}
	if p.junction != nil {
		if parent := p.junction.parentAlias(alias); parent != "" {
			return p.Parent.AliasURLs(parent, first)
		}
		if p.Parent.disallowSubprojectURIs {
			return nil
		}
	}
	pass := p.pass(first)
	var preferred, others []string
	for _, mirror := range pass.mirrors {
		if mirror.Name == pass.defaultMirror {
			preferred = append(append([]string(nil), mirror.Aliases[alias]...), preferred...)
		} else {
			others = append(others, mirror.Aliases[alias]...)
		}
	}
	return append(append(preferred, others...), own)
}

// CheckAlias says whether source, which uses an alias, may: where the alias
// stands for one of the including project, that one counts. Errors are
// SOURCE/invalid-source-alias and SOURCE/missing-alias-mapping.
func (p *Project) CheckAlias(alias, source string, first bool) (bool, error) {
	if p.junction == nil {
		return p.HasAlias(alias, first), nil
	}
	parent := p.junction.parentAlias(alias)
	if parent == "" {
		if p.Parent.disallowSubprojectURIs {
			err := missingAlias(alias)
			err.Message = source + ": " + err.Message
			return false, err
		}
		return p.HasAlias(alias, first), nil
	}
	ok, err := p.Parent.CheckAlias(parent, source, first)
	if err != nil || ok {
		return ok, err
	}
	junction := p.junction.Element
	return false, &stream.Error{Domain: stream.DomainSource, Reason: "invalid-source-alias",
		Message: fmt.Sprintf("junction element at %s: Mapped alias '%s' for subproject alias '%s' is invalid in the parent project",
			junction.Provenance(), parent, alias)}
}

// HasAlias says whether alias is one of the project's: only then is "alias:rest"
// a URL with an alias.
func (p *Project) HasAlias(alias string, first bool) bool { return p.alias(alias, first) != "" }

// Mirrors are the source mirrors in order, the first pass' for junctions.
func (p *Project) Mirrors(first bool) []Mirror { return p.pass(first).mirrors }

func (p *Project) alias(alias string, first bool) string {
	return p.pass(first).aliases.Get(alias).Text()
}

// parentAlias is the alias of the including project that stands for one of the
// subproject, "" for none.
func (j *Junction) parentAlias(alias string) string {
	if parent := j.aliases.Get(alias); parent != nil {
		return parent.Text()
	}
	if j.mapAliases {
		return alias
	}
	return ""
}

func missingAlias(alias string) *stream.Error {
	return &stream.Error{Domain: stream.DomainSource, Reason: "missing-alias-mapping",
		Message: "Parent project did not provide a mapping for alias '" + alias +
			"' and disallowed usage of unmapped aliases"}
}

// loadMirrors reads the list of source mirrors.
func loadMirrors(list *node.Node) ([]Mirror, error) {
	mirrors := make([]Mirror, 0, list.Len())
	for _, n := range list.Items() {
		if n.Kind() != node.Mapping {
			return nil, n.Errorf("INVALID_DATA", "Value of 'mirrors' is not of the expected type 'MappingNode'")
		}
		m := Mirror{Config: n, Aliases: map[string][]string{}}
		var err error
		if m.Kind, err = n.GetStr("kind", "default"); err != nil {
			return nil, err
		}
		switch m.Kind {
		case "default":
			err = m.loadDefault(n)
		case "simple_mirror":
			err = m.loadSimple(n)
		default:
			// Others are recorded, and not fetched from.
			err = n.ValidateKeys("name", "kind", "config")
		}
		if err != nil {
			return nil, err
		}
		if m.Name, err = n.NeedStr("name"); err != nil {
			return nil, err
		}
		mirrors = append(mirrors, m)
	}
	return mirrors, nil
}

func (m *Mirror) loadDefault(n *node.Node) error {
	if err := n.ValidateKeys("name", "kind", "aliases"); err != nil {
		return err
	}
	if _, err := n.Need("aliases"); err != nil {
		return err
	}
	aliases, err := n.GetMapping("aliases")
	if err != nil {
		return err
	}
	for _, alias := range aliases.Keys() {
		if m.Aliases[alias], err = aliases.GetStrs(alias); err != nil {
			return err
		}
	}
	return nil
}

// loadSimple reads a mirror whose URLs differ by the alias alone.
func (m *Mirror) loadSimple(n *node.Node) error {
	if err := n.ValidateKeys("name", "kind", "config"); err != nil {
		return err
	}
	if _, err := n.Need("config"); err != nil {
		return err
	}
	config, err := n.GetMapping("config")
	if err != nil {
		return err
	}
	if err := config.ValidateKeys("url", "aliases"); err != nil {
		return err
	}
	url, err := config.NeedStr("url")
	if err != nil {
		return err
	}
	if _, err := config.Need("aliases"); err != nil {
		return err
	}
	aliases, err := config.GetStrs("aliases")
	if err != nil {
		return err
	}
	for _, alias := range aliases {
		base := strings.ReplaceAll(url, "{alias}", alias)
		if !strings.HasSuffix(base, "/") {
			base += "/"
		}
		m.Aliases[alias] = []string{base}
	}
	return nil
}
