// Package generated is the source kind "generated", which GNOME has in its
// project: files that are made once on each host and belong to it, as keys for
// signing do. They lie in the user's folder of configuration.
//
// It knows where they lie. It does not make them: bst runs no programs of a
// project on the host.
package generated

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"bst/impl/kind"
	"bst/impl/kind/local"
	"bst/impl/kind/projectpath"
	"bst/impl/node"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{
		Kind:  "generated",
		NoRef: true,
		Plugins: kind.Plugins{Files: []string{
			"7446b2f589b6aec1e2176d7c736bc2da731ffd7a3be2b9ca269710ebb112c1c7",
		}},
		New: func() kind.Source { return new(source) },
	}
}

// home is where the folders of all such sources lie, below the user's.
const home = ".config/buildstream-generate"

type source struct{ local.Tree }

func (s *source) Configure(config *node.Node, env kind.SourceEnv) error {
	if err := config.ValidateKeys(append([]string{"template", "name", "args", "path"}, kind.CommonSourceKeys...)...); err != nil {
		return err
	}
	name, err := config.NeedStr("name")
	if err != nil {
		return err
	}
	args, err := config.GetStrs("args")
	if err != nil {
		return err
	}
	at, err := config.Need("template")
	if err != nil {
		return err
	}
	template, _, err := projectpath.Resolve(at, env.ProjectDir(), projectpath.Any)
	if err != nil {
		return err
	}
	path, err := config.NeedStr("path")
	if err != nil {
		return err
	}
	user, err := os.UserHomeDir()
	if err != nil {
		return kind.SourceErrorf("generated", env, "", "The user has no folder: %s", err)
	}
	folder := filepath.Join(user, home, name)
	full := filepath.Join(folder, path)
	env.Reads(filepath.Join(env.ProjectDir(), template))
	env.Reads(full)
	info, err := os.Lstat(full)
	if errors.Is(err, fs.ErrNotExist) {
		e := kind.SourceErrorf("generated", env, "missing-generated-files", "'%s' does not exist: it must be generated on this host", full)
		e.Detail = "Run this once, in the project's folder:\n" +
			"    cp -r " + template + " " + folder + " && make -C " + strings.Join(append([]string{folder}, args...), " ")
		return e
	}
	if err != nil {
		return kind.SourceErrorf("generated", env, "", "Failed to read '%s': %s", full, err)
	}
	if mode := info.Mode(); !mode.IsRegular() && !mode.IsDir() {
		return kind.SourceErrorf("generated", env, "", "'%s' is no file and no folder", full)
	}
	s.Tree = local.NewTree("generated", env, path, full, info)
	return nil
}
