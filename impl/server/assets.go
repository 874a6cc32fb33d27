package server

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"bst/impl/cas"
	"bst/impl/proto/assetpb"
	pb "bst/impl/proto/buildstream/v2"
	"bst/impl/proto/reapi"
	"bst/impl/proto/repb"
	"bst/impl/reffile"

	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// Names in the Remote Asset API are those of the cache itself: what a build in
// this cache has named is served like what was pushed, and the reverse.

const (
	// maxURIs is how many URIs a request may have.
	maxURIs = 64
	// maxAsset is how large the message of an artifact may be, in bytes.
	maxAsset = 16 << 20
)

// question checks what all requests of assets have.
func (s *Server) question(instance string, uris []string, qualifiers []*assetpb.Qualifier, f repb.DigestFunction_Value) error {
	if err := s.instance(instance); err != nil {
		return err
	}
	switch {
	case len(uris) == 0:
		// A client that asks for nothing wants to know whether the service is here.
		return grpcstatus.Error(codes.InvalidArgument, "the request has no URI")
	case len(uris) > maxURIs:
		return grpcstatus.Errorf(codes.InvalidArgument, "the request has more than %d URIs", maxURIs)
	case len(qualifiers) > 0:
		return grpcstatus.Error(codes.InvalidArgument, "this server knows no qualifiers: names of artifacts and sources have none")
	}
	return function(f)
}

// fetcher tells what names stand for.
type fetcher struct {
	assetpb.UnimplementedFetchServer
	s *Server
}

var ok = &status.Status{}

func (f *fetcher) FetchBlob(ctx context.Context, r *assetpb.FetchBlobRequest) (*assetpb.FetchBlobResponse, error) {
	if err := f.s.question(r.GetInstanceName(), r.GetUris(), r.GetQualifiers(), r.GetDigestFunction()); err != nil {
		return nil, err
	}
	about(ctx, "%s", r.GetUris()[0])
	for _, uri := range r.GetUris() {
		d, err := f.blob(uri)
		if err != nil {
			return nil, err
		}
		if !d.IsZero() {
			return &assetpb.FetchBlobResponse{Status: ok, Uri: uri, BlobDigest: message(d), DigestFunction: repb.DigestFunction_SHA256}, nil
		}
	}
	return nil, grpcstatus.Error(codes.NotFound, "no such artifact or source")
}

func (f *fetcher) FetchDirectory(ctx context.Context, r *assetpb.FetchDirectoryRequest) (*assetpb.FetchDirectoryResponse, error) {
	if err := f.s.question(r.GetInstanceName(), r.GetUris(), r.GetQualifiers(), r.GetDigestFunction()); err != nil {
		return nil, err
	}
	about(ctx, "%s", r.GetUris()[0])
	for _, uri := range r.GetUris() {
		d, err := f.directory(uri)
		if err != nil {
			return nil, err
		}
		if !d.IsZero() {
			return &assetpb.FetchDirectoryResponse{Status: ok, Uri: uri, RootDirectoryDigest: message(d), DigestFunction: repb.DigestFunction_SHA256}, nil
		}
	}
	return nil, grpcstatus.Error(codes.NotFound, "no such source")
}

// read reads what a URI stands for, and notes that it is used; nil where there is
// nothing.
func (s *Server) read(uri string) ([]byte, asset, error) {
	a, known := parseURI(s.cfg.CacheDir, uri)
	if !known {
		return nil, a, nil
	}
	b, err := reffile.Use(a.path, maxAsset)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, a, nil
	}
	return b, a, err
}

// blob gives the digest of the message of an artifact or a source. The message
// becomes an object, where it is none yet: names are files of their own.
func (f *fetcher) blob(uri string) (cas.Digest, error) {
	if f.s.cfg.IndexOnly {
		return f.s.indexed(uri, false)
	}
	b, a, err := f.s.read(uri)
	if b == nil || err != nil {
		return cas.Digest{}, err
	}
	if a.artifact {
		// One of which something is missing, after a pull that was given up for
		// example, is as good as none.
		if _, err := f.s.shallow(b); err != nil {
			return cas.Digest{}, nil
		}
	} else if d, err := sourceTree(b); err != nil || !f.s.has(d) {
		return cas.Digest{}, nil
	}
	return f.s.putMessage(b)
}

func (f *fetcher) directory(uri string) (cas.Digest, error) {
	if f.s.cfg.IndexOnly {
		return f.s.indexed(uri, true)
	}
	b, a, err := f.s.read(uri)
	if b == nil || err != nil || a.artifact {
		return cas.Digest{}, err
	}
	d, err := sourceTree(b)
	if err != nil || !f.s.has(d) {
		return cas.Digest{}, nil
	}
	return d, nil
}

