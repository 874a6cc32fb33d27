// Package cpan is the source kind "cpan": a distribution of Perl's archive
// network.
package cpan

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"strings"

	"bst/impl/kind"
	"bst/impl/kind/distribution"
	"bst/impl/kind/download"
	"bst/impl/node"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{
		Kind:    "cpan",
		RefKeys: []string{"suffix", "sha256sum"},
		Plugins: kind.Plugins{Packages: []string{kind.Community}},
		New:     func() kind.Source { return new(source) },
	}
}

// index is the network's address where the source names no other.
const index = "https://cpan.metacpan.org/"

type source struct {
	distribution.Archive
	env   kind.SourceEnv
	index string
}

func (s *source) Configure(config *node.Node, env kind.SourceEnv) error {
	if err := config.ValidateKeys(append([]string{"index", "suffix", "sha256sum"}, distribution.Keys...)...); err != nil {
		return err
	}
	s.env = env
	at, err := config.GetStr("index", index)
	if err != nil {
		return err
	}
	s.index = at
	if s.Suffix, err = config.GetStr("suffix", ""); err != nil {
		return err
	}
	if s.Sum, err = config.GetStr("sha256sum", ""); err != nil {
		return err
	}
	return s.Archive.Configure("cpan", at, config, env)
}

// Ref is the archive's place and its checksum.
func (s *source) Ref() *node.Node {
	if !s.Resolved() {
		return nil
	}
	return ref(s.Suffix, s.Sum)
}

func ref(suffix, sum string) *node.Node { return kind.Texts("suffix", suffix, "sha256sum", sum) }

// The network's list of what every module is in, below its address; and what the
// places in it are below.
const (
	packages = "modules/02packages.details.txt.gz"
	authors  = "authors/id/"
	// Bounds of the list, packed and unpacked; it has 2 and 20 MB.
	maxPacked   = 64 << 20
	maxUnpacked = 1 << 30
)

// Track looks the module up in the network's list.
func (s *source) Track(ctx context.Context, w kind.SourceWork, _ string) (*node.Node, error) {
	suffix := ""
	err := kind.TrackFrom(ctx, "cpan", s.env, s.index, func(url string) error {
		return w.Activity("Tracking "+s.Name+" in "+url, func() (err error) {
			suffix, err = s.find(ctx, url)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	sum, err := s.Checksum(ctx, w, suffix)
	if err != nil {
		return nil, err
	}
	return ref(suffix, sum), nil
}

func (s *source) find(ctx context.Context, url string) (string, error) {
	packed, err := download.Get(ctx, "cpan", s.env, url+packages, "", maxPacked)
	if err != nil {
		return "", err
	}
	broken := func(err error) error {
		return kind.SourceErrorf("cpan", s.env, "", "The list of modules at %s is damaged: %s", url+packages, err)
	}
	text, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", broken(err)
	}
	header := true
	lines := bufio.NewScanner(io.LimitReader(text, maxUnpacked))
	for lines.Scan() {
		line := lines.Text()
		if header {
			header = line != ""
			continue
		}
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == s.Name {
			return authors + fields[2], nil
		}
	}
	if err := lines.Err(); err != nil {
		return "", broken(err)
	}
	return "", kind.SourceErrorf("cpan", s.env, "", "\"%s\" not found in %s", s.Name, url)
}
