// Package server serves a bst cache to other instances, over gRPC: the content
// store and byte streams of the Remote Execution API, and the Remote Asset API, by
// which BuildStream and bst name artifacts and sources.
//
// It knows a cache directory, and what clients may ask and do. It does not know
// elements, builds nothing, and needs no bst beside it: builds in the same cache, of
// any number of processes, go on while it serves. It catches no signal.
//
// # What is never trusted
//
// Nothing is stored that does not hash to its name, nothing is named that is not
// whole, and no name of a client's becomes a path but by a table of what may be
// one. All that a client can make grow has a bound: messages, streams, connections,
// digests in a question, unfinished uploads and their time, and directories in a
// tree. What ends a request unexpectedly is an error of that request.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"bst/impl/artifact"
	"bst/impl/bug"
	"bst/impl/cas"
	"bst/impl/expiry"
	"bst/impl/proto/assetpb"
	"bst/impl/proto/bytestream"
	"bst/impl/proto/reapi"
	"bst/impl/proto/repb"
	"bst/impl/stream"

	"golang.org/x/net/netutil"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// Config says what is served, to whom.
type Config struct {
	// CacheDir is bst's cache directory (cachedir).
	CacheDir string
	// Push lets clients store objects and names. Without it nothing that a client
	// does changes the cache, but for the times of last use.
	Push bool
	// IndexOnly serves names alone: whose objects lie on another server.
	IndexOnly bool
	// Instances are the instance names that are served; nil is the one without a
	// name. All are the same cache.
	Instances []string
	// Policy bounds the cache, as a session's does. Kept are the names, beside
	// artifacts and sources, that hold objects.
	Policy expiry.Policy
	Kept   []expiry.Names
	// Hold is how long what a client has asked for stays, at least; 0 is an hour.
	Hold time.Duration
	// Tokens say who may read and who may push; nil: everybody.
	Tokens *Tokens
	// TLS is nil for clear text.
	TLS *tls.Config
	// Log is told of each request that has ended; nil for nothing.
	Log func(Access)
	// Fault is told of what goes wrong in the server itself; nil for nothing.
	Fault func(error)
}

// Bounds.
const (
	// maxMessage is how large a message may be that a client sends, in bytes.
	maxMessage = 8 << 20
	// maxBatch is how many bytes of objects a batch may have: a client may take
	// 4 MiB by default, with what surrounds the objects.
	maxBatch = 3 << 20
	// maxBatchObjects is how many objects a batch may have.
	maxBatchObjects = 8192
	// maxStreams is how many requests a connection may have at once, and
	// maxConnections how many there are of those.
	maxStreams     = 256
	maxConnections = 1000
	// maxWriting is how many requests that store may be at it at once: each may
	// hold a message in memory. Others wait.
	maxWriting = 32
	// upkeepAgain is how often the cache is looked after; an index, of at most
	// maxIndex names, each time in indexAgain.
	upkeepAgain = time.Minute
	indexAgain  = 60
	maxIndex    = 1_000_000
)

// Server serves one cache.
type Server struct {
	cfg     Config
	store   *cas.Store
	keeper  *expiry.Keeper
	grpc    *grpc.Server
	uploads uploads
	writing chan struct{}
	unkept  messages

	stop   context.CancelFunc
	upkeep func() error
	once   sync.Once
}

// New makes a server. It writes to the cache: an empty folder becomes one.
func New(cfg Config) (*Server, error) {
	if cfg.Hold == 0 {
		cfg.Hold = time.Hour
	}
	if cfg.Instances == nil {
		cfg.Instances = []string{""}
	}
	if cfg.Fault == nil {
		cfg.Fault = func(error) {}
	}
	store, err := cas.Open(filepath.Join(cfg.CacheDir, "cas"))
	if err != nil {
		return nil, err
	}
	if err := store.HoldLast(cfg.Hold); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, store: store, writing: make(chan struct{}, maxWriting)}
	s.uploads.store = store
	names := append([]expiry.Names{expiry.Artifacts(cfg.CacheDir), expiry.Sources(cfg.CacheDir)}, cfg.Kept...)
	s.keeper = expiry.NewKeeper(&expiry.Cache{Store: store, Policy: cfg.Policy, Names: names})

	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.ConnectionTimeout(30 * time.Second),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 2 * time.Minute, Timeout: 20 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
		grpc.MaxHeaderListSize(64 << 10),
		grpc.WriteBufferSize(256 << 10),
		grpc.InitialWindowSize(1 << 20),
		grpc.InitialConnWindowSize(4 << 20),
		grpc.UnaryInterceptor(s.unary),
		grpc.StreamInterceptor(s.streaming),
	}
	if cfg.TLS != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(cfg.TLS)))
	}
	s.grpc = grpc.NewServer(options...)
	repb.RegisterCapabilitiesServer(s.grpc, &capabilities{s: s})
	if !cfg.IndexOnly {
		repb.RegisterContentAddressableStorageServer(s.grpc, &contentStore{s: s})
		bytestream.RegisterByteStreamServer(s.grpc, &byteStream{s: s})
	}
	assetpb.RegisterFetchServer(s.grpc, &fetcher{s: s})
	if cfg.Push {
		assetpb.RegisterPushServer(s.grpc, &pusher{s: s})
	}

	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.upkeep = bug.Go(func() error { return s.lookAfter(ctx) })
	return s, nil
}

