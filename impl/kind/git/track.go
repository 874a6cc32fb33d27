package git

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"bst/impl/kind"
	"bst/impl/kind/fnmatch"
	"bst/impl/kind/host"
	"bst/impl/node"
	"bst/impl/stream"
)

// Ref is the commit, and the tags that come with it.
func (s *source) Ref() *node.Node {
	if !s.resolved {
		return nil
	}
	return refNode(s.ref, s.tags)
}

func refNode(ref string, tags []tag) *node.Node {
	n := kind.RefOf(node.NewVerbatim(ref))
	if len(tags) == 0 {
		return n
	}
	items := make([]*node.Node, len(tags))
	for i, t := range tags {
		items[i] = kind.Texts("tag", t.name, "commit", t.commit, "annotated", kind.Truth(t.annotated))
	}
	n.Set("tags", kind.ListOf(items))
	return n
}

// Track finds the commit that the branch or tag is on now.
func (s *source) Track(ctx context.Context, w kind.SourceWork, _ string) (*node.Node, error) {
	if s.track == "" {
		if s.resolved {
			return nil, nil
		}
		e := kind.SourceErrorf("git", s.env, "track-attempt-no-track", "No track or ref")
		e.Detail = "Without a tracking branch ref can not be updated. Please provide a ref or a track."
		return nil, e
	}
	g, root, err := s.open(w)
	if err != nil {
		return nil, err
	}
	if err := g.revision(s.track); err != nil {
		return nil, err
	}
	var ref *node.Node
	err = kind.TrackFrom(ctx, "git", s.env, s.url, func(url string) error {
		return w.Activity("Tracking "+s.track+" from "+url, func() error {
			if err := g.refresh(ctx, root, url); err != nil {
				return err
			}
			commit, err := g.must(ctx, "Unable to find revision "+s.track, root, "rev-list", "-n", "1", s.track, "--")
			if err != nil {
				return err
			}
			found := strings.TrimSpace(commit)
			var tags []tag
			if s.trackTags {
				if tags, err = g.reachableTags(ctx, root, found); err != nil {
					return err
				}
				if sameTags(tags, s.tags) {
					tags = s.tags // in the order that the project has them
				}
			}
			if s.describe {
				text, err := g.must(ctx, "Unable to find revision "+found, root,
					"describe", "--tags", "--abbrev=40", "--long", "--always", found)
				if err != nil {
					return err
				}
				found = strings.TrimSpace(text)
			}
			ref = refNode(found, tags)
			return nil
		})
	})
	return ref, err
}

// revision refuses what git would take for an option.
func (g *git) revision(name string) error {
	if strings.HasPrefix(name, "-") {
		return kind.SourceErrorf("git", g.s.env, "", "'%s' cannot be a branch or tag of git", name)
	}
	return nil
}

func sameTags(a, b []tag) bool {
	order := func(x, y tag) int { return strings.Compare(x.name, y.name) }
	return slices.Equal(slices.SortedFunc(slices.Values(a), order), slices.SortedFunc(slices.Values(b), order))
}

// reachableTags are the nearest tags before a commit, in each of the ways that
// `git describe` counts.
func (g *git) reachableTags(ctx context.Context, r *repo, commit string) ([]tag, error) {
	var tags []tag
	for _, options := range [][]string{nil, {"--first-parent"}, {"--tags"}, {"--tags", "--first-parent"}} {
		a, err := g.output(ctx, r, append(append([]string{"describe", "--abbrev=0"}, options...), commit)...)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSpace(a.out)
		if a.Status != 0 || slices.ContainsFunc(tags, func(t tag) bool { return t.name == name }) {
			continue
		}
		target, err := g.must(ctx, "Unable to resolve tag '"+name+"'", r, "rev-parse", "refs/tags/"+name+"^{commit}")
		if err != nil {
			return nil, err
		}
		tags = append(tags, tag{name, strings.TrimSpace(target), g.ask(ctx, r, "cat-file", "tag", name)})
	}
	return tags, nil
}

