package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"bst/impl/artifact"
	"bst/impl/cas"
	"bst/impl/expiry"
	"bst/impl/proto/assetpb"
	pb "bst/impl/proto/buildstream/v2"
	"bst/impl/proto/bytestream"
	"bst/impl/proto/reapi"
	"bst/impl/proto/repb"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

func TestReadOnly(t *testing.T) {
	c := start(t, Config{})
	b := []byte("content")
	d := message(cas.DigestBytes(b))
	_, err := c.BatchUpdateBlobs(ctx(t), &repb.BatchUpdateBlobsRequest{Requests: []*repb.BatchUpdateBlobsRequest_Request{{Digest: d, Data: b}}})
	wantCode(t, "BatchUpdateBlobs", err, codes.PermissionDenied)
	w, err := c.Write(ctx(t))
	if err != nil {
		t.Fatal(err)
	}
	_ = w.Send(&bytestream.WriteRequest{ResourceName: "uploads/u/blobs/" + d.Hash + "/7", Data: b, FinishWrite: true})
	_, err = w.CloseAndRecv()
	wantCode(t, "Write", err, codes.PermissionDenied)
	_, err = c.PushBlob(ctx(t), &assetpb.PushBlobRequest{})
	wantCode(t, "PushBlob", err, codes.Unimplemented)
	if objects, err := filepath.Glob(filepath.Join(c.server.cfg.CacheDir, "cas/objects/*/*")); err != nil || len(objects) != 0 {
		t.Errorf("%v, %v", objects, err)
	}
}

func TestCapabilities(t *testing.T) {
	c := start(t, Config{Push: true, Instances: []string{"main", "a/b"}})
	for instance, want := range map[string]codes.Code{"main": codes.OK, "a/b": codes.OK, "": codes.FailedPrecondition, "other": codes.FailedPrecondition} {
		got, err := c.GetCapabilities(ctx(t), &repb.GetCapabilitiesRequest{InstanceName: instance})
		wantCode(t, instance, err, want)
		if err == nil && (got.CacheCapabilities.DigestFunctions[0] != repb.DigestFunction_SHA256 || got.HighApiVersion.Major != 2) {
			t.Errorf("%v", got)
		}
		prefix := instance + "/"
		if instance == "" {
			prefix = ""
		}
		_, err = c.read(t, &bytestream.ReadRequest{ResourceName: prefix + "blobs/" + cas.EmptyDigest.String()})
		wantCode(t, "reading from "+instance, err, want)
	}
}

