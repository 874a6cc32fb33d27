// Package local is the source kind "local": a file or a folder of the project.
//
// It knows where in the project the source lies and how to make its digest. It
// does not know where the digest goes.
package local

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"bst/impl/cas"
	"bst/impl/kind"
	"bst/impl/kind/projectpath"
	"bst/impl/node"
	"bst/impl/stream"

	"google.golang.org/protobuf/encoding/protowire"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{Kind: "local", NoRef: true, New: func() kind.Source { return new(source) }}
}

type source struct{ Tree }

func (s *source) Configure(config *node.Node, env kind.SourceEnv) error {
	if err := config.ValidateKeys(append([]string{"path"}, kind.CommonSourceKeys...)...); err != nil {
		return err
	}
	path, err := config.Need("path")
	if err != nil {
		return err
	}
	name, info, err := projectpath.Resolve(path, env.ProjectDir(), projectpath.Any)
	if err != nil {
		return err
	}
	env.Reads(filepath.Join(env.ProjectDir(), name))
	s.Tree = NewTree("local", env, name, filepath.Join(env.ProjectDir(), name), info)
	return nil
}

// Tree is a file or a folder on disk that is a source as it lies there.
type Tree struct {
	kind string
	env  kind.SourceEnv
	// path is as the project writes it, full is absolute.
	path, full string
	folder     bool
	// options say what of the files the digest speaks for.
	options cas.CaptureOptions
	// digest reads the whole source, once.
	digest func() (cas.Digest, error)
}

// NewTree makes one of a source kind: path is how messages call it, full where
// it is, and info what is there.
func NewTree(kindName string, env kind.SourceEnv, path, full string, info fs.FileInfo) Tree {
	s := Tree{kind: kindName, env: env, path: path, full: full, folder: info.IsDir()}
	s.digest = sync.OnceValues(func() (cas.Digest, error) {
		if s.folder {
			return env.Digests().Tree(s.full)
		}
		d, err := env.Digests().File(s.full)
		return s.single(d, info, func(b []byte) (cas.Digest, error) { return cas.DigestBytes(b), err })
	})
	return s
}

// NewWorkTree makes one of a folder that is worked on: the digest also speaks
// for the files' times of modification.
func NewWorkTree(kindName string, env kind.SourceEnv, path string, info fs.FileInfo) Tree {
	s := NewTree(kindName, env, path, path, info)
	s.options.MTimes = true
	s.digest = sync.OnceValues(func() (cas.Digest, error) { return cas.DigestWorkTree(path) })
	return s
}

// Resolved is true: what is there is what is meant.
func (s *Tree) Resolved() bool { return true }

// UniqueKey is the hash of the REAPI Directory.
func (s *Tree) UniqueKey() (any, error) {
	d, err := s.digest()
	return d.Hash, err
}

// Cached is true: nothing has to be fetched.
func (s *Tree) Cached(context.Context, kind.SourceWork) bool { return true }

// Fetch has nothing to do.
func (s *Tree) Fetch(context.Context, kind.SourceWork) error { return nil }

// Directory stores the source. Files are read a second time here, so what is
// stored is what the key says, or the build ends: nothing else would notice
// that somebody is editing the project meanwhile.
func (s *Tree) Directory(_ context.Context, store *cas.Store) (cas.Digest, error) {
	want, err := s.digest()
	if err != nil {
		return cas.Digest{}, err
	}
	if store.Has(want) {
		if whole, err := store.HasTree(want); err == nil && whole {
			return want, nil
		}
	}
	got, err := s.capture(store)
	if err != nil {
		return cas.Digest{}, err
	}
	if got != want {
		return cas.Digest{}, kind.SourceErrorf(s.kind, s.env, "source-changed",
			"'%s' was changed after bst had read it: run bst again", s.path)
	}
	return got, nil
}

func (s *Tree) capture(store *cas.Store) (cas.Digest, error) {
	if s.folder {
		return store.CaptureTree(s.full, s.options)
	}
	info, err := os.Lstat(s.full)
	if err != nil {
		return cas.Digest{}, s.unreadable(err)
	}
	d, err := store.PutFile(s.full)
	if err != nil {
		return cas.Digest{}, err
	}
	return s.single(d, info, store.PutBytes)
}

// Numbers of the fields of REAPI's Directory, FileNode and Digest.
const (
	directoryFiles = 1
	fileName       = 1
	fileDigest     = 2
	fileExecutable = 4
	digestHash     = 1
	digestSize     = 2
)

// single puts the Directory message that holds the source's one file, whose
// content is d.
func (s *Tree) single(d cas.Digest, info fs.FileInfo, put func([]byte) (cas.Digest, error)) (cas.Digest, error) {
	var digest, file []byte
	digest = protowire.AppendTag(digest, digestHash, protowire.BytesType)
	digest = protowire.AppendString(digest, d.Hash)
	if d.Size != 0 {
		digest = protowire.AppendTag(digest, digestSize, protowire.VarintType)
		digest = protowire.AppendVarint(digest, uint64(d.Size))
	}
	file = protowire.AppendTag(file, fileName, protowire.BytesType)
	file = protowire.AppendString(file, filepath.Base(s.full))
	file = protowire.AppendTag(file, fileDigest, protowire.BytesType)
	file = protowire.AppendBytes(file, digest)
	if info.Mode()&0o100 != 0 {
		file = protowire.AppendTag(file, fileExecutable, protowire.VarintType)
		file = protowire.AppendVarint(file, 1)
	}
	dir := protowire.AppendTag(nil, directoryFiles, protowire.BytesType)
	return put(protowire.AppendBytes(dir, file))
}

// Stage copies the source into dir.
func (s *Tree) Stage(_ context.Context, _ kind.SourceWork, dir string) error {
	if s.folder {
		if err := os.CopyFS(dir, os.DirFS(s.full)); err != nil {
			return s.unstaged(err)
		}
		return nil
	}
	if err := copyFile(filepath.Join(dir, filepath.Base(s.full)), s.full); err != nil {
		return s.unstaged(err)
	}
	return nil
}

func copyFile(dest, from string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(dest, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644|info.Mode()&0o111)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if e := out.Close(); err == nil {
		err = e
	}
	return err
}

func (s *Tree) unstaged(err error) *stream.Error {
	return kind.SourceErrorf(s.kind, s.env, "ensure-stage-dir-fail", "Failed to stage '%s': %s", s.path, err)
}

func (s *Tree) unreadable(err error) *stream.Error {
	return kind.SourceErrorf(s.kind, s.env, "", "%s", fmt.Sprintf("Failed to read '%s': %s", s.path, err))
}
