package git

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"bst/impl/kind"
	"bst/impl/kind/host"
)

// described is a ref in the form of `git describe --long`.
var described = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(.+)-[0-9]+-g[0-9a-f]+$`) })

// StageHistory makes a repository of the files that Stage has written to dir: a
// commit without branch, and before it those since the tag that the ref names,
// with their trees and without older files. So `git describe` and `git log .`
// work where the files are built.
//
// It holds nothing of this host or of the time, since sources are known by
// their content.
func (r *Repository) StageHistory(ctx context.Context, w kind.SourceWork, dir string) error {
	g, root, err := r.s.open(w)
	if err == nil {
		err = g.stageHistory(ctx, root, dir)
	}
	return r.named(err)
}

func (g *git) stageHistory(ctx context.Context, r *repo, dir string) error {
	head, err := g.word(ctx, r, "rev-parse", "--verify", "--quiet", r.ref+"^{commit}")
	if err != nil {
		return err
	}
	base, tag := head, ""
	if m := described().FindStringSubmatch(r.ref); m != nil {
		tag = "refs/tags/" + m[1]
		if base, err = g.word(ctx, r, "rev-parse", "--verify", "--quiet", tag+"^{commit}"); err != nil {
			return err
		}
	}
	commits, shallow, err := g.since(ctx, r, base, head)
	if err != nil {
		return err
	}
	objects, err := g.objects(ctx, r, commits, head)
	if err != nil {
		return err
	}
	refs := map[string]string{}
	if tag != "" {
		object, err := g.word(ctx, r, "rev-parse", "--verify", "--quiet", tag)
		if err != nil {
			return err
		}
		refs[tag] = object
		// A tag may be of a tag.
		for object != base && len(objects) < maxObjects {
			objects = append(objects, object)
			text, err := g.must(ctx, "Failed to read the tag "+tag, r, "cat-file", "tag", object)
			if err != nil {
				return err
			}
			line, _, _ := strings.Cut(text, "\n")
			object = strings.TrimPrefix(line, "object ")
		}
	}
	return g.rebuildWith(ctx, r, dir, rebuilt{head, refs, shallow, objects})
}

// maxObjects bounds what is copied into a staged repository.
const maxObjects = 4 << 20

// word is an answer of one word.
func (g *git) word(ctx context.Context, r *repo, args ...string) (string, error) {
	text, err := g.must(ctx, "Failed to find '"+args[len(args)-1]+"' in the repository '"+r.url+"'", r, args...)
	return strings.TrimSpace(text), err
}

// since gives the commits that lead from base to head, with both, and those of
// them whose parents are left out.
func (g *git) since(ctx context.Context, r *repo, base, head string) (commits, shallow []string, err error) {
	args := []string{"rev-list", "--parents", head}
	if base == head {
		args = []string{"rev-list", "--parents", "--no-walk", head}
	} else {
		args = append(args, "--not", base+"^@")
	}
	list, err := g.must(ctx, "Failed to get git history of "+r.ref, r, args...)
	if err != nil {
		return nil, nil, err
	}
	var parents [][]string
	for line := range strings.Lines(list) {
		fields := strings.Fields(line)
		commits = append(commits, fields[0])
		parents = append(parents, fields[1:])
	}
	known := make(map[string]bool, len(commits))
	for _, commit := range commits {
		known[commit] = true
	}
	// Where the mirror itself ends, git tells of no parents.
	ends, err := os.ReadFile(filepath.Join(r.mirror, "shallow"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, g.fault("Failed to read the repository's history", err)
	}
	for end := range strings.FieldsSeq(string(ends)) {
		if known[end] {
			shallow = append(shallow, end)
		}
	}
	for i, commit := range commits {
		if slices.ContainsFunc(parents[i], func(p string) bool { return !known[p] }) {
			shallow = append(shallow, commit)
		}
	}
	slices.Sort(shallow)
	return commits, slices.Compact(shallow), nil
}

// objects are commits and their trees, and the symbolic links of head.
func (g *git) objects(ctx context.Context, r *repo, commits []string, head string) ([]string, error) {
	a, err := g.capture(ctx, host.Command{
		Argv: []string{g.program, "--git-dir=" + r.mirror, "rev-list", "--objects", "--no-object-names",
			"--filter=blob:none", "--no-walk", "--stdin"},
		Stdin: strings.NewReader(strings.Join(commits, "\n") + "\n"),
	})
	if err == nil && a.Status != 0 {
		err = g.failed("Failed to list the trees of "+r.ref, a.Result)
	}
	if err != nil {
		return nil, err
	}
	objects := strings.Fields(a.out)
	tree, err := g.must(ctx, "Failed to list the files of "+r.ref, r, "ls-tree", "-r", "-z", head)
	if err != nil {
		return nil, err
	}
	for entry := range strings.SplitSeq(tree, "\x00") {
		if fields := strings.Fields(entry); len(fields) > 2 && fields[0] == "120000" {
			objects = append(objects, fields[2])
		}
	}
	if len(objects) > maxObjects {
		return nil, kind.SourceErrorf("git", g.s.env, "", "The history of '%s' has more than %d objects", r.ref, maxObjects)
	}
	return objects, nil
}

// rebuilt is what a staged repository holds.
type rebuilt struct {
	head    string
	refs    map[string]string
	shallow []string
	objects []string
}

func (g *git) rebuildWith(ctx context.Context, r *repo, dir string, to rebuilt) error {
	pack, err := g.temp("pack")
	if err != nil {
		return err
	}
	out, err := os.Create(pack)
	if err != nil {
		return g.fault("Failed to write the repository's history", err)
	}
	defer out.Close()
	run := func(fail string, c host.Command) error {
		c.Env = append(c.Env, environment...)
		result, err := host.Run(ctx, g.w, c)
		if err == nil && result.Status != 0 {
			err = g.failed(fail, result)
		}
		return err
	}
	err = run("Failed to gather the objects of "+r.ref, host.Command{
		Argv: []string{g.program, "--git-dir=" + r.mirror, "pack-objects", "--quiet", "--stdout", "--threads=1", "--window=0"},
		// Each once: those of links may be the same.
		Stdin:  strings.NewReader(strings.Join(slices.Compact(slices.Sorted(slices.Values(to.objects))), "\n") + "\n"),
		Stdout: out,
	})
	if err != nil {
		return err
	}
	// No templates: what is staged must not depend on this host's.
	err = run("Cannot initialize git repository: "+dir,
		host.Command{Argv: []string{g.program, "init", "--quiet", "--template=", "--initial-branch=master"}, Dir: dir})
	if err != nil {
		return err
	}
	at := filepath.Join(dir, ".git")
	write := func(name, text string) {
		if err == nil {
			name = filepath.Join(at, filepath.FromSlash(name))
			if err = os.MkdirAll(filepath.Dir(name), 0o755); err == nil {
				err = os.WriteFile(name, []byte(text), 0o644)
			}
		}
	}
	if len(to.shallow) > 0 {
		write("shallow", strings.Join(to.shallow, "\n")+"\n")
	}
	write("HEAD", to.head+"\n")
	if _, e := out.Seek(0, 0); err == nil {
		err = e
	}
	if err != nil {
		return g.fault("Failed to write the repository's history", err)
	}
	err = run("Failed to add the objects of "+r.ref, host.Command{
		Argv: []string{g.program, "unpack-objects", "-q"}, Dir: dir, Stdin: out,
	})
	if err != nil {
		return err
	}
	for name, object := range to.refs {
		if err := run("Failed to tag: "+name, host.Command{Argv: []string{g.program, "update-ref", "--", name, object}, Dir: dir}); err != nil {
			return err
		}
	}
	// The index has no times or numbers of this host's files: git fills them in
	// when it first looks.
	if err := run("Failed to make the index", host.Command{Argv: []string{g.program, "read-tree", "HEAD"}, Dir: dir}); err != nil {
		return err
	}
	for _, log := range []string{"logs", "COMMIT_EDITMSG"} {
		if err := os.RemoveAll(filepath.Join(at, log)); err != nil {
			return g.fault("Failed to write the repository's history", err)
		}
	}
	return nil
}
