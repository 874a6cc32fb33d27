package remote

import (
	"context"
	"io"
	"slices"

	"bst/impl/artifact"
	"bst/impl/cas"
	"bst/impl/stream"

	"google.golang.org/grpc/codes"
)

// urn is what an index knows an artifact by: BuildStream's, version 2.
const urn = "urn:fdc:buildstream.build:2020:"

// ArtifactURI is the name of an artifact on an index.
func ArtifactURI(name string) string { return urn + "artifact:" + name }

// SourceURI is the name of the sources of an element, by their key, or of a single
// source as kind/key.
func SourceURI(key string) string { return urn + "source:" + key }

// Pulled is an artifact that came whole.
type Pulled struct {
	Artifact *artifact.Artifact
	Message  []byte
}

// maxArtifact bounds an artifact's message, bytes.
const maxArtifact = 64 << 20

// PullArtifact brings the artifact that message names, and all that it is made of,
// into a store: with buildtrees also what it was built in. Nothing refers to it
// yet. key is the one that it was found by, which it must have.
func (c *Client) PullArtifact(ctx context.Context, store *cas.Store, message cas.Digest, key string, buildtrees bool) (*Pulled, error) {
	if message.Size > maxArtifact {
		return nil, c.hostile("an artifact's message that is too large")
	}
	if err := c.Fetch(ctx, store, []cas.Digest{message}); err != nil {
		return nil, err
	}
	b, err := store.Get(message)
	if err != nil {
		return nil, err
	}
	a, err := artifact.Decode(b)
	if err != nil {
		return nil, c.error(ReasonWrong, codes.DataLoss, c.String()+" sent an artifact that cannot be read: "+err.Error(), "")
	}
	if key != a.StrongKey && key != a.WeakKey || !validKey(a.StrongKey) || a.WeakKey != "" && !validKey(a.WeakKey) {
		return nil, c.error(ReasonWrong, codes.DataLoss, c.String()+" sent another artifact than the one that was asked for", "")
	}
	roots, blobs := parts(a, buildtrees)
	return &Pulled{a, b}, c.FetchTree(ctx, store, roots, blobs...)
}

// Prepare brings what it takes to begin pulling artifacts: their messages, metadata and
// directories, all artifacts' together, so that it takes as many round trips as the
// deepest tree has levels. Nothing is told of what does not come: pulling does that.
func (c *Client) Prepare(ctx context.Context, store *cas.Store, messages []cas.Digest, buildtrees bool) error {
	if err := c.Fetch(ctx, store, messages); err != nil {
		return err
	}
	var roots, blobs []cas.Digest
	for _, d := range messages {
		b, err := store.Get(d)
		if err != nil {
			return err
		}
		a, err := artifact.Decode(b)
		if err != nil {
			continue
		}
		r, m := parts(a, buildtrees)
		roots, blobs = append(roots, r...), append(blobs, m...)
	}
	return c.fetchTree(ctx, store, roots, blobs, false)
}

func validKey(key string) bool {
	d := cas.Digest{Hash: key}
	return d.Valid()
}

// parts are the trees and the objects that an artifact is made of.
func parts(a *artifact.Artifact, buildtrees bool) (roots, blobs []cas.Digest) {
	add := func(list *[]cas.Digest, digests ...cas.Digest) {
		for _, d := range digests {
			if !d.IsZero() {
				*list = append(*list, d)
			}
		}
	}
	add(&roots, a.Files)
	if buildtrees {
		add(&roots, a.BuildTree, a.Sources, a.BuildRoot)
		if a.BuildSandbox != nil {
			add(&roots, a.BuildSandbox.SubsandboxDigests...)
		}
	}
	add(&blobs, a.LowDiversityMeta, a.HighDiversityMeta, a.PublicData)
	for _, log := range a.Logs {
		add(&blobs, log.Digest)
	}
	return roots, blobs
}

// PushObjects sends what an artifact is made of, its message included, and tells
// how many objects the server did not have. Trees of builds that are not here are
// left out, as in the reference.
func (c *Client) PushObjects(ctx context.Context, store *cas.Store, a *artifact.Artifact, message []byte) (sent int, err error) {
	digest := cas.DigestBytes(message)
	files, _ := parts(a, false)
	roots, blobs := parts(a, true)
	all := append([]cas.Digest{digest}, blobs...)
	for _, root := range roots {
		tree, err := Tree(store, root)
		if cas.IsMissing(err) && !slices.Contains(files, root) {
			continue
		}
		if err != nil {
			return 0, err
		}
		all = append(all, tree...)
	}
	missing, err := c.FindMissing(ctx, all)
	if err != nil {
		return 0, err
	}
	return len(missing), c.send(ctx, missing, func(d cas.Digest) (io.ReadSeekCloser, error) {
		return store.OpenFile(d)
	}, func(d cas.Digest) ([]byte, error) {
		if d == digest {
			return message, nil
		}
		return store.Get(d)
	})
}

// PushName has an artifact's names stand for its message, and tells whether the
// server did not know that. element is project/normal-name.
func (c *Client) PushName(ctx context.Context, element string, a *artifact.Artifact, message []byte) (told bool, err error) {
	digest := cas.DigestBytes(message)
	var uris []string
	for _, key := range []string{a.StrongKey, a.WeakKey} {
		if uri := ArtifactURI(element + "/" + key); key != "" && !slices.Contains(uris, uri) {
			uris = append(uris, uri)
		}
	}
	if d, found, err := c.FetchBlob(ctx, uris...); err != nil || found && d == digest {
		return false, err
	}
	roots, blobs := parts(a, true)
	return true, c.PushBlob(ctx, uris, digest, blobs, roots)
}

// Pool opens each server once. It is not safe for concurrent use.
type Pool struct{ clients map[stream.Remote]*Client }

// Open gives the client of a server.
func (p *Pool) Open(spec stream.Remote) (*Client, error) {
	key := spec
	key.From = ""
	if c := p.clients[key]; c != nil {
		return c, nil
	}
	c, err := Open(spec)
	if err != nil {
		return nil, err
	}
	if p.clients == nil {
		p.clients = make(map[stream.Remote]*Client)
	}
	p.clients[key] = c
	return c, nil
}

// Clients are all that were opened.
func (p *Pool) Clients() []*Client {
	var list []*Client
	for _, c := range p.clients {
		list = append(list, c)
	}
	return list
}

// Close closes all clients.
func (p *Pool) Close() error {
	var err error
	for _, c := range p.clients {
		if e := c.Close(); err == nil {
			err = e
		}
	}
	p.clients = nil
	return err
}
