// Package cas is the content-addressed store in BuildStream's local layout
// (<cachedir>/cas/objects/aa/rest), and virtual directories over it.
//
// It knows digests, REAPI Directory messages and files. It does not know
// artifacts, elements or sandboxes.
package cas

// Digest is REAPI's Digest.
type Digest struct {
	// Hash is the SHA-256, 64 lower-case hexadecimal digits.
	Hash string
	// Size in bytes.
	Size int64
}
