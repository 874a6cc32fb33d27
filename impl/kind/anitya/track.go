package anitya

import (
	"context"
	"encoding/json"
	"strconv"

	"bst/impl/kind"
	"bst/impl/kind/download"
	"bst/impl/node"
)

// monitor is where the versions of projects are asked for, by their numbers. Tests
// have their own.
var monitor = "https://release-monitoring.org/api/v2/versions/?project_id="

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 16 << 20

// Ref is the version and the archive's checksum.
func (s *source) Ref() *node.Node {
	if !s.Resolved() {
		return nil
	}
	return ref(s.version, s.Sum)
}

func ref(version, sum string) *node.Node {
	return kind.RefOf(kind.Texts("version", version, "sha256sum", sum))
}

// Track asks release monitoring for the newest stable version, and downloads it.
func (s *source) Track(ctx context.Context, w kind.SourceWork, _ string) (*node.Node, error) {
	url := monitor + strconv.Itoa(s.project)
	text, err := download.Get(ctx, "anitya", s.env, url, "application/json", maxAnswer)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Stable []string `json:"stable_versions"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, kind.SourceErrorf("anitya", s.env, "", "The answer of %s is not what release monitoring says: %s", url, err)
	}
	if len(answer.Stable) == 0 {
		return nil, kind.SourceErrorf("anitya", s.env, "", "Anitya project %d has no versions", s.project)
	}
	version := answer.Stable[0]
	at, ok := render(s.template, version)
	if !ok {
		return nil, kind.SourceErrorf("anitya", s.env, "", "The version '%s' has no parts for all names in '%s'", version, s.template)
	}
	known := ""
	if version == s.version {
		known = s.Sum
	}
	sum, err := download.SumAt(ctx, w, "anitya", s.env, at, known)
	if err != nil {
		return nil, err
	}
	return ref(version, sum), nil
}