// lookAfter lets go of what nobody asked for lately, forgets uploads that do not go
// on, and makes room, now and then.
func (s *Server) lookAfter(ctx context.Context) error {
	ticker := time.NewTicker(upkeepAgain)
	defer ticker.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case now := <-ticker.C:
			s.uploads.forget(now.Add(-uploadAge))
			if err := s.store.HoldLast(s.cfg.Hold); err != nil {
				s.cfg.Fault(err)
			}
			if n%indexAgain == 0 && s.cfg.IndexOnly {
				if err := s.limitIndex(maxIndex); err != nil {
					s.cfg.Fault(err)
				}
			}
			if err := s.keeper.Room(ctx, 0); err != nil && ctx.Err() == nil {
				s.cfg.Fault(err)
			}
		}
	}
}

// Serve serves until Shutdown or Close, and then gives nil.
func (s *Server) Serve(l net.Listener) error {
	err := s.grpc.Serve(netutil.LimitListener(l, maxConnections))
	if errors.Is(err, grpc.ErrServerStopped) {
		return nil
	}
	return err
}

// Shutdown takes no more requests, and waits for those that run until ctx ends.
// Then it closes the server.
func (s *Server) Shutdown(ctx context.Context) error {
	ended := make(chan struct{})
	bug.Start(func() {
		s.grpc.GracefulStop()
		close(ended)
	}, func(*bug.Error) {})
	select {
	case <-ended:
	case <-ctx.Done():
	}
	return s.Close()
}

// Close ends all requests and closes the cache.
func (s *Server) Close() (err error) {
	s.once.Do(func() {
		s.grpc.Stop() // waits for handlers
		s.stop()
		err = s.upkeep()
		s.uploads.forget(time.Now().Add(time.Hour))
		err = errors.Join(err, s.store.Close())
	})
	return err
}

// instance refuses the name of an instance that is not served.
func (s *Server) instance(name string) error {
	if slices.Contains(s.cfg.Instances, name) {
		return nil
	}
	return status.Errorf(codes.FailedPrecondition, "this server has no instance %q: set instance-name to what it serves", name)
}

// mayPush refuses what changes the cache where that is not allowed.
func (s *Server) mayPush() error {
	if !s.cfg.Push {
		return status.Error(codes.PermissionDenied, "this server is read-only: it was started without --enable-push")
	}
	return nil
}

// write waits for its turn to store something.
func (s *Server) write(ctx context.Context) (done func(), err error) {
	select {
	case s.writing <- struct{}{}:
		return func() { <-s.writing }, nil
	case <-ctx.Done():
		return nil, status.FromContextError(ctx.Err()).Err()
	}
}

// digest takes a digest from a message.
func digest(d *reapi.Digest) (cas.Digest, error) {
	got := cas.Digest{Hash: d.GetHash(), Size: d.GetSizeBytes()}
	if !got.Valid() {
		return got, status.Errorf(codes.InvalidArgument, "%.100q is no SHA-256 with a size", got.String())
	}
	return got, nil
}

func message(d cas.Digest) *reapi.Digest { return &reapi.Digest{Hash: d.Hash, SizeBytes: d.Size} }

// has says whether an object is there; the empty one always is.
func (s *Server) has(d cas.Digest) bool {
	return d == cas.EmptyDigest || s.store.Has(d) || s.unkept.get(d) != nil
}

// get reads an object.
func (s *Server) get(d cas.Digest) ([]byte, error) {
	if d == cas.EmptyDigest {
		return nil, nil
	}
	b, err := s.store.Get(d)
	if cas.IsMissing(err) {
		if kept := s.unkept.get(d); kept != nil {
			return kept, nil
		}
	}
	return b, err
}