// refresh makes the mirror have all branches and tags that are at a URL, with their
// whole history.
func (g *git) refresh(ctx context.Context, r *repo, url string) error {
	if strings.HasPrefix(url, "-") {
		return kind.SourceErrorf("git", g.s.env, "", "'%s' cannot be a URL of git", url)
	}
	if err := g.ensure(ctx, r); err != nil {
		return err
	}
	err := g.writing(ctx, r, func() error {
		args := []string{"fetch", "--progress", "--prune"}
		if _, err := os.Stat(filepath.Join(r.mirror, "shallow")); err == nil {
			args = append(args, "--unshallow")
		}
		args = append(args, "--", url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
		_, err := g.network(ctx, r, url, args...)
		return err
	})
	if err == nil {
		clear(g.present)
	}
	return err
}

// TrackRefs finds the newest of the branches and tags whose names match a pattern of a
// shell, by their version numbers. With describe, the ref names the last tag.
func (r *Repository) TrackRefs(ctx context.Context, w kind.SourceWork, pattern string, exclude []string, describe bool) (string, error) {
	return r.track(ctx, w, pattern, func(g *git, root *repo, url string) (string, error) {
		return g.newestRef(ctx, root, url, pattern, exclude, describe)
	})
}

// track asks each URL for a ref; what is what is tracked there.
func (r *Repository) track(ctx context.Context, w kind.SourceWork, what string, ask func(g *git, root *repo, url string) (string, error)) (found string, err error) {
	err = kind.TrackFrom(ctx, r.kind, r.s.env, r.s.url, func(url string) error {
		g, root, err := r.s.open(w)
		if err != nil {
			return err
		}
		return w.Activity("Tracking "+what+" from "+url, func() (err error) {
			found, err = ask(g, root, url)
			return err
		})
	})
	return found, r.named(err)
}

func (g *git) newestRef(ctx context.Context, r *repo, url, pattern string, exclude []string, describe bool) (string, error) {
	if strings.HasPrefix(url, "-") {
		return "", kind.SourceErrorf("git", g.s.env, "", "'%s' cannot be a URL of git", url)
	}
	if err := g.ensure(ctx, r); err != nil {
		return "", err
	}
	list, err := g.network(ctx, r, url, "ls-remote", "--", url)
	if err != nil {
		return "", err
	}
	name, commit := newest(list, pattern, exclude)
	if name == "" {
		return "", kind.SourceErrorf("git", g.s.env, "", "No branch or tag of '%s' matches '%s'", url, pattern)
	}
	g.w.Message(stream.TypeStatus, "Tracked "+name+": "+commit, "")
	tag, isTag := strings.CutPrefix(name, "refs/tags/")
	switch {
	case !describe:
		return commit, nil
	case isTag:
		return tag + "-0-g" + commit, nil
	}
	// The tag before a branch is found in its history alone.
	if err := g.refresh(ctx, r, url); err != nil {
		return "", err
	}
	a, err := g.output(ctx, r, "describe", "--tags", "--abbrev=40", "--long", commit)
	if err != nil {
		return "", err
	}
	if a.Status != 0 {
		return commit, nil
	}
	return strings.TrimSpace(a.out), nil
}

// newest is the branch or tag with the highest version among those that match, with
// its commit: of an annotated tag that which it is on.
func newest(list, pattern string, exclude []string) (name, commit string) {
	refs := map[string]string{}
	for line := range strings.Lines(list) {
		id, ref, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if ok {
			refs[ref] = id
		}
	}
	want := refPattern(pattern)
	var not []*regexp.Regexp
	for _, p := range exclude {
		not = append(not, refPattern(p))
	}
	for ref := range refs {
		if strings.HasSuffix(ref, "^{}") || !want.MatchString(ref) ||
			slices.ContainsFunc(not, func(p *regexp.Regexp) bool { return p.MatchString(ref) }) {
			continue
		}
		if order := compareVersions(ref, name); name == "" || order > 0 || order == 0 && ref > name {
			name = ref
		}
	}
	if peeled, ok := refs[name+"^{}"]; ok {
		return name, peeled
	}
	return name, refs[name]
}

// refPattern is a pattern of a shell for whole names of refs; one that does not begin
// with refs/ is for branches and tags.
func refPattern(pattern string) *regexp.Regexp {
	prefix := "refs/(heads|tags)/"
	if strings.HasPrefix(pattern, "refs/") {
		prefix = ""
	}
	return regexp.MustCompile("^(?s:" + prefix + fnmatch.Expression(pattern) + ")$")
}

// versionParts are what versions are compared by.
var versionParts = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("[a-zA-Z]+|[0-9]+") })

// compareVersions orders names as versions: words come before numbers, so that
// 1.beta is before 1.0, and what stands between does not count.
func compareVersions(a, b string) int {
	x, y := versionParts().FindAllString(a, -1), versionParts().FindAllString(b, -1)
	for i := range min(len(x), len(y)) {
		xNumber, yNumber := x[i][0] <= '9', y[i][0] <= '9'
		order := 0
		switch {
		case xNumber && yNumber:
			m, n := strings.TrimLeft(x[i], "0"), strings.TrimLeft(y[i], "0")
			order = cmp.Or(cmp.Compare(len(m), len(n)), strings.Compare(m, n))
		case xNumber:
			order = 1
		case yNumber:
			order = -1
		default:
			order = strings.Compare(x[i], y[i])
		}
		if order != 0 {
			return order
		}
	}
	return cmp.Compare(len(x), len(y))
}

