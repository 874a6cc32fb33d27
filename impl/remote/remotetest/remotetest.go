// Package remotetest is a server of objects and names for tests, in this process,
// that can be told to fail in every way that servers do.
//
// It knows the messages. It keeps all in memory, and is no server to use.
package remotetest

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"maps"
	"net"
	"strconv"
	"strings"
	"sync"

	"bst/impl/bug"
	"bst/impl/cas"
	"bst/impl/proto/assetpb"
	"bst/impl/proto/bytestream"
	"bst/impl/proto/reapi"
	"bst/impl/proto/repb"

	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Options say what a server does. They are not changed while it runs.
type Options struct {
	// TLS is what connections are made safe with, nil for plain ones.
	TLS *tls.Config
	// Token, where set, is the access token that every call must have.
	Token string
	// NoFetch and NoPush leave out halves of the Remote Asset API, NoCAS the content
	// store.
	NoFetch, NoPush, NoCAS bool
	// MaxBatch is what the capabilities say.
	MaxBatch int64
	// Capacity is how many bytes of objects there may be, 0 for any number.
	Capacity int64
	// Call is called before each call is served, with the method's name
	// ("FetchBlob") and how many of that name there were: an error is the answer.
	Call func(ctx context.Context, method string, n int) error
	// Read gives what is sent for an object instead of what it is; nil is it.
	Read func(d cas.Digest, data []byte) []byte
	// Cut ends a stream after so many bytes, once for each object, with CutError or
	// as if that were all.
	Cut      int64
	CutError error
	// Address is where to listen, "" for any port of 127.0.0.1.
	Address string
}

// Server is a running server.
type Server struct {
	URL string

	options Options
	grpc    *grpc.Server
	ended   chan struct{}

	mu      sync.Mutex // guards what follows
	objects map[cas.Digest][]byte
	size    int64
	blobs   map[string]cas.Digest
	trees   map[string]cas.Digest
	calls   map[string]int
	offsets []int64
	cut     map[string]bool
	partial map[string][]byte
}

// Start runs a server until Stop.
func Start(options Options) (*Server, error) {
	address := options.Address
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	s := &Server{options: options, ended: make(chan struct{}), objects: map[cas.Digest][]byte{}, blobs: map[string]cas.Digest{},
		trees: map[string]cas.Digest{}, calls: map[string]int{}, cut: map[string]bool{}, partial: map[string][]byte{}}
	opts := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(8 << 20),
		grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			if err := s.called(ctx, info.FullMethod); err != nil {
				return nil, err
			}
			return next(ctx, req)
		}),
		grpc.ChainStreamInterceptor(func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			if err := s.called(stream.Context(), info.FullMethod); err != nil {
				return err
			}
			return next(srv, stream)
		}),
	}
	scheme := "http://"
	if options.TLS != nil {
		scheme = "https://"
		opts = append(opts, grpc.Creds(credentials.NewTLS(options.TLS)))
	}
	s.URL = scheme + l.Addr().String()
	s.grpc = grpc.NewServer(opts...)
	if !options.NoCAS {
		repb.RegisterContentAddressableStorageServer(s.grpc, &store{Server: s})
		repb.RegisterCapabilitiesServer(s.grpc, &capabilities{s: s})
		bytestream.RegisterByteStreamServer(s.grpc, &streams{s: s})
	}
	if !options.NoFetch {
		assetpb.RegisterFetchServer(s.grpc, &fetch{s: s})
	}
	if !options.NoPush {
		assetpb.RegisterPushServer(s.grpc, &push{s: s})
	}
	bug.Start(func() {
		defer close(s.ended)
		_ = s.grpc.Serve(l) // Stop's error
	}, func(*bug.Error) {})
	return s, nil
}

// Stop ends the server and all connections.
func (s *Server) Stop() {
	s.grpc.Stop()
	<-s.ended
}

// Put keeps an object.
func (s *Server) Put(data []byte) cas.Digest {
	d := cas.DigestBytes(data)
	s.PutAs(d, data)
	return d
}

// PutAs keeps an object under a digest that need not be its own.
func (s *Server) PutAs(d cas.Digest, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.objects[d]; !ok {
		s.objects[d] = data
		s.size += int64(len(data))
	}
}

// Name has a name stand for an object.
func (s *Server) Name(uri string, d cas.Digest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blobs[uri] = d
}

// Names are all names of objects.
func (s *Server) Names() map[string]cas.Digest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.blobs)
}

// Forget drops an object.
func (s *Server) Forget(d cas.Digest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size -= int64(len(s.objects[d]))
	delete(s.objects, d)
}

// Objects are the digests of all objects.
func (s *Server) Objects() map[cas.Digest]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make(map[cas.Digest]bool, len(s.objects))
	for d := range s.objects {
		list[d] = true
	}
	return list
}

