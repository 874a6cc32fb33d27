// Package git is the source kind "git": a commit of a git repository, with its
// submodules.
//
// It knows how to ask the git program for what it needs. It does not know git's
// formats or protocols.
package git

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"bst/impl/kind"
	"bst/impl/node"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{Kind: "git", RefKeys: []string{"ref", "tags"}, New: func() kind.Source { return new(source) }}
}

// Warnings that a project may make fatal; the last one is core's.
const (
	warnInconsistent  = "git:inconsistent-submodule"
	warnUnlisted      = "git:unlisted-submodule"
	warnInvalid       = "git:invalid-submodule"
	warnRefNotInTrack = "ref-not-in-track"
)

type source struct {
	env kind.SourceEnv
	// url is as the project writes it, with its alias.
	url string
	// ref is a commit, in hexadecimal or as `git describe --long` names it.
	ref      string
	resolved bool
	// track is the branch or tag that refs are taken from, "" for none; trackTags
	// looks for tags too, and describe names the last one in the ref.
	track               string
	trackTags, describe bool
	// tags are to be visible to `git describe` in the staged tree.
	tags []tag
	Submodules
	// version and guess are nil where they are not set.
	version, guess *string
}

// tag is a tag and what it is on.
type tag struct {
	name, commit string
	annotated    bool
}

func (s *source) Configure(config *node.Node, env kind.SourceEnv) (err error) {
	s.env = env
	err = config.ValidateKeys(append([]string{
		"url", "track", "ref", "submodules", "checkout-submodules", "ref-format",
		"track-tags", "tags", "version", "version-guess-pattern",
	}, kind.CommonSourceKeys...)...)
	if err != nil {
		return err
	}
	ref, err := optional(config, "ref")
	if err != nil {
		return err
	}
	if ref != nil {
		s.ref, s.resolved = *ref, true
	}
	if err := s.readTags(config); err != nil {
		return err
	}
	if s.trackTags, err = config.GetBool("track-tags", false); err != nil {
		return err
	}
	if s.url, err = config.NeedStr("url"); err != nil {
		return err
	}
	if s.track, err = config.GetStr("track", ""); err != nil {
		return err
	}
	if format, err := config.GetStr("ref-format", "sha1"); err != nil {
		return err
	} else if format != "sha1" && format != "git-describe" {
		return config.Get("ref-format").Errorf("INVALID_DATA", "Value of 'ref-format' should be one of 'sha1, git-describe'")
	} else {
		s.describe = format == "git-describe"
	}
	if s.guess, err = optional(config, "version-guess-pattern"); err != nil {
		return err
	}
	if s.version, err = optional(config, "version"); err != nil {
		return err
	}
	if !s.resolved && config.Get("track") == nil {
		return kind.SourceErrorf("git", env, "missing-track-and-ref", "Git sources require a ref and/or track")
	}
	s.env.Translate(s.url)
	return s.Submodules.Configure(config, env)
}

func (s *source) readTags(config *node.Node) error {
	list, err := config.GetSequence("tags")
	if err != nil || list == nil {
		return err
	}
	for _, item := range list.Items() {
		if item.Kind() != node.Mapping {
			return item.Errorf("INVALID_DATA", "Each of the 'tags' is a dictionary with tag, commit and annotated")
		}
		if err := item.ValidateKeys("tag", "commit", "annotated"); err != nil {
			return err
		}
		var t tag
		if t.name, err = item.NeedStr("tag"); err != nil {
			return err
		}
		if t.commit, err = item.NeedStr("commit"); err != nil {
			return err
		}
		if _, err = item.Need("annotated"); err != nil {
			return err
		}
		if t.annotated, err = item.GetBool("annotated", false); err != nil {
			return err
		}
		s.tags = append(s.tags, t)
	}
	return nil
}

// optional is a string that may be absent, which differs from an empty one.
func optional(config *node.Node, key string) (*string, error) {
	if value := config.Get(key); value == nil || value.IsNone() {
		return nil, nil
	}
	value, err := config.GetStr(key, "")
	return &value, err
}

func (s *source) Resolved() bool { return s.resolved }

// UniqueKey holds the commit without the tag that its name may start with, and
// of all else only what is not as by default.
func (s *source) UniqueKey() (any, error) {
	key := []any{s.url, stripTag(s.ref)}
	if len(s.tags) > 0 {
		tags := make(map[string]any, len(s.tags))
		for _, t := range s.tags {
			tags[t.name] = []any{t.commit, t.annotated}
		}
		key = append(key, map[string]any{"tags": tags})
	}
	key = s.Submodules.AppendTo(key)
	switch {
	case s.version != nil:
		key = append(key, *s.version)
	case s.guess != nil:
		key = append(key, *s.guess)
	}
	return key, nil
}

// stripTag is the commit of a ref that `git describe --long` may have made.
func stripTag(ref string) string {
	if i := strings.LastIndex(ref, "-g"); i >= 0 {
		return ref[i+len("-g"):]
	}
	return ref
}

// Cached says that the commit and those of all submodules to stage are in the
// mirrors.
func (s *source) Cached(ctx context.Context, w kind.SourceWork) bool {
	g, root, err := s.mirror(w)
	if err != nil || !g.has(ctx, root) {
		return false
	}
	all := true
	err = s.walk(ctx, g, root, true, func(r *repo) error {
		if !g.has(ctx, r) {
			all = false
			return errEnough
		}
		return nil
	})
	return all && err == nil
}

