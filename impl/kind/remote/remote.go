// Package remote is the source kind "remote": one downloaded file, staged as it
// is.
package remote

import (
	"context"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"bst/impl/kind"
	"bst/impl/kind/download"
	"bst/impl/node"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{Kind: "remote", New: func() kind.Source { return new(source) }}
}

type source struct {
	download.File
	env kind.SourceEnv
	// filename is what the staged file is called.
	filename   string
	executable bool
}

func (s *source) Configure(config *node.Node, env kind.SourceEnv) error {
	s.env = env
	if err := s.File.Configure("remote", config, env); err != nil {
		return err
	}
	var err error
	if s.filename, err = config.GetStr("filename", s.Primary[strings.LastIndexByte(s.Primary, '/')+1:]); err != nil {
		return err
	}
	if s.executable, err = config.GetBool("executable", false); err != nil {
		return err
	}
	if strings.Contains(s.filename, "/") {
		return kind.SourceErrorf("remote", env, "filename-contains-directory", "filename parameter cannot contain directories")
	}
	return config.ValidateKeys(append([]string{"filename", "executable"}, download.Keys...)...)
}

func (s *source) UniqueKey() (any, error) {
	return append(s.Key(), s.filename, s.executable), nil
}

func (s *source) Stage(_ context.Context, w kind.SourceWork, dir string) error {
	from, err := s.Path(w)
	if err != nil {
		return err
	}
	if path.Base(s.filename) != s.filename || s.filename == "." || s.filename == ".." {
		return kind.SourceErrorf("remote", s.env, "", "'%s' cannot be the name of a file", s.filename)
	}
	dest := filepath.Join(dir, s.filename)
	return w.Activity("Staging remote file to "+dest, func() error {
		if err := s.copy(dest, from); err != nil {
			return kind.SourceErrorf("remote", s.env, "", "Error staging source: %s", err)
		}
		return nil
	})
}

// copy writes a file of its own: what is staged may be written to, and is no
// link to the one that the next build starts from.
func (s *source) copy(dest, from string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	mode := os.FileMode(0o644)
	if s.executable {
		mode = 0o755
	}
	out, err := os.OpenFile(dest, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Chmod(mode) // whatever the umask
	}
	if e := out.Close(); err == nil {
		err = e
	}
	return err
}
