package registry

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"
)

// Digest names a content: an algorithm, a colon and the hash in lower-case
// hexadecimal digits.
type Digest string

// DigestOf is the digest of a text, by SHA-256.
func DigestOf(text []byte) Digest {
	sum := sha256.Sum256(text)
	return Digest("sha256:" + hex.EncodeToString(sum[:]))
}

// hash is that of the algorithm, nil for one that registries need not have.
func (d Digest) hash() hash.Hash {
	switch algorithm, _, _ := strings.Cut(string(d), ":"); algorithm {
	case "sha256":
		return sha256.New()
	case "sha512":
		return sha512.New()
	}
	return nil
}

// Validate says what is wrong with a digest.
func (d Digest) Validate() error {
	h := d.hash()
	_, digits, _ := strings.Cut(string(d), ":")
	if h == nil || len(digits) != 2*h.Size() || strings.Trim(digits, "0123456789abcdef") != "" {
		return fmt.Errorf("'%s' is no digest: want sha256: or sha512: and its hexadecimal digits", d)
	}
	return nil
}

func (d Digest) fits(text []byte) bool {
	h := d.hash()
	h.Write(text)
	return d.is(h)
}

func (d Digest) is(h hash.Hash) bool {
	return strings.HasSuffix(string(d), ":"+hex.EncodeToString(h.Sum(nil)))
}

// verified reads a content that is known, and nothing else.
type verified struct {
	io.ReadCloser
	digest Digest
	hash   hash.Hash
	left   int64
}

func (v *verified) Read(p []byte) (int, error) {
	n, err := v.ReadCloser.Read(p)
	v.hash.Write(p[:n])
	v.left -= int64(n)
	switch {
	case v.left < 0:
		return n, fmt.Errorf("the registry sends more than the manifest says")
	case err == io.EOF && v.left > 0:
		return n, io.ErrUnexpectedEOF
	case err == io.EOF && !v.digest.is(v.hash):
		return n, fmt.Errorf("the registry sent something else than %s", v.digest)
	}
	return n, err
}