// Fetch brings the commit into the mirror of its repository, and those of
// submodules into theirs, as they come to be known.
func (s *source) Fetch(ctx context.Context, w kind.SourceWork) error {
	g, root, err := s.open(w)
	if err != nil {
		return err
	}
	if err := g.fetch(ctx, root); err != nil {
		return err
	}
	return s.walk(ctx, g, root, true, func(r *repo) error { return g.fetch(ctx, r) })
}

// Stage checks the commit out, and those of submodules, without their history.
func (s *source) Stage(ctx context.Context, w kind.SourceWork, dir string) error {
	g, root, err := s.open(w)
	if err != nil {
		return err
	}
	if err := s.validate(ctx, g, root); err != nil {
		return err
	}
	return w.Activity("Staging "+s.url, func() error {
		if err := g.stage(ctx, root, dir); err != nil {
			return err
		}
		if err := s.walk(ctx, g, root, true, func(r *repo) error { return g.stage(ctx, r, dir) }); err != nil {
			return err
		}
		return g.rebuild(ctx, root, dir)
	})
}

// mirror finds the repository's mirror, which may not be there. To find git as well
// is a look through all of PATH, and this is asked of every source that is shown.
func (s *source) mirror(w kind.SourceWork) (*git, *repo, error) {
	g, err := newGit(s, w)
	if err != nil {
		return nil, nil, err
	}
	root, err := g.repo("", s.url, s.ref)
	return g, root, err
}

// open finds the program and the repository's mirror.
func (s *source) open(w kind.SourceWork) (*git, *repo, error) {
	g, root, err := s.mirror(w)
	if err == nil {
		err = g.find()
	}
	return g, root, err
}

// Bounds for submodules of submodules.
const (
	maxDepth      = 32
	maxSubmodules = 10000
)

// errEnough ends a walk early.
var errEnough = fmt.Errorf("that is enough")

// walk gives the submodules below r to f, parents first; only those whose commit
// is in a mirror after f can be looked into. With configured, those that are not
// to be staged are left out, and the source's URLs take the place of theirs.
func (s *source) walk(ctx context.Context, g *git, r *repo, configured bool, f func(*repo) error) error {
	count := 0
	var visit func(r *repo, depth int) error
	visit = func(r *repo, depth int) error {
		if depth > maxDepth {
			return kind.SourceErrorf("git", s.env, "", "Submodules are nested more than %d deep at '%s'", maxDepth, r.path)
		}
		subs, err := g.submodules(ctx, r, !configured)
		if err != nil {
			return err
		}
		for _, sub := range subs {
			if count++; count > maxSubmodules {
				return kind.SourceErrorf("git", s.env, "", "There are more than %d submodules", maxSubmodules)
			}
			if configured {
				if s.ignores(sub.path) {
					continue
				}
				if url := s.overrides[sub.path]; url != nil {
					sub.url = *url
				}
			}
			if err := f(sub); err != nil {
				return err
			}
			if !g.has(ctx, sub) {
				continue
			}
			if err := visit(sub, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return visit(r, 0)
}

// exactTag is a ref in the form of `git describe` that is on a tag.
var exactTag = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(.*)-0-g(.*)$`) })

// validate warns about submodules that the source and the repository do not
// agree on, and about a ref that its track does not contain.
func (s *source) validate(ctx context.Context, g *git, root *repo) error {
	var unlisted []string
	known := map[string]bool{}
	err := s.walk(ctx, g, root, false, func(r *repo) error {
		known[r.path] = true
		if _, ok := s.overrides[r.path]; !ok && !s.ignores(r.path) {
			unlisted = append(unlisted, fmt.Sprintf("  Submodule URL '%s' at path '%s'", r.url, r.path))
		}
		return nil
	})
	if err != nil {
		return err
	}
	var invalid []string
	for _, path := range s.listed {
		if known[path] {
			continue
		}
		url := "None"
		if s.overrides[path] != nil {
			url = *s.overrides[path]
		}
		invalid = append(invalid, fmt.Sprintf("  Submodule URL '%s' at path '%s'", url, path))
	}
	name := kind.SourceName("git", s.env)
	if len(invalid) > 0 {
		err := g.w.Warn(warnInvalid, name+": Invalid submodules specified",
			"The following submodules are specified in the source description but do not exist according to the repository\n\n"+
				strings.Join(invalid, "\n"))
		if err != nil {
			return err
		}
	}
	if len(unlisted) > 0 {
		err := g.w.Warn(warnUnlisted, name+": Unlisted submodules exist",
			"The following submodules exist but are not specified in the source description\n\n"+strings.Join(unlisted, "\n"))
		if err != nil {
			return err
		}
	}
	if s.track == "" || exactTag().MatchString(s.ref) {
		// Of an exact tag nothing but the tag is fetched.
		return nil
	}
	for _, what := range []string{"branch", "tag"} {
		list, err := g.output(ctx, root, what, "--list", s.track, "--contains", s.ref)
		if err != nil {
			return err
		}
		if list.Status == 0 && strings.TrimSpace(list.out) != "" {
			return nil
		}
	}
	return g.w.Warn(warnRefNotInTrack,
		fmt.Sprintf("%s: expected ref '%s' was not found in given track '%s' for staged repository: '%s'\n", name, s.ref, s.track, s.url),
		fmt.Sprintf("The ref provided for the element does not exist locally in the provided track branch / tag '%s'.\n"+
			"You may wish to track the element to update the ref from '%s' with `bst source track`,\n"+
			"or examine the upstream at '%s' for the specific ref.", s.track, s.track, s.url))
}
