package server

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Tokens are the bearer tokens of those who may read and who may push, from files
// with a token a line; empty lines and those that begin with # do not count. A file
// that changes counts as it is within tokensFresh; one that has become unreadable
// lets nobody in. Tokens are kept as hashes, and are never told.
type Tokens struct {
	read, push *tokenFile
}

// tokensFresh is how long a look at a file is good for.
const tokensFresh = 2 * time.Second

// NewTokens reads the files. Who has a token for pushing may read too. read may be
// "": then everybody may read; push may be "": then who may read may push.
func NewTokens(read, push string) (*Tokens, error) {
	t := &Tokens{}
	for _, of := range []struct {
		path string
		file **tokenFile
	}{{read, &t.read}, {push, &t.push}} {
		if of.path == "" {
			continue
		}
		f := &tokenFile{path: of.path}
		if err := f.load(); err != nil {
			return nil, err
		}
		*of.file = f
	}
	return t, nil
}

// allow refuses who may not.
func (t *Tokens) allow(ctx context.Context, push bool) error {
	if t == nil {
		return nil
	}
	given, ok := bearer(ctx)
	switch {
	case push && t.push != nil:
		if ok && t.push.has(given) {
			return nil
		}
	case t.read == nil || ok && (t.read.has(given) || t.push != nil && t.push.has(given)):
		return nil
	}
	if !ok {
		return status.Error(codes.Unauthenticated, "this server wants an access token: set auth: access-token for it")
	}
	if push && t.read != nil && t.read.has(given) {
		return status.Error(codes.PermissionDenied, "this access token is for pulling, not for pushing")
	}
	return status.Error(codes.Unauthenticated, "this access token is not known here")
}

// bearer gives the hash of the token that came with a request.
func bearer(ctx context.Context) (hash [sha256.Size]byte, ok bool) {
	md, _ := metadata.FromIncomingContext(ctx)
	list := md.Get("authorization")
	if len(list) != 1 {
		return hash, false
	}
	scheme, token, ok := strings.Cut(list[0], " ")
	if !ok || !strings.EqualFold(scheme, "bearer") {
		return hash, false
	}
	return sha256.Sum256([]byte(strings.TrimSpace(token))), true
}

// tokenFile is a file of tokens.
type tokenFile struct {
	path string

	mu     sync.Mutex // guards what follows
	seen   time.Time
	mtime  time.Time
	size   int64
	hashes [][sha256.Size]byte
}

func (f *tokenFile) has(hash [sha256.Size]byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.seen) > tokensFresh {
		if err := f.loadLocked(); err != nil {
			f.hashes = nil
		}
	}
	found := 0
	for i := range f.hashes {
		found |= subtle.ConstantTimeCompare(f.hashes[i][:], hash[:])
	}
	return found == 1
}

func (f *tokenFile) load() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.loadLocked()
}

// maxTokens bounds a file of tokens, in bytes.
const maxTokens = 1 << 20

func (f *tokenFile) loadLocked() error {
	f.seen = time.Now()
	st, err := os.Stat(f.path)
	if err != nil {
		f.mtime = time.Time{}
		return fmt.Errorf("the file of tokens cannot be read: %w", err)
	}
	if st.ModTime().Equal(f.mtime) && st.Size() == f.size {
		return nil
	}
	if st.Size() > maxTokens {
		return fmt.Errorf("the file of tokens %s has more than %d bytes", f.path, maxTokens)
	}
	b, err := os.ReadFile(f.path)
	if err != nil {
		f.mtime = time.Time{}
		return fmt.Errorf("the file of tokens cannot be read: %w", err)
	}
	var hashes [][sha256.Size]byte
	for lines := bufio.NewScanner(bytes.NewReader(b)); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if line != "" && !strings.HasPrefix(line, "#") {
			hashes = append(hashes, sha256.Sum256([]byte(line)))
		}
	}
	if len(hashes) == 0 {
		return fmt.Errorf("the file of tokens %s has no token: write one a line", f.path)
	}
	f.hashes, f.mtime, f.size = hashes, st.ModTime(), st.Size()
	return nil
}
