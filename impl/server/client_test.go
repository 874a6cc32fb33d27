package server

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"testing"
	"time"

	"bst/impl/artifact"
	"bst/impl/cas"
	"bst/impl/proto/assetpb"
	"bst/impl/proto/bytestream"
	"bst/impl/proto/reapi"
	"bst/impl/proto/repb"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// client is a client of a server that a test has started.
type client struct {
	repb.CapabilitiesClient
	repb.ContentAddressableStorageClient
	bytestream.ByteStreamClient
	assetpb.FetchClient
	assetpb.PushClient
	server *Server
	addr   string
}

// start starts a server on a free port.
func start(t testing.TB, cfg Config) *client {
	t.Helper()
	if cfg.CacheDir == "" {
		cfg.CacheDir = t.TempDir()
	}
	if cfg.Fault == nil {
		cfg.Fault = func(err error) { t.Errorf("fault: %v", err) }
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), <-served); err != nil {
			t.Error(err)
		}
	})
	c := dial(t, l.Addr().String(), insecure.NewCredentials())
	c.server = s
	return c
}

func dial(t testing.TB, addr string, creds credentials.TransportCredentials, options ...grpc.DialOption) *client {
	t.Helper()
	conn, err := grpc.NewClient(addr, append(options, grpc.WithTransportCredentials(creds))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &client{repb.NewCapabilitiesClient(conn), repb.NewContentAddressableStorageClient(conn), bytestream.NewByteStreamClient(conn),
		assetpb.NewFetchClient(conn), assetpb.NewPushClient(conn), nil, addr}
}

func ctx(t testing.TB) context.Context {
	c, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return c
}

func wantCode(t testing.TB, what string, err error, want codes.Code) {
	t.Helper()
	if got := status.Code(err); got != want {
		t.Errorf("%s: %v, want %s", what, err, want)
	}
}

func random(n int, seed uint64) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	r.Read(b)
	return b
}

// upload sends an object in one batch.
func (c *client) upload(t testing.TB, content ...[]byte) []*reapi.Digest {
	t.Helper()
	r := &repb.BatchUpdateBlobsRequest{}
	var list []*reapi.Digest
	for _, b := range content {
		d := message(cas.DigestBytes(b))
		list = append(list, d)
		r.Requests = append(r.Requests, &repb.BatchUpdateBlobsRequest_Request{Digest: d, Data: b})
	}
	answer, err := c.BatchUpdateBlobs(ctx(t), r)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range answer.Responses {
		if one.GetStatus().GetCode() != 0 {
			t.Fatal(one.Status)
		}
	}
	return list
}

// read reads an object by a byte stream.
func (c *client) read(t testing.TB, r *bytestream.ReadRequest) ([]byte, error) {
	t.Helper()
	stream, err := c.Read(ctx(t), r)
	if err != nil {
		return nil, err
	}
	var all []byte
	for {
		m, err := stream.Recv()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, m.Data...)
	}
}

// tree reads all below a directory by batches.
func (c *client) tree(t testing.TB, d *reapi.Digest) (files map[string]string) {
	t.Helper()
	files = map[string]string{}
	get := func(d *reapi.Digest) []byte {
		answer, err := c.BatchReadBlobs(ctx(t), &repb.BatchReadBlobsRequest{Digests: []*reapi.Digest{d}})
		if err != nil {
			t.Fatal(err)
		}
		one := answer.Responses[0]
		if one.GetStatus().GetCode() != 0 || message(cas.DigestBytes(one.Data)).GetHash() != d.GetHash() {
			t.Fatalf("%s: %v", d, one.Status)
		}
		return one.Data
	}
	var visit func(prefix string, d *reapi.Digest)
	visit = func(prefix string, d *reapi.Digest) {
		var m reapi.Directory
		if err := proto.Unmarshal(get(d), &m); err != nil {
			t.Fatal(err)
		}
		for _, f := range m.Files {
			files[prefix+f.Name] = string(get(f.Digest))
		}
		for _, s := range m.Directories {
			visit(prefix+s.Name+"/", s.Digest)
		}
	}
	visit("", d)
	return files
}

const (
	strong = "1111111111111111111111111111111111111111111111111111111111111111"
	weak   = "2222222222222222222222222222222222222222222222222222222222222222"
)

// build commits an artifact as a build does, in a session of its own.
func build(t testing.TB, dir, element, key string, files map[string]string) *artifact.Artifact {
	t.Helper()
	store, err := cas.Open(filepath.Join(dir, "cas"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	root := store.EmptyDir()
	for name, content := range files {
		d, err := store.PutBytes([]byte(content))
		if err == nil {
			err = root.MkdirAll(filepath.Dir(name))
		}
		if err == nil {
			err = root.AddFile(name, d, false)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	a := &artifact.Artifact{BuildSuccess: true, StrongKey: key, WeakKey: weak}
	if a.Files, err = root.Digest(); err != nil {
		t.Fatal(err)
	}
	if a.PublicData, err = store.PutBytes([]byte("{}\n")); err != nil {
		t.Fatal(err)
	}
	a.LowDiversityMeta, a.HighDiversityMeta = a.PublicData, a.PublicData
	artifacts, err := artifact.Open(dir, store)
	if err == nil {
		err = artifacts.Commit("project", element, a)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}