// sourceTree is the directory of a source's message.
func sourceTree(b []byte) (cas.Digest, error) {
	var m pb.Source
	if err := proto.Unmarshal(b, &m); err != nil {
		return cas.Digest{}, grpcstatus.Errorf(codes.InvalidArgument, "this is no source: %v", err)
	}
	d := cas.Digest{Hash: m.GetFiles().GetHash(), Size: m.GetFiles().GetSizeBytes()}
	if !d.Valid() {
		return cas.Digest{}, grpcstatus.Error(codes.InvalidArgument, "this source has no directory")
	}
	return d, nil
}

// pusher gives names to what was uploaded.
type pusher struct {
	assetpb.UnimplementedPushServer
	s *Server
}

func (p *pusher) PushBlob(ctx context.Context, r *assetpb.PushBlobRequest) (*assetpb.PushBlobResponse, error) {
	assets, d, err := p.begin(ctx, r.GetInstanceName(), r.GetUris(), r.GetQualifiers(), r.GetDigestFunction(), r.GetBlobDigest())
	if err != nil {
		return nil, err
	}
	if p.s.cfg.IndexOnly {
		return &assetpb.PushBlobResponse{}, p.s.index(r.GetUris(), d, false)
	}
	if d.Size > maxAsset {
		return nil, grpcstatus.Errorf(codes.InvalidArgument, "the message of an artifact or a source has at most %d bytes", maxAsset)
	}
	b, err := p.s.store.Get(d)
	if cas.IsMissing(err) {
		return nil, missing(d)
	}
	if err != nil {
		return nil, err
	}
	// Once, however many names it gets: a client sends an artifact's two keys.
	if slices.ContainsFunc(assets, asset.isArtifact) {
		if err := p.s.artifactOf(b); err != nil {
			return nil, err
		}
	}
	if slices.ContainsFunc(assets, asset.isSource) {
		tree, err := sourceTree(b)
		if err == nil {
			err = p.s.wholeTree(tree)
		}
		if err != nil {
			return nil, err
		}
	}
	return &assetpb.PushBlobResponse{}, p.name(ctx, assets, b)
}

func (p *pusher) PushDirectory(ctx context.Context, r *assetpb.PushDirectoryRequest) (*assetpb.PushDirectoryResponse, error) {
	assets, d, err := p.begin(ctx, r.GetInstanceName(), r.GetUris(), r.GetQualifiers(), r.GetDigestFunction(), r.GetRootDirectoryDigest())
	if err != nil {
		return nil, err
	}
	if p.s.cfg.IndexOnly {
		return &assetpb.PushDirectoryResponse{}, p.s.index(r.GetUris(), d, true)
	}
	if slices.ContainsFunc(assets, asset.isArtifact) {
		return nil, grpcstatus.Error(codes.InvalidArgument, "an artifact is a blob, not a directory")
	}
	if err := p.s.wholeTree(d); err != nil {
		return nil, err
	}
	b, err := proto.Marshal(&pb.Source{Files: &reapi.Digest{Hash: d.Hash, SizeBytes: d.Size}})
	if err != nil {
		return nil, err
	}
	return &assetpb.PushDirectoryResponse{}, p.name(ctx, assets, b)
}

// begin checks what is pushed, and finds the files of its names.
func (p *pusher) begin(ctx context.Context, instance string, uris []string, qualifiers []*assetpb.Qualifier, f repb.DigestFunction_Value,
	of *reapi.Digest) ([]asset, cas.Digest, error) {
	if err := p.s.question(instance, uris, qualifiers, f); err != nil {
		return nil, cas.Digest{}, err
	}
	about(ctx, "%s", uris[0])
	d, err := digest(of)
	if err != nil {
		return nil, d, err
	}
	var assets []asset
	for _, uri := range uris {
		a, known := parseURI(p.s.cfg.CacheDir, uri)
		if !known {
			return nil, d, grpcstatus.Errorf(codes.InvalidArgument, "%.200q is no name of an artifact or a source of BuildStream's", uri)
		}
		assets = append(assets, a)
	}
	return assets, d, nil
}

// name writes the message under each name. All that it needs is held.
func (p *pusher) name(ctx context.Context, assets []asset, b []byte) error {
	done, err := p.s.write(ctx)
	if err != nil {
		return err
	}
	defer done()
	for _, a := range assets {
		write := reffile.Write
		if a.artifact {
			// A build in this cache may be using the one that has the name.
			write = reffile.Replace
		}
		if err := write(a.path, b); err != nil {
			return err
		}
	}
	return nil
}