// Requests that make no sense, or mean ill, end in an error that says why, and
// change nothing.
func TestHostileRequests(t *testing.T) {
	// What does not have the size of its name may be damaged here: that is told.
	c := start(t, Config{Push: true, Fault: func(error) {}})
	good := c.upload(t, []byte("good"))[0]
	short := &reapi.Digest{Hash: "abc"}
	up := func(d *reapi.Digest, data string, comp repb.Compressor_Value) error {
		answer, err := c.BatchUpdateBlobs(ctx(t), &repb.BatchUpdateBlobsRequest{Requests: []*repb.BatchUpdateBlobsRequest_Request{{Digest: d, Data: []byte(data), Compressor: comp}}})
		if err != nil {
			return err
		}
		return status.FromProto(answer.Responses[0].Status).Err()
	}
	read := func(name string, offset, limit int64) error {
		_, err := c.read(t, &bytestream.ReadRequest{ResourceName: name, ReadOffset: offset, ReadLimit: limit})
		return err
	}
	blob := func(uri string, d *reapi.Digest) error {
		_, err := c.PushBlob(ctx(t), &assetpb.PushBlobRequest{Uris: []string{uri}, BlobDigest: d})
		return err
	}
	name := fmt.Sprintf("blobs/%s/%d", good.Hash, good.SizeBytes)
	cycle := c.upload(t, []byte("\x12\x02\x0a\x00"), []byte("no directory \xff"))
	dots, err := proto.Marshal(&reapi.Directory{Files: []*reapi.FileNode{{Name: "../../x", Digest: good}}})
	if err != nil {
		t.Fatal(err)
	}
	evil := c.upload(t, dots)[0]
	evilArtifact, err := proto.Marshal(&pb.Artifact{Files: &reapi.Digest{Hash: evil.Hash, SizeBytes: evil.SizeBytes}})
	if err != nil {
		t.Fatal(err)
	}
	evilLog, err := proto.Marshal(&pb.Artifact{Logs: []*pb.Artifact_LogFile{{Name: "../x", Digest: &reapi.Digest{Hash: good.Hash, SizeBytes: 4}}}})
	if err != nil {
		t.Fatal(err)
	}
	evils := c.upload(t, evilArtifact, evilLog)
	many := make([]*reapi.Digest, maxBatchObjects+1)
	for i := range many {
		many[i] = good
	}
	for what, of := range map[string]struct {
		err  error
		want codes.Code
	}{
		"find a digest that is none": {func() error {
			_, err := c.FindMissingBlobs(ctx(t), &repb.FindMissingBlobsRequest{BlobDigests: []*reapi.Digest{short}})
			return err
		}(), codes.InvalidArgument},
		"find by another function": {func() error {
			_, err := c.FindMissingBlobs(ctx(t), &repb.FindMissingBlobsRequest{DigestFunction: repb.DigestFunction_MD5})
			return err
		}(), codes.InvalidArgument},
		"a batch of too many": {func() error {
			_, err := c.BatchReadBlobs(ctx(t), &repb.BatchReadBlobsRequest{Digests: many})
			return err
		}(), codes.InvalidArgument},
		"a batch that is too large": {func() error {
			_, err := c.BatchReadBlobs(ctx(t), &repb.BatchReadBlobsRequest{Digests: []*reapi.Digest{{Hash: good.Hash, SizeBytes: 1 << 62}, {Hash: good.Hash, SizeBytes: 1 << 62}}})
			return err
		}(), codes.InvalidArgument},
		"a wrong hash":                 {up(good, "evil", 0), codes.InvalidArgument},
		"a wrong size":                 {up(&reapi.Digest{Hash: good.Hash, SizeBytes: 5}, "good", 0), codes.InvalidArgument},
		"no digest":                    {up(nil, "good", 0), codes.InvalidArgument},
		"a compressor that is unknown": {up(good, "good", repb.Compressor_BROTLI), codes.InvalidArgument},
		"what is not compressed":       {up(good, "good", repb.Compressor_ZSTD), codes.InvalidArgument},
		"a name that climbs":           {read("../blobs/"+good.Hash+"/4/../..", 0, 0), codes.InvalidArgument},
		"a size with a sign":           {read("blobs/"+good.Hash+"/+4", 0, 0), codes.InvalidArgument},
		"a negative size":              {read("blobs/"+good.Hash+"/-4", 0, 0), codes.InvalidArgument},
		"no name":                      {read("", 0, 0), codes.InvalidArgument},
		"a long name":                  {read(strings.Repeat("x", 5000)+"/"+name, 0, 0), codes.InvalidArgument},
		"an offset beyond the end":     {read(name, 5, 0), codes.OutOfRange},
		"a negative offset":            {read(name, -1, 0), codes.InvalidArgument},
		"a negative limit":             {read(name, 0, -1), codes.InvalidArgument},
		"what is not there":            {read("blobs/"+strong+"/4", 0, 0), codes.NotFound},
		"a size that is another's":     {read("blobs/"+good.Hash+"/5", 0, 0), codes.DataLoss},
		"an unknown compressor":        {read("compressed-blobs/gzip/"+good.Hash+"/4", 0, 0), codes.InvalidArgument},
		"a URI of somebody else's":     {blob("https://example.com/x", good), codes.InvalidArgument},
		"a URI that climbs":            {blob(artifactURN+"../../"+strong, good), codes.InvalidArgument},
		"a URI with a hidden name":     {blob(artifactURN+"project/.tmp-1/"+strong, good), codes.InvalidArgument},
		"a URI with no key":            {blob(artifactURN+"project/element/key", good), codes.InvalidArgument},
		"a source that climbs":         {blob(sourceURN+"../"+strong, good), codes.InvalidArgument},
		"a long URI":                   {blob(artifactURN+strings.Repeat("x", 5000), good), codes.InvalidArgument},
		"no artifact":                  {blob(artifactURN+"p/e/"+strong, cycle[1]), codes.InvalidArgument},
		"an artifact's file climbs":    {blob(artifactURN+"p/e/"+strong, evils[0]), codes.InvalidArgument},
		"an artifact's log climbs":     {blob(artifactURN+"p/e/"+strong, evils[1]), codes.InvalidArgument},
		"no source":                    {blob(sourceURN+strong, good), codes.InvalidArgument},
		"a directory that is none": {func() error {
			_, err := c.PushDirectory(ctx(t), &assetpb.PushDirectoryRequest{Uris: []string{sourceURN + "tar/" + strong}, RootDirectoryDigest: cycle[1]})
			return err
		}(), codes.InvalidArgument},
		"an artifact as a directory": {func() error {
			_, err := c.PushDirectory(ctx(t), &assetpb.PushDirectoryRequest{Uris: []string{artifactURN + "p/e/" + strong}, RootDirectoryDigest: good})
			return err
		}(), codes.InvalidArgument},
		"qualifiers": {func() error {
			_, err := c.FetchBlob(ctx(t), &assetpb.FetchBlobRequest{Uris: []string{sourceURN + strong}, Qualifiers: []*assetpb.Qualifier{{Name: "a"}}})
			return err
		}(), codes.InvalidArgument},
		"many URIs": {func() error {
			_, err := c.FetchBlob(ctx(t), &assetpb.FetchBlobRequest{Uris: make([]string, maxURIs+1)})
			return err
		}(), codes.InvalidArgument},
	} {
		wantCode(t, what, of.err, of.want)
	}
	stream, err := c.GetTree(ctx(t), &repb.GetTreeRequest{RootDigest: evil})
	if err == nil {
		_, err = stream.Recv()
	}
	if c := status.Code(err); c == codes.OK || c == codes.Internal {
		t.Errorf("a tree with a name that climbs: %v", err)
	}
	for _, folder := range []string{"artifacts", "elementsources", "source_protos"} {
		if _, err := os.Stat(filepath.Join(c.server.cfg.CacheDir, folder)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s was made: %v", folder, err)
		}
	}
}

