package server

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"bst/impl/cas"
	"bst/impl/reffile"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// An index keeps names alone: the objects lie on another server, so that it cannot
// look at them. Each name is a file of its own, index/aa/rest by the URI's SHA-256.

// indexPath is the file of a URI.
func (s *Server) indexPath(uri string) string {
	sum := sha256.Sum256([]byte(uri))
	name := hex.EncodeToString(sum[:])
	return filepath.Join(s.cfg.CacheDir, "index", name[:2], name[2:])
}

// sort of a digest in an index.
func sort(directory bool) string {
	if directory {
		return "directory"
	}
	return "blob"
}

func (s *Server) index(uris []string, d cas.Digest, directory bool) error {
	for _, uri := range uris {
		text := fmt.Appendf(nil, "%s %s %d %s\n", sort(directory), d.Hash, d.Size, uri)
		if err := reffile.Write(s.indexPath(uri), text); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) indexed(uri string, directory bool) (cas.Digest, error) {
	if _, known := parseURI(s.cfg.CacheDir, uri); !known {
		return cas.Digest{}, nil
	}
	b, err := reffile.Use(s.indexPath(uri), 2*maxURI)
	if errors.Is(err, fs.ErrNotExist) {
		return cas.Digest{}, nil
	}
	if err != nil {
		return cas.Digest{}, err
	}
	var d cas.Digest
	var of, name string
	if n, err := fmt.Sscan(string(b), &of, &d.Hash, &d.Size, &name); n != 4 || err != nil || !d.Valid() || name != uri {
		return cas.Digest{}, status.Error(codes.DataLoss, "the index is damaged")
	}
	if of != sort(directory) {
		return cas.Digest{}, nil
	}
	return d, nil
}

// limitIndex forgets the names that were not used for longest, where there are more
// than most.
func (s *Server) limitIndex(most int) error {
	type name struct {
		path string
		used time.Time
	}
	var all []name
	root := filepath.Join(s.cfg.CacheDir, "index")
	err := reffile.Walk(root, 1, func(path string, used time.Time) error {
		all = append(all, name{path, used})
		return nil
	})
	if err != nil || len(all) <= most {
		return err
	}
	slices.SortFunc(all, func(a, b name) int { return a.used.Compare(b.used) })
	for _, n := range all[:len(all)-most] {
		if _, err := reffile.Expire(root, n.path, n.used); err != nil {
			return err
		}
	}
	return nil
}
