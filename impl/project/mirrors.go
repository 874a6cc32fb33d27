package project

import (
	"net/url"
	"slices"
	"strings"

	"bst/impl/node"
)

// Mirror is one source mirror: other places to fetch from in an alias' stead.
type Mirror struct {
	Name, Kind string
	// prefixes are what may stand for each alias at the beginning of a URL.
	prefixes map[string][]string
	// gitlab is nil for all kinds but gitlab_lfs_mirror.
	gitlab *gitlab
}

// urls are the mirror's URLs for "alias:rest".
func (m *Mirror) urls(alias, rest string) []string {
	if m.gitlab != nil && slices.Contains(m.gitlab.aliases, alias) {
		return []string{m.gitlab.url(alias, rest)}
	}
	urls := make([]string, len(m.prefixes[alias]))
	for i, prefix := range m.prefixes[alias] {
		urls[i] = prefix + rest
	}
	return urls
}

// loadMirrors reads the list of source mirrors.
func loadMirrors(list *node.Node) ([]Mirror, error) {
	mirrors := make([]Mirror, 0, list.Len())
	seen := map[string]int{}
	for _, n := range list.Items() {
		if n.Kind() != node.Mapping {
			return nil, n.Errorf("INVALID_DATA", "Value of 'mirrors' is not of the expected type 'MappingNode'")
		}
		m := Mirror{prefixes: map[string][]string{}}
		var err error
		if m.Kind, err = n.GetStr("kind", "default"); err != nil {
			return nil, err
		}
		switch m.Kind {
		case "default":
			err = m.loadDefault(n)
		case "simple_mirror":
			err = m.loadSimple(n)
		case "gitlab_lfs_mirror":
			err = m.loadGitLab(n)
		default:
			// Others are known by name, and not fetched from.
			err = n.ValidateKeys("name", "kind", "config")
		}
		if err != nil {
			return nil, err
		}
		if m.Name, err = n.NeedStr("name"); err != nil {
			return nil, err
		}
		if at, twice := seen[m.Name]; twice {
			mirrors[at] = m
			continue
		}
		seen[m.Name] = len(mirrors)
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
		if m.prefixes[alias], err = aliases.GetStrs(alias); err != nil {
			return err
		}
	}
	return nil
}

// mirrorConfig is the "config" of a mirror that is no default one, with the
// aliases that it is for.
func mirrorConfig(n *node.Node, keys ...string) (config *node.Node, aliases []string, err error) {
	if err := n.ValidateKeys("name", "kind", "config"); err != nil {
		return nil, nil, err
	}
	if _, err := n.Need("config"); err != nil {
		return nil, nil, err
	}
	if config, err = n.GetMapping("config"); err != nil {
		return nil, nil, err
	}
	if err := config.ValidateKeys(append(keys, "aliases")...); err != nil {
		return nil, nil, err
	}
	if _, err := config.Need("aliases"); err != nil {
		return nil, nil, err
	}
	aliases, err = config.GetStrs("aliases")
	return config, aliases, err
}

// loadSimple reads a mirror whose URLs differ by the alias alone.
func (m *Mirror) loadSimple(n *node.Node) error {
	config, aliases, err := mirrorConfig(n, "url")
	if err != nil {
		return err
	}
	url, err := config.NeedStr("url")
	if err != nil {
		return err
	}
	for _, alias := range aliases {
		base := strings.ReplaceAll(url, "{alias}", alias)
		if !strings.HasSuffix(base, "/") {
			base += "/"
		}
		m.prefixes[alias] = []string{base}
	}
	return nil
}

// gitlab is a GitLab project that keeps files, in git-lfs, under the names of
// the URLs that they come from.
type gitlab struct {
	server, project, ref string
	aliases              []string
}

func (m *Mirror) loadGitLab(n *node.Node) error {
	config, aliases, err := mirrorConfig(n, "url", "project", "ref")
	if err != nil {
		return err
	}
	g := &gitlab{aliases: aliases}
	if g.server, err = config.NeedStr("url"); err != nil {
		return err
	}
	if g.project, err = config.NeedStr("project"); err != nil {
		return err
	}
	g.ref, err = config.GetStr("ref", "master")
	m.gitlab = g
	return err
}

// url is GitLab's for the raw content of a file.
func (g *gitlab) url(alias, rest string) string {
	project := strings.ReplaceAll(g.project, "{alias}", alias)
	return strings.TrimSuffix(g.server, "/") + "/api/v4/projects/" + url.PathEscape(project) +
		"/repository/files/" + strings.ReplaceAll(url.QueryEscape(rest), "+", "%20") + "/raw?ref=" + g.ref + "&lfs=true"
}
