// Package anitya is the source kind "anitya", which KDE has in its project: a
// release of a program as an archive, whose URL is made of its version.
package anitya

import (
	"context"
	"strings"

	"bst/impl/kind"
	"bst/impl/kind/download"
	"bst/impl/kind/tar"
	"bst/impl/node"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{
		Kind: "anitya",
		Plugins: kind.Plugins{Files: []string{
			// KDE, oldest first; they differ in how tracking translates URLs.
			"4e315936423637cd60c33faad34d7d5465c99534fb099018688ea41a07672e62",
			"fee8be550df14502fedb7bf5fbae082a3c2490df90d8f5528636f2b0f85f0db7",
		}},
		New: func() kind.Source { return new(source) },
	}
}

type source struct {
	download.File
	env kind.SourceEnv
	// project is a number of release monitoring, template what URLs are made of.
	project           int
	template, version string
}

func (s *source) Configure(config *node.Node, env kind.SourceEnv) error {
	s.env = env
	if err := config.ValidateKeys(append([]string{"project-id", "url", "ref"}, kind.CommonSourceKeys...)...); err != nil {
		return err
	}
	if _, err := config.Need("project-id"); err != nil {
		return err
	}
	var err error
	if s.project, err = config.GetInt("project-id", 0); err != nil {
		return err
	}
	template, err := config.NeedStr("url")
	if err != nil {
		return err
	}
	s.template = template
	// Without a version there is the part before the first name alone.
	url, _, _ := strings.Cut(template, "{")
	file := node.NewMapping(config.Provenance())
	if at := config.Get("ref"); at != nil && !at.IsNone() {
		ref, err := config.GetMapping("ref")
		if err != nil {
			return err
		}
		if err := ref.ValidateKeys("version", "sha256sum"); err != nil {
			return err
		}
		version, err := ref.NeedStr("version")
		if err != nil {
			return err
		}
		sum, err := ref.NeedStr("sha256sum")
		if err != nil {
			return err
		}
		var ok bool
		if url, ok = render(template, version); !ok {
			return config.Get("url").Errorf("INVALID_DATA",
				"The version '%s' has no parts for all names in '%s'", version, template)
		}
		file.Set("ref", node.NewScalar(sum, config.Provenance()))
		file.Set("version", node.NewScalar(version, config.Provenance()))
		s.version = version
	}
	file.Set("url", node.NewScalar(url, config.Provenance()))
	return s.File.Configure("anitya", file, env)
}

// render puts a version into a template: {version}, and its parts {major},
// {minor} and {patch}. Doubled braces stand for single ones. It fails where a
// name has no value.
func render(template, version string) (string, bool) {
	values := map[string]string{}
	names := []string{"major", "minor", "patch"}
	for i, part := range strings.Split(version, ".") {
		if i < len(names) {
			values[names[i]] = part
		}
	}
	values["version"] = version
	var text strings.Builder
	for i := 0; i < len(template); i++ {
		c := template[i]
		switch {
		case (c == '{' || c == '}') && i+1 < len(template) && template[i+1] == c:
			text.WriteByte(c)
			i++
		case c == '{':
			end := strings.IndexByte(template[i:], '}')
			if end < 0 {
				return "", false
			}
			value, ok := values[template[i+1:i+end]]
			if !ok {
				return "", false
			}
			text.WriteString(value)
			i += end
		case c == '}':
			return "", false
		default:
			text.WriteByte(c)
		}
	}
	return text.String(), true
}

// UniqueKey is that of a downloaded file with a version.
func (s *source) UniqueKey() (any, error) { return s.Key(), nil }

func (s *source) Stage(ctx context.Context, w kind.SourceWork, dir string) error {
	file, err := s.Path(w)
	if err != nil {
		return err
	}
	return tar.Unpack(ctx, "anitya", s.env, w, file, "*", dir)
}
