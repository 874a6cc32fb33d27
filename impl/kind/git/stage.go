package git

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"bst/impl/kind"
	"bst/impl/kind/host"
)

// stage writes the files of r's commit to its place below dir.
//
// It reads the tree into an index that is thrown away, which checks the files
// out as `git checkout` does, with the attributes that the commit has. A clone
// to check out from, as the reference makes, would be thrown away as well.
func (g *git) stage(ctx context.Context, r *repo, dir string) error {
	dest, err := place(dir, r.path)
	if err != nil {
		return g.fault("Failed to make the directory of submodule '"+r.path+"'", err)
	}
	index, err := g.temp("index")
	if err != nil {
		return err
	}
	a, err := g.capture(ctx, host.Command{
		Argv: []string{g.program, "--git-dir=" + r.mirror, "--work-tree=" + dest, "read-tree", "-u", "--reset", r.ref},
		Dir:  dest,
		Env:  []string{"GIT_INDEX_FILE=" + index},
	})
	if err == nil && a.Status != 0 {
		err = g.failed("Failed to checkout git ref "+r.ref, a.Result)
	}
	return err
}

// place makes the directory of a submodule. A repository cannot have it lie
// behind a symbolic link.
func place(dir, path string) (string, error) {
	root, err := os.OpenRoot(dir)
	if err != nil || path == "" {
		return dir, err
	}
	defer root.Close()
	if err := root.MkdirAll(path, 0o755); err != nil {
		return "", err
	}
	for at := path; at != "."; at = filepath.Dir(at) {
		info, err := root.Lstat(at)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			return "", errors.New("a symbolic link is in its place")
		}
	}
	return filepath.Join(dir, path), nil
}

// temp gives a name for a temporary file.
func (g *git) temp(name string) (string, error) {
	if g.scratch == "" {
		dir, err := g.w.TempDir()
		if err != nil {
			return "", err
		}
		g.scratch = dir
	}
	for i := 0; ; i++ {
		path := filepath.Join(g.scratch, name+strconv.Itoa(i))
		if _, err := os.Lstat(path); err != nil {
			return path, nil
		}
	}
}

// rebuild makes a repository in the staged tree that has just what `git
// describe` needs to find the source's tags: the commits on the way to them,
// without files.
func (g *git) rebuild(ctx context.Context, r *repo, dir string) error {
	if len(g.s.tags) == 0 {
		return nil
	}
	included, shallow, err := g.history(ctx, r)
	if err != nil {
		return err
	}
	here := func(args ...string) host.Command {
		return host.Command{Argv: append([]string{g.program}, args...), Dir: dir}
	}
	run := func(fail string, c host.Command) (string, error) {
		a, err := g.capture(ctx, c)
		if err == nil && a.Status != 0 {
			err = g.failed(fail, a.Result)
		}
		return strings.TrimSpace(a.out), err
	}
	// No templates: what is staged must not depend on this host's.
	if _, err := run("Cannot initialize git repository: "+dir, here("init", "--quiet", "--template=", "--initial-branch=master")); err != nil {
		return err
	}
	for _, rev := range included {
		content, err := g.must(ctx, "Failed to get commit "+rev, r, "cat-file", "commit", rev)
		if err != nil {
			return err
		}
		c := here("hash-object", "-w", "-t", "commit", "--stdin")
		c.Stdin = strings.NewReader(content)
		if _, err := run("Failed to add commit object "+rev, c); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, ".git", "shallow"), []byte(strings.Join(shallow, "\n")+"\n"), 0o644); err != nil {
		return g.fault("Failed to write the repository's history", err)
	}
	for _, t := range g.s.tags {
		object := t.commit
		if t.annotated {
			c := here("hash-object", "-w", "-t", "tag", "--stdin")
			c.Stdin = strings.NewReader(fmt.Sprintf("object %s\ntype commit\ntag %s\ntagger Unspecified Tagger <unspecified-tagger> 0 +0000\n", t.commit, t.name))
			var err error
			if object, err = run("Failed to add tag object "+t.name, c); err != nil {
				return err
			}
		}
		if _, err := run("Failed to tag: "+t.name, here("tag", "--", t.name, object)); err != nil {
			return err
		}
	}
	head, err := g.must(ctx, "Failed to parse commit "+r.ref, r, "rev-parse", r.ref)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, ".git", "HEAD"), []byte(head), 0o644); err != nil {
		return g.fault("Failed to write the repository's HEAD", err)
	}
	return nil
}

// history gives the commits from the tags to the source's, and those of them
// whose parents are left out, both in order.
func (g *git) history(ctx context.Context, r *repo) (included, shallow []string, err error) {
	commits, borders := map[string]bool{}, map[string]bool{}
	for _, t := range g.s.tags {
		for _, word := range []string{t.name, t.commit} {
			if strings.HasPrefix(word, "-") {
				return nil, nil, kind.SourceErrorf("git", g.s.env, "", "'%s' cannot be a tag or a commit of git", word)
			}
		}
		if t.commit == stripTag(r.ref) {
			borders[t.commit] = true
			continue
		}
		list, err := g.must(ctx, fmt.Sprintf("Failed to get git history %s..%s", t.commit, r.ref), r,
			"rev-list", "--ancestry-path", "--boundary", t.commit+".."+r.ref)
		if err != nil {
			return nil, nil, err
		}
		for rev := range strings.FieldsSeq(list) {
			if border, ok := strings.CutPrefix(rev, "-"); ok {
				borders[border] = true
			} else {
				commits[rev] = true
			}
		}
	}
	for rev := range borders {
		if !commits[rev] {
			shallow = append(shallow, rev)
		}
	}
	for _, rev := range shallow {
		commits[rev] = true
	}
	for rev := range commits {
		included = append(included, rev)
	}
	slices.Sort(included)
	slices.Sort(shallow)
	return included, shallow, nil
}