// putMessage makes an object of a name's message. In a cache that may only be read
// it stays in memory.
func (s *Server) putMessage(b []byte) (cas.Digest, error) {
	d, err := s.store.PutBytes(b)
	var e *stream.Error
	if errors.As(err, &e) && (e.Reason == cas.ReasonNotWritable || e.Reason == cas.ReasonNoSpace) {
		s.unkept.put(d, b)
		return d, nil
	}
	return d, err
}

// messages are objects that the cache does not have and cannot be given. They can
// be made again from its names.
type messages struct {
	mu    sync.Mutex // guards what follows
	all   map[cas.Digest][]byte
	bytes int
}

// maxUnkept bounds messages, in bytes.
const maxUnkept = 64 << 20

func (m *messages) get(d cas.Digest) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.all[d]
}

func (m *messages) put(d cas.Digest, b []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.all == nil || m.bytes+len(b) > maxUnkept {
		m.all, m.bytes = make(map[cas.Digest][]byte), 0
	}
	if m.all[d] == nil {
		m.all[d] = b
		m.bytes += len(b)
	}
}

// answer makes an answer's error of one of the cache's.
func (s *Server) answer(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return status.FromContextError(err).Err()
	}
	var e *stream.Error
	if !errors.As(err, &e) {
		s.cfg.Fault(err)
		return status.Error(codes.Internal, "internal error: see the server's log")
	}
	switch e.Reason {
	case cas.ReasonMissing:
		return status.Error(codes.NotFound, "no such object")
	case expiry.ReasonTooFull, cas.ReasonNoSpace:
		s.cfg.Fault(err)
		return status.Error(codes.ResourceExhausted, "the server's cache is full")
	case cas.ReasonCorrupt:
		s.cfg.Fault(err)
		return status.Error(codes.DataLoss, "the object is damaged on the server")
	}
	// Paths of the server's are for its log alone.
	s.cfg.Fault(err)
	return status.Error(codes.Internal, "internal error: see the server's log")
}

// shallow wants an artifact whose metadata, logs and topmost directory are here.
func (s *Server) shallow(b []byte) (*artifact.Artifact, error) {
	a, err := artifact.Decode(b)
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "this is no artifact: %v", err)
	}
	need := []cas.Digest{a.PublicData, a.LowDiversityMeta, a.HighDiversityMeta, a.Files}
	for _, log := range a.Logs {
		need = append(need, log.Digest)
	}
	for _, d := range need {
		if !d.IsZero() && !s.has(d) {
			return nil, missing(d)
		}
	}
	return a, nil
}

// artifactOf wants an artifact that is whole, as far as it is needed to use it:
// clients leave out build trees.
func (s *Server) artifactOf(b []byte) error {
	a, err := s.shallow(b)
	if err != nil || a.Files.IsZero() {
		return err
	}
	return s.wholeTree(a.Files)
}

// wholeTree wants a directory and all below it to be here.
func (s *Server) wholeTree(d cas.Digest) error {
	// The empty object need not be uploaded, and a build wants a file of it.
	if _, err := s.store.PutBytes(nil); err != nil {
		return err
	}
	whole, err := s.store.HasTree(d)
	var e *stream.Error
	switch {
	case errors.As(err, &e) && e.Reason == cas.ReasonCorrupt:
		return status.Errorf(codes.InvalidArgument, "%s, or what is below it, is no acceptable directory", d)
	case err != nil:
		return s.answer(err)
	case !whole:
		return missing(d)
	}
	return nil
}

func missing(d cas.Digest) error {
	return status.Errorf(codes.FailedPrecondition, "%s, or what is below it, is not in the store: upload it first", d)
}

// Access is a request that has ended.
type Access struct {
	// Begun is when it began; Took how long it took.
	Begun time.Time
	Took  time.Duration
	// Peer is the client's address, Client the name in its certificate, if any.
	Peer, Client string
	// Method is the gRPC method; What it was about, where that is one thing.
	Method, What string
	// Code is how it ended.
	Code codes.Code
	// Error is what a client was told, "" for nothing.
	Error string
}

// LogTo writes each Access as a line. It is safe for concurrent use.
func LogTo(w io.Writer) func(Access) {
	var mu sync.Mutex
	return func(a Access) {
		mu.Lock()
		defer mu.Unlock()
		client := a.Client
		if client == "" {
			client = "-"
		}
		// Who cannot write a log goes on serving.
		_, _ = fmt.Fprintf(w, "%s %s %q %s %q %s %.1fms %q\n", a.Begun.UTC().Format("2006-01-02T15:04:05.000Z"), a.Peer, client,
			a.Method, a.What, a.Code, float64(a.Took.Microseconds())/1000, a.Error)
	}
}
