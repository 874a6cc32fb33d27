// Package docker is the source kind "docker": the files of an image of a
// container registry.
//
// It knows images' manifests and which files of their layers are left in the
// end. Talking to registries is package registry's.
package docker

import (
	"net/url"
	"runtime"
	"strings"

	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/stream"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{
		Kind: "docker",
		Plugins: kind.Plugins{
			Packages: []string{kind.Official, kind.Samples},
			// Copies that take images in the form of OCI, which this one does too:
			// Shards' and Nekko's.
			Files: []string{
				"fc93758791ce10cc54084af897009b71405f0deee23130daa84390be1421535e",
				"5023df124ee7e8f0f6edc662ce9b16fb0e6e6ae7039ffda83e403f81c4c59d63",
			},
		},
		New: func() kind.Source { return new(source) },
	}
}

// hub is what the format has where the source names no other: it is part
// of the key.
const hub = "https://registry.hub.docker.com"

type source struct {
	env kind.SourceEnv
	// url is registry and image in one, "" where they are apart.
	url, registry, image string
	// digest is "sha256:" and the ref, "" for none.
	digest  string
	version kind.Versioning
	// tag is what is tracked, "" for nothing; architecture and os choose between
	// the images that it may stand for.
	tag, architecture, os string
}

var keys = append([]string{"architecture", "registry-url", "image", "os", "ref", "track", "url", "version"},
	kind.CommonSourceKeys...)

func (s *source) Configure(config *node.Node, env kind.SourceEnv) (err error) {
	if err := config.ValidateKeys(keys...); err != nil {
		return err
	}
	s.env = env
	switch whole, image := config.Get("url") != nil, config.Get("image") != nil; {
	case whole && (image || config.Get("registry-url") != nil):
		return kind.SourceErrorf("docker", env, "", "May specify either 'url', or 'image' and 'registry-url'")
	case whole:
		s.url, err = config.GetStr("url", "")
		env.Translate(s.url)
	case image:
		if s.image, err = config.GetStr("image", ""); err == nil {
			s.registry, err = config.GetStr("registry-url", hub)
		}
		env.Translate(s.registry)
	default:
		return kind.SourceErrorf("docker", env, "", "Must define either 'url' or 'image'")
	}
	if err != nil {
		return err
	}
	for _, field := range []struct {
		key, def string
		into     *string
	}{{"track", "", &s.tag}, {"architecture", runtime.GOARCH, &s.architecture}, {"os", "linux", &s.os}} {
		if *field.into, err = config.GetStr(field.key, field.def); err != nil {
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
		var err error
		if at, image, err = s.split(s.env.Translate(s.url)); err != nil {
			return nil, err
		}
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

// split takes the URL of an image apart into the registry's and the image.
func (s *source) split(whole string) (registry, image string, err error) {
	u, err := url.Parse(whole)
	if err != nil {
		return "", "", kind.SourceErrorf("docker", s.env, "", "%s", err)
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host}).String(), u.Path, nil
}