// Calls is how often a method was called; "" is all of them.
func (s *Server) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if method != "" {
		return s.calls[method]
	}
	n := 0
	for _, c := range s.calls {
		n += c
	}
	return n
}

// Offsets are where reads of streams began that did not begin at 0.
func (s *Server) Offsets() []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]int64(nil), s.offsets...)
}

func (s *Server) called(ctx context.Context, method string) error {
	method = method[strings.LastIndexByte(method, '/')+1:]
	s.mu.Lock()
	s.calls[method]++
	n := s.calls[method]
	s.mu.Unlock()
	if s.options.Token != "" {
		md, _ := metadata.FromIncomingContext(ctx)
		if got := md.Get("authorization"); len(got) != 1 || got[0] != "Bearer "+s.options.Token {
			return status.Error(codes.Unauthenticated, "the access token is wrong")
		}
	}
	if s.options.Call != nil {
		return s.options.Call(ctx, method, n)
	}
	return nil
}

func digest(d *reapi.Digest) cas.Digest {
	return cas.Digest{Hash: d.GetHash(), Size: d.GetSizeBytes()}
}

func (s *Server) get(d cas.Digest) ([]byte, error) {
	s.mu.Lock()
	data, ok := s.objects[d]
	s.mu.Unlock()
	if !ok {
		return nil, status.Error(codes.NotFound, "no such object")
	}
	if s.options.Read != nil {
		data = s.options.Read(d, data)
	}
	return data, nil
}

func (s *Server) put(d cas.Digest, data []byte) error {
	if cas.DigestBytes(data) != d {
		return status.Error(codes.InvalidArgument, "the digest is wrong")
	}
	s.mu.Lock()
	full := s.options.Capacity > 0 && s.size+int64(len(data)) > s.options.Capacity
	s.mu.Unlock()
	if full {
		return status.Error(codes.ResourceExhausted, "no space is left")
	}
	s.PutAs(d, data)
	return nil
}

type store struct {
	repb.UnimplementedContentAddressableStorageServer
	*Server
}

func (s *store) FindMissingBlobs(_ context.Context, r *repb.FindMissingBlobsRequest) (*repb.FindMissingBlobsResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &repb.FindMissingBlobsResponse{}
	for _, d := range r.BlobDigests {
		if _, ok := s.objects[digest(d)]; !ok {
			out.MissingBlobDigests = append(out.MissingBlobDigests, d)
		}
	}
	return out, nil
}

func toStatus(err error) *rpcstatus.Status { return status.Convert(err).Proto() }

func (s *store) BatchReadBlobs(_ context.Context, r *repb.BatchReadBlobsRequest) (*repb.BatchReadBlobsResponse, error) {
	out := &repb.BatchReadBlobsResponse{}
	for _, d := range r.Digests {
		data, err := s.get(digest(d))
		out.Responses = append(out.Responses, &repb.BatchReadBlobsResponse_Response{Digest: d, Data: data, Status: toStatus(err)})
	}
	return out, nil
}

func (s *store) BatchUpdateBlobs(_ context.Context, r *repb.BatchUpdateBlobsRequest) (*repb.BatchUpdateBlobsResponse, error) {
	out := &repb.BatchUpdateBlobsResponse{}
	for _, one := range r.Requests {
		out.Responses = append(out.Responses, &repb.BatchUpdateBlobsResponse_Response{Digest: one.Digest,
			Status: toStatus(s.put(digest(one.Digest), one.Data))})
	}
	return out, nil
}

type capabilities struct {
	repb.UnimplementedCapabilitiesServer
	s *Server
}

func (c *capabilities) GetCapabilities(context.Context, *repb.GetCapabilitiesRequest) (*repb.ServerCapabilities, error) {
	return &repb.ServerCapabilities{CacheCapabilities: &repb.CacheCapabilities{
		DigestFunctions:        []repb.DigestFunction_Value{repb.DigestFunction_SHA256},
		MaxBatchTotalSizeBytes: c.s.options.MaxBatch,
	}}, nil
}

type streams struct {
	bytestream.UnimplementedByteStreamServer
	s *Server
}

// object reads the digest off the end of a resource's name.
func object(name string) (cas.Digest, error) {
	parts := strings.Split(name, "/")
	if len(parts) < 3 || parts[len(parts)-3] != "blobs" {
		return cas.Digest{}, status.Error(codes.InvalidArgument, "no such resource")
	}
	size, err := strconv.ParseInt(parts[len(parts)-1], 10, 64)
	if err != nil {
		return cas.Digest{}, status.Error(codes.InvalidArgument, "no such resource")
	}
	return cas.Digest{Hash: parts[len(parts)-2], Size: size}, nil
}

