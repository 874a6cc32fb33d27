// Package docker is the source kind "docker": an image of a container registry.
// It knows the cache key alone.
package docker

import (
	"net/url"
	"strings"

	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/stream"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{
		Kind:    "docker",
		Plugins: kind.Plugins{Packages: []string{kind.Official}},
		New:     func() kind.Source { return new(source) },
	}
}

// registry is what the format has where the source names no other: it is part
// of the key.
const registry = "https://registry.hub.docker.com"

type source struct {
	kind.Unfetchable
	env kind.SourceEnv
	// url is registry and image in one, "" where they are apart.
	url, registry, image string
	// digest is "sha256:" and the ref, "" for none.
	digest  string
	version kind.Versioning
}

var keys = append([]string{"architecture", "registry-url", "image", "os", "ref", "track", "url", "version"},
	kind.CommonSourceKeys...)

func (s *source) Configure(config *node.Node, env kind.SourceEnv) (err error) {
	if err := config.ValidateKeys(keys...); err != nil {
		return err
	}
	s.Unfetchable, s.env = kind.NewUnfetchable("docker", env), env
	switch whole, image := config.Get("url") != nil, config.Get("image") != nil; {
	case whole && (image || config.Get("registry-url") != nil):
		return kind.SourceErrorf("docker", env, "", "May specify either 'url', or 'image' and 'registry-url'")
	case whole:
		s.url, err = config.GetStr("url", "")
		env.Translate(s.url)
	case image:
		if s.image, err = config.GetStr("image", ""); err == nil {
			s.registry, err = config.GetStr("registry-url", registry)
		}
		env.Translate(s.registry)
	default:
		return kind.SourceErrorf("docker", env, "", "Must define either 'url' or 'image'")
	}
	if err != nil {
		return err
	}
	for _, key := range []string{"track", "architecture", "os"} {
		if _, err := config.GetStr(key, ""); err != nil {
			return err
		}
	}
	if ref, err := config.GetStr("ref", ""); err != nil {
		return err
	} else if ref != "" {
		s.digest = "sha256:" + ref
	}
	return s.version.Configure(config)
}

func (s *source) Resolved() bool { return s.digest != "" }

func (s *source) UniqueKey() (any, error) {
	key := []any{s.url, s.digest}
	if s.url == "" {
		key = []any{s.registry, s.image, s.digest}
	}
	return s.version.AppendTo(key), nil
}

func (s *source) SourceInfo() ([]kind.SourceInfo, error) {
	at, image := s.env.Translate(s.registry), s.image
	if s.url != "" {
		whole, err := url.Parse(s.env.Translate(s.url))
		if err != nil {
			return nil, kind.SourceErrorf("docker", s.env, "", "%s", err)
		}
		image = whole.Path
		at = (&url.URL{Scheme: whole.Scheme, Host: whole.Host}).String()
	}
	info := kind.SourceInfo{
		URL: at, Medium: kind.MediumOCI, VersionType: kind.VersionOCIDigest, Version: s.digest,
		Extra: []stream.Pair{{Name: "image-name", Value: strings.TrimLeft(image, "/")}},
	}
	if s.version.Version != nil {
		info.Guess = *s.version.Version
	}
	return []kind.SourceInfo{info}, nil
}