// TagTracking is how the kind git_tag tracks.
type TagTracking struct {
	// Branches are asked all; the one with the latest commit counts.
	Branches []string
	// Tags takes the last tag of a branch instead of its last commit; Match and
	// Exclude choose among tags.
	Tags           bool
	Match, Exclude []string
}

// TrackTags finds the newest commit of branches, named by the tag before it.
func (r *Repository) TrackTags(ctx context.Context, w kind.SourceWork, t TagTracking) (string, error) {
	return r.track(ctx, w, strings.Join(t.Branches, ", "), func(g *git, root *repo, url string) (string, error) {
		if err := g.refresh(ctx, root, url); err != nil {
			return "", err
		}
		return g.latestOf(ctx, root, t)
	})
}

func (g *git) latestOf(ctx context.Context, r *repo, t TagTracking) (string, error) {
	var choice []string
	for _, p := range t.Match {
		choice = append(choice, "--match="+p)
	}
	for _, p := range t.Exclude {
		choice = append(choice, "--exclude="+p)
	}
	best, latest := "", int64(-1)
	for _, branch := range t.Branches {
		if err := g.revision(branch); err != nil {
			return "", err
		}
		at := branch
		if t.Tags {
			a, err := g.output(ctx, r, append(append([]string{"describe", "--tags", "--abbrev=0"}, choice...), branch)...)
			if err != nil {
				return "", err
			}
			if a.Status == 0 {
				at = "refs/tags/" + strings.TrimSpace(a.out)
			} else {
				g.w.Message(stream.TypeInfo, "Unable to find tag for specified branch name '"+branch+"'", "")
			}
		}
		commit, err := g.must(ctx, "Unable to find commit for specified branch name '"+branch+"'", r, "rev-parse", "--verify", at+"^{commit}")
		if err != nil {
			return "", err
		}
		ref := strings.TrimSpace(commit)
		stamp, err := g.must(ctx, "Unable to find commit "+ref, r, "show", "-s", "--format=%ct", ref)
		if err != nil {
			return "", err
		}
		when, err := strconv.ParseInt(strings.TrimSpace(stamp), 10, 64)
		if err != nil {
			return "", kind.SourceErrorf("git", g.s.env, "", "git gave '%s' for the time of commit %s", strings.TrimSpace(stamp), ref)
		}
		a, err := g.output(ctx, r, append(append([]string{"describe", "--tags", "--abbrev=40", "--long"}, choice...), ref)...)
		if err != nil {
			return "", err
		}
		if a.Status == 0 {
			ref = strings.TrimSpace(a.out)
		}
		if when > latest {
			best, latest = ref, when
		}
	}
	return best, nil
}

// FullCommit finds a commit by the digits that its name begins with.
func (r *Repository) FullCommit(ctx context.Context, w kind.SourceWork, brief string) (string, error) {
	return r.track(ctx, w, brief, func(g *git, root *repo, url string) (string, error) {
		if err := g.refresh(ctx, root, url); err != nil {
			return "", err
		}
		text, err := g.must(ctx, "Failed to find "+brief+" from "+url, root, "rev-parse", "--verify", brief+"^{commit}")
		return strings.TrimSpace(text), err
	})
}

// SubmoduleCommit is the commit of the submodule at a path of the repository that lies
// in a folder.
func SubmoduleCommit(ctx context.Context, kindName string, env kind.SourceEnv, w kind.SourceWork, dir, path string) (string, error) {
	program, err := host.Find(kindName, env, "git")
	if err != nil {
		return "", err
	}
	if _, err := os.Lstat(filepath.Join(dir, ".git")); err != nil {
		e := kind.SourceErrorf(kindName, env, "", "The sources before this one hold no git repository that could tell the commit of '%s'", path)
		e.Detail = "A git_module follows a git_repo that is staged in the same directory, and names the submodule's path in it."
		return "", e
	}
	var out buffer
	result, err := host.Run(ctx, w, host.Command{
		Argv:   []string{program, "-C", dir, "ls-tree", "-z", "HEAD", "--", path},
		Env:    append([]string{"GIT_CEILING_DIRECTORIES=" + filepath.Dir(dir)}, environment...),
		Stdout: &out,
	})
	if err != nil {
		return "", err
	}
	if result.Status != 0 {
		return "", host.Failed(kindName, env, "Failed to look for the submodule '"+path+"'", result)
	}
	fields := strings.Fields(out.String())
	if len(fields) < 3 || fields[1] != "commit" || len(fields[2]) < 40 {
		return "", kind.SourceErrorf(kindName, env, "", "%s", fmt.Sprintf("The repository has no submodule at '%s'", path))
	}
	return fields[2], nil
}
