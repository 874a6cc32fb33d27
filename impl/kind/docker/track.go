package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"bst/impl/kind"
	"bst/impl/kind/docker/registry"
	"bst/impl/node"
)

// index is what is read of a list of images for several platforms.
type index struct {
	MediaType string `json:"mediaType"`
	Manifests []struct {
		Digest   registry.Digest `json:"digest"`
		Platform *struct {
			Architecture string `json:"architecture"`
			OS           string `json:"os"`
		} `json:"platform"`
	} `json:"manifests"`
}

// Ref is the digest of the image's manifest, without "sha256:".
func (s *source) Ref() *node.Node { return kind.TextRef(strings.TrimPrefix(s.digest, "sha256:")) }

// Track finds the image that a tag stands for, on the source's platform.
func (s *source) Track(ctx context.Context, w kind.SourceWork, _ string) (*node.Node, error) {
	if s.tag == "" {
		return nil, nil
	}
	at := s.url
	if at == "" {
		at = s.registry
	}
	var ref *node.Node
	err := kind.TrackFrom(ctx, "docker", s.env, at, func(url string) error {
		return w.Activity("Tracking image "+s.image+":"+s.tag+" at "+url, func() error {
			found, err := s.newest(ctx, url)
			if err != nil && ctx.Err() == nil {
				e := kind.SourceErrorf("docker", s.env, "", "Failed to track the image at %s: %s", url, err)
				e.Temporary, e.Cause = mayPass(err), err.Error()
				return e
			}
			ref = kind.TextRef(strings.TrimPrefix(found, "sha256:"))
			return err
		})
	})
	return ref, err
}

func (s *source) newest(ctx context.Context, at string) (string, error) {
	image := s.image
	if s.url != "" {
		var err error
		if at, image, err = s.split(at); err != nil {
			return "", err
		}
	}
	repository, err := registry.New(client(), at, image)
	if err != nil {
		return "", err
	}
	text, err := repository.Manifest(ctx, s.tag, manifestForms...)
	if notFound(err) {
		err = fmt.Errorf("the registry has no tag '%s': %w", s.tag, err)
	}
	if err != nil {
		return "", err
	}
	var list index
	if err := json.Unmarshal(text, &list); err != nil {
		return "", fmt.Errorf("the manifest is not valid: %w", err)
	}
	if list.MediaType != dockerList && list.MediaType != ociIndex && len(list.Manifests) == 0 {
		return string(registry.DigestOf(text)), nil
	}
	var there []string
	for _, m := range list.Manifests {
		if m.Platform == nil {
			continue
		}
		if m.Platform.Architecture == s.architecture && m.Platform.OS == s.os {
			if !strings.HasPrefix(string(m.Digest), "sha256:") {
				return "", fmt.Errorf("the image of '%s' for %s/%s is named by '%s': a ref is a SHA-256", s.tag, s.os, s.architecture, m.Digest)
			}
			return string(m.Digest), m.Digest.Validate()
		}
		there = append(there, m.Platform.OS+"/"+m.Platform.Architecture)
	}
	return "", fmt.Errorf("'%s' has no image for %s/%s, but for %s", s.tag, s.os, s.architecture, strings.Join(there, ", "))
}
