package server

import (
	"path/filepath"
	"strconv"
	"strings"

	"bst/impl/artifact"
	"bst/impl/cas"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// resource is what a byte stream's resource name says.
type resource struct {
	instance string
	digest   cas.Digest
	// zstd says that the bytes are compressed.
	zstd bool
	// upload is the client's name of an upload, "" where it reads.
	upload string
}

// maxResource bounds a resource name, in bytes.
const maxResource = 1024

// parseResource reads a resource name:
//
//	{instance}/blobs/{hash}/{size}
//	{instance}/compressed-blobs/zstd/{hash}/{size}
//	{instance}/uploads/{uuid}/...either of these
//
// with any instance name, also one with slashes or none, and for an upload with
// anything behind. A digest function may stand before the hash.
func parseResource(name string, write bool) (resource, error) {
	var r resource
	bad := func(what string) (resource, error) {
		return r, status.Errorf(codes.InvalidArgument, "the resource name %.200q %s", name, what)
	}
	if len(name) > maxResource {
		return bad("is too long")
	}
	parts := strings.Split(name, "/")
	at := -1
	for i, part := range parts {
		if write && part == "uploads" || !write && (part == "blobs" || part == "compressed-blobs") {
			at = i
			break
		}
	}
	if at < 0 {
		return bad("names no object")
	}
	r.instance = strings.Join(parts[:at], "/")
	parts = parts[at:]
	if write {
		if len(parts) < 2 || parts[1] == "" {
			return bad("has no upload's name")
		}
		r.upload = parts[1]
		parts = parts[2:]
	}
	switch {
	case len(parts) >= 2 && parts[0] == "blobs":
		parts = parts[1:]
	case len(parts) >= 3 && parts[0] == "compressed-blobs" && parts[1] == "zstd":
		r.zstd = true
		parts = parts[2:]
	case len(parts) >= 2 && parts[0] == "compressed-blobs":
		return bad("names a compressor that is not known here; zstd is")
	default:
		return bad("names no object")
	}
	if parts[0] == "sha256" {
		parts = parts[1:]
	}
	if len(parts) < 2 || len(parts) > 2 && !write {
		return bad("names no object")
	}
	// As it would be written: no sign, no leading zero.
	size, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || strconv.FormatInt(size, 10) != parts[1] {
		return bad("has no size")
	}
	r.digest = cas.Digest{Hash: parts[0], Size: size}
	if !r.digest.Valid() {
		return bad("has no SHA-256")
	}
	return r, nil
}

// asset is what a URI of the Remote Asset API stands for here.
type asset struct {
	// path is the file that holds its message.
	path string
	// artifact tells an artifact's message from a source's.
	artifact bool
}

func (a asset) isArtifact() bool { return a.artifact }
func (a asset) isSource() bool   { return !a.artifact }

// The URIs that BuildStream and bst use: see the reference, part E.
const (
	artifactURN = "urn:fdc:buildstream.build:2020:artifact:"
	sourceURN   = "urn:fdc:buildstream.build:2020:source:"
)

// maxURI bounds a URI, in bytes.
const maxURI = 4096

// parseURI says which file of a cache directory holds what a URI stands for; ok is
// false where it is none of ours. No URI leads out of the folder of its sort.
func parseURI(cacheDir, uri string) (a asset, ok bool) {
	if len(uri) > maxURI {
		return a, false
	}
	if name, is := strings.CutPrefix(uri, artifactURN); is {
		parts := strings.Split(name, "/")
		if len(parts) != 3 || !plain(parts[0]) || !plain(parts[1]) || !key(parts[2]) {
			return a, false
		}
		if artifact.Name(parts[0], parts[1], parts[2]) != name {
			return a, false
		}
		return asset{filepath.Join(cacheDir, "artifacts", "refs", parts[0], parts[1], parts[2]), true}, true
	}
	name, is := strings.CutPrefix(uri, sourceURN)
	if !is {
		return a, false
	}
	kind, of, single := strings.Cut(name, "/")
	switch {
	case !single && key(kind):
		return asset{path: filepath.Join(cacheDir, "elementsources", kind)}, true
	case single && plain(kind) && key(of):
		return asset{path: filepath.Join(cacheDir, "source_protos", kind, of)}, true
	}
	return a, false
}

// plain says that a part of a name can be a folder's: of a project, an element or
// a kind.
func plain(part string) bool {
	if part == "" || len(part) > 255 || part[0] == '.' {
		return false
	}
	for _, c := range []byte(part) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '+':
		default:
			return false
		}
	}
	return true
}

// key says that a part of a name is a cache key.
func key(part string) bool {
	return cas.Digest{Hash: part}.Valid()
}
