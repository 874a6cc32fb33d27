// Package patchqueue is the source kind "patch_queue": all patches of a folder
// of the project, applied to the sources before it in the order of their names.
package patchqueue

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"bst/impl/kind"
	"bst/impl/kind/host"
	"bst/impl/kind/projectpath"
	"bst/impl/node"
	"bst/impl/stream"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{
		Kind:             "patch_queue",
		RequiresPrevious: true,
		NoRef:            true,
		Plugins: kind.Plugins{
			Packages: []string{kind.Community},
			// Zirconium's, which works without git.
			Files: []string{"def5fe6561fdc1269295d52b3957d87cbd888a6817e4ac1c66f205bb0b9f33e0"},
		},
		Variant: variant,
		New:     func() kind.Source { return new(source) },
	}
}

// variant knows of plugins that apply patches with the program patch.
func variant(file string) kind.SourceTraits {
	traits := Traits()
	if strings.Contains(file, `get_host_tool("patch")`) {
		traits.New = func() kind.Source { return &source{plain: true} }
	}
	return traits
}

type source struct {
	env kind.SourceEnv
	// path is as the project writes it, full is absolute.
	path, full string
	// plain says that the patches are for the program patch, not for git.
	plain bool
	// read gives the patches' checksums, once.
	read func() (patches, error)
}

// patches are the names in a folder, sorted, and the files' SHA-256.
type patches struct{ names, sums []string }

func (s *source) Configure(config *node.Node, env kind.SourceEnv) error {
	if err := config.ValidateKeys(append([]string{"path"}, kind.CommonSourceKeys...)...); err != nil {
		return err
	}
	path, err := config.Need("path")
	if err != nil {
		return err
	}
	if s.path, _, err = projectpath.Resolve(path, env.ProjectDir(), projectpath.Directory); err != nil {
		return err
	}
	s.env = env
	s.full = filepath.Join(env.ProjectDir(), s.path)
	env.Reads(s.full)
	s.read = sync.OnceValues(s.readNow)
	return nil
}

func (s *source) readNow() (patches, error) {
	var p patches
	entries, err := os.ReadDir(s.full) // sorted by name
	if err != nil {
		return p, s.unreadable(err)
	}
	for _, entry := range entries {
		sum, err := s.env.Digests().Sum(filepath.Join(s.full, entry.Name()))
		if err != nil {
			return p, s.unreadable(err)
		}
		p.names = append(p.names, entry.Name())
		p.sums = append(p.sums, sum.Hash)
	}
	return p, nil
}

func (s *source) unreadable(err error) *stream.Error {
	return kind.SourceErrorf("patch_queue", s.env, "", "Failed to read '%s': %s", s.path, err)
}

func (s *source) Resolved() bool { return true }

func (s *source) UniqueKey() (any, error) {
	p, err := s.read()
	return slices.Clone(p.sums), err
}

func (s *source) SourceInfo() ([]kind.SourceInfo, error) {
	p, err := s.read()
	var infos []kind.SourceInfo
	for i, name := range p.names {
		infos = append(infos, kind.SourceInfo{
			URL: strings.TrimSuffix(s.path, "/") + "/" + name, Medium: kind.MediumLocal, VersionType: kind.VersionSHA256, Version: p.sums[i],
		})
	}
	return infos, err
}

func (s *source) Cached(context.Context, kind.SourceWork) bool { return true }

func (s *source) Fetch(context.Context, kind.SourceWork) error { return nil }

func (s *source) Stage(ctx context.Context, w kind.SourceWork, dir string) error {
	return w.Activity("Applying patch queue: "+s.path, func() error { return s.apply(ctx, w, dir) })
}

func (s *source) apply(ctx context.Context, w kind.SourceWork, dir string) error {
	want, err := s.read()
	if err != nil {
		return err
	}
	if len(want.names) == 0 {
		return nil
	}
	// The key speaks for the patches as they were read then.
	got, err := s.readNow()
	if err != nil {
		return err
	}
	if !slices.Equal(got.sums, want.sums) {
		return kind.SourceErrorf("patch_queue", s.env, "source-changed",
			"'%s' was changed after bst had read it: run bst again", s.path)
	}
	apply := s.withGit
	if s.plain {
		apply = s.withPatch
	}
	return apply(ctx, w, dir, want.names)
}

// withGit applies all patches or none.
func (s *source) withGit(ctx context.Context, w kind.SourceWork, dir string, names []string) error {
	program, err := host.Find("patch_queue", s.env, "git")
	if err != nil {
		return err
	}
	argv := []string{program, "-C", dir, "apply", "--"}
	for _, name := range names {
		argv = append(argv, filepath.Join(s.full, name))
	}
	return s.run(ctx, w, host.Command{
		Argv: argv,
		// git would take the directory for a part of a repository that it lies
		// in, and pass over files that are none of that repository's.
		Env: []string{"GIT_CEILING_DIRECTORIES=" + filepath.Dir(dir), "LC_ALL=C", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"},
	})
}

// withPatch applies one patch after the other.
func (s *source) withPatch(ctx context.Context, w kind.SourceWork, dir string, names []string) error {
	program, err := host.Find("patch_queue", s.env, "patch")
	if err != nil {
		return err
	}
	for _, name := range names {
		err := s.run(ctx, w, host.Command{
			Argv: []string{program, "-d", dir, "-Np1", "-i", filepath.Join(s.full, name)}, Env: []string{"LC_ALL=C"},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *source) run(ctx context.Context, w kind.SourceWork, c host.Command) error {
	result, err := host.Run(ctx, w, c)
	if err == nil && result.Status != 0 {
		err = host.Failed("patch_queue", s.env, "Failed to apply patches from "+s.path, result)
	}
	return err
}