func (b *streams) Read(r *bytestream.ReadRequest, out bytestream.ByteStream_ReadServer) error {
	d, err := object(r.ResourceName)
	if err != nil {
		return err
	}
	data, err := b.s.get(d)
	if err != nil {
		return err
	}
	data = data[min(r.ReadOffset, int64(len(data))):]
	b.s.mu.Lock()
	if r.ReadOffset > 0 {
		b.s.offsets = append(b.s.offsets, r.ReadOffset)
	}
	cut := b.s.options.Cut > 0 && !b.s.cut["read "+d.Hash] && int64(len(data)) > b.s.options.Cut
	if cut {
		b.s.cut["read "+d.Hash] = true
		data = data[:b.s.options.Cut]
	}
	b.s.mu.Unlock()
	for len(data) > 0 {
		n := min(len(data), 256<<10)
		if err := out.Send(&bytestream.ReadResponse{Data: data[:n]}); err != nil {
			return err
		}
		data = data[n:]
	}
	if cut {
		return b.s.options.CutError
	}
	return nil
}

func (b *streams) Write(in bytestream.ByteStream_WriteServer) error {
	name := ""
	var data []byte
	for {
		r, err := in.Recv()
		if errors.Is(err, io.EOF) {
			return status.Error(codes.InvalidArgument, "the object was not finished")
		}
		if err != nil {
			return err
		}
		if name == "" {
			name = r.ResourceName
			b.s.mu.Lock()
			if kept := b.s.partial[name]; r.WriteOffset <= int64(len(kept)) {
				data = append(data, kept[:r.WriteOffset]...)
			}
			b.s.mu.Unlock()
		}
		if r.WriteOffset != int64(len(data)) {
			return status.Error(codes.InvalidArgument, "the offset is wrong")
		}
		data = append(data, r.Data...)
		b.s.mu.Lock()
		cut := b.s.options.Cut > 0 && !b.s.cut["write "+name] && int64(len(data)) > b.s.options.Cut
		if cut {
			b.s.cut["write "+name] = true
			b.s.partial[name] = data
		}
		b.s.mu.Unlock()
		if cut {
			return b.s.options.CutError
		}
		if r.FinishWrite {
			break
		}
	}
	d, err := object(name)
	if err != nil {
		return err
	}
	if err := b.s.put(d, data); err != nil {
		return err
	}
	return in.SendAndClose(&bytestream.WriteResponse{CommittedSize: int64(len(data))})
}

func (b *streams) QueryWriteStatus(_ context.Context, r *bytestream.QueryWriteStatusRequest) (*bytestream.QueryWriteStatusResponse, error) {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	return &bytestream.QueryWriteStatusResponse{CommittedSize: int64(len(b.s.partial[r.ResourceName]))}, nil
}

type fetch struct {
	assetpb.UnimplementedFetchServer
	s *Server
}

func (f *fetch) find(names map[string]cas.Digest, uris []string) (*reapi.Digest, error) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if len(uris) == 0 {
		return nil, status.Error(codes.InvalidArgument, "no URI")
	}
	for _, uri := range uris {
		if d, ok := names[uri]; ok {
			return &reapi.Digest{Hash: d.Hash, SizeBytes: d.Size}, nil
		}
	}
	return nil, status.Error(codes.NotFound, "no such name")
}

func (f *fetch) FetchBlob(_ context.Context, r *assetpb.FetchBlobRequest) (*assetpb.FetchBlobResponse, error) {
	d, err := f.find(f.s.blobs, r.Uris)
	if err != nil {
		return nil, err
	}
	return &assetpb.FetchBlobResponse{BlobDigest: d}, nil
}

func (f *fetch) FetchDirectory(_ context.Context, r *assetpb.FetchDirectoryRequest) (*assetpb.FetchDirectoryResponse, error) {
	d, err := f.find(f.s.trees, r.Uris)
	if err != nil {
		return nil, err
	}
	return &assetpb.FetchDirectoryResponse{RootDirectoryDigest: d}, nil
}

type push struct {
	assetpb.UnimplementedPushServer
	s *Server
}

func (p *push) take(names map[string]cas.Digest, uris []string, d *reapi.Digest) error {
	if len(uris) == 0 {
		return status.Error(codes.InvalidArgument, "no URI")
	}
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	for _, uri := range uris {
		names[uri] = digest(d)
	}
	return nil
}

func (p *push) PushBlob(_ context.Context, r *assetpb.PushBlobRequest) (*assetpb.PushBlobResponse, error) {
	return &assetpb.PushBlobResponse{}, p.take(p.s.blobs, r.Uris, r.BlobDigest)
}

func (p *push) PushDirectory(_ context.Context, r *assetpb.PushDirectoryRequest) (*assetpb.PushDirectoryResponse, error) {
	return &assetpb.PushDirectoryResponse{}, p.take(p.s.trees, r.Uris, r.RootDirectoryDigest)
}