func TestFull(t *testing.T) {
	var mu sync.Mutex
	var faults []error
	c := start(t, Config{Push: true, Policy: expiry.Policy{Quota: 100_000, LowWatermark: 80}, Fault: func(err error) {
		mu.Lock()
		defer mu.Unlock()
		faults = append(faults, err)
	}})
	c.upload(t, random(60_000, 1))
	b := random(60_000, 2)
	d := cas.DigestBytes(b)
	_, err := c.BatchUpdateBlobs(ctx(t), &repb.BatchUpdateBlobsRequest{Requests: []*repb.BatchUpdateBlobsRequest_Request{{Digest: message(d), Data: b}}})
	wantCode(t, "a batch", err, codes.ResourceExhausted)
	w := c.writer(t, "uploads/u/blobs/"+d.String())
	w.send(0, b, true)
	_, err = w.end()
	wantCode(t, "a stream", err, codes.ResourceExhausted)
	mu.Lock()
	defer mu.Unlock()
	if len(faults) == 0 || !strings.Contains(faults[0].Error(), "Cache too full") {
		t.Errorf("%v", faults)
	}
}

// Local builds and their expiry go on in a cache that is served: whatever a client
// was told of is there when it asks for it.
func TestWhileBuildsGoOn(t *testing.T) {
	dir := t.TempDir()
	c := start(t, Config{CacheDir: dir, Push: true})
	var builders sync.WaitGroup
	stop := make(chan struct{})
	keyOf := func(i int) string {
		sum := sha256.Sum256([]byte{byte(i)})
		return hex.EncodeToString(sum[:])
	}
	for b := range 2 {
		builders.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				key := keyOf((i*7 + b) % 20)
				build(t, dir, "e", key, map[string]string{"a": strings.Repeat(key, 20), "b/shared": "shared"})
				store, err := cas.Open(filepath.Join(dir, "cas"))
				if err != nil {
					t.Error(err)
					return
				}
				_, err = (&expiry.Cache{Store: store, Policy: expiry.Policy{Quota: 1, LowWatermark: 80},
					Names: []expiry.Names{expiry.Artifacts(dir), expiry.Sources(dir)}}).MakeRoom(context.Background(), 0)
				if err != nil && err != expiry.ErrBusy {
					t.Error(err)
				}
				store.Close()
			}
		})
	}
	found := 0
	for i := 0; i < 300 || found < 20; i++ {
		key := keyOf(i % 20)
		answer, err := c.FetchBlob(ctx(t), &assetpb.FetchBlobRequest{Uris: []string{artifactURN + "project/e/" + key}})
		if status.Code(err) == codes.NotFound {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		found++
		b, err := c.read(t, &bytestream.ReadRequest{ResourceName: "blobs/" + answer.BlobDigest.Hash + fmt.Sprintf("/%d", answer.BlobDigest.SizeBytes)})
		if err != nil {
			t.Fatal(err)
		}
		a, err := artifact.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"a": strings.Repeat(key, 20), "b/shared": "shared"}
		if diff := cmp.Diff(want, c.tree(t, message(a.Files))); diff != "" {
			t.Error(diff)
		}
	}
	close(stop)
	builders.Wait()
}

func TestLog(t *testing.T) {
	var mu sync.Mutex
	var out strings.Builder
	log := LogTo(&out)
	c := start(t, Config{Log: func(a Access) {
		mu.Lock()
		defer mu.Unlock()
		log(a)
	}})
	_, err := c.FetchBlob(ctx(t), &assetpb.FetchBlobRequest{Uris: []string{artifactURN + "p/e\n/" + strong}})
	wantCode(t, "fetch", err, codes.NotFound)
	_, err = c.read(t, &bytestream.ReadRequest{ResourceName: "blobs/" + strong + "/3"})
	wantCode(t, "read", err, codes.NotFound)
	mu.Lock()
	defer mu.Unlock()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], `FetchBlob "`+artifactURN+`p/e\n/`) || !strings.Contains(lines[1], `ByteStream/Read "`+strong+`/3 from 0" NotFound`) {
		t.Errorf("%s", out.String())
	}
}

// A message that the cache has no room for is kept in memory, for as long as that
// has room.
func TestUnkept(t *testing.T) {
	var m messages
	b := make([]byte, maxUnkept/2)
	d := cas.DigestBytes(b)
	m.put(d, b)
	if m.get(d) == nil {
		t.Error("not kept")
	}
	other := append(bytes.Clone(b), 1)
	m.put(cas.DigestBytes(other), other)
	if m.get(d) != nil || m.bytes > maxUnkept {
		t.Errorf("%d bytes are kept", m.bytes)
	}
}
