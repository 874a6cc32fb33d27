package server

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

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
	"google.golang.org/protobuf/proto"
)

// What a build has made is served, under both its keys.
func TestBuiltArtifactsAreServed(t *testing.T) {
	c := start(t, Config{})
	want := map[string]string{"usr/bin/hello": "#!", "usr/share/doc/x/y": "text", "etc": ""}
	built := build(t, c.server.cfg.CacheDir, "hello", strong, want)
	var blob *reapi.Digest
	for _, key := range []string{strong, weak} {
		answer, err := c.FetchBlob(ctx(t), &assetpb.FetchBlobRequest{Uris: []string{artifactURN + "project/other/" + key, artifactURN + "project/hello/" + key}})
		if err != nil {
			t.Fatal(err)
		}
		if answer.GetStatus().GetCode() != 0 || answer.Uri != artifactURN+"project/hello/"+key {
			t.Errorf("%v", answer)
		}
		blob = answer.BlobDigest
	}
	b, err := c.read(t, &bytestream.ReadRequest{ResourceName: fmt.Sprintf("blobs/%s/%d", blob.Hash, blob.SizeBytes)})
	if err != nil {
		t.Fatal(err)
	}
	a, err := artifact.Decode(b)
	if err != nil || a.Files != built.Files {
		t.Fatalf("%+v, %v", a, err)
	}
	if diff := cmp.Diff(want, c.tree(t, message(a.Files))); diff != "" {
		t.Error(diff)
	}
	// All at once: the topmost directory first, each once.
	stream, err := c.GetTree(ctx(t), &repb.GetTreeRequest{RootDigest: message(a.Files), PageSize: 2})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for {
		m, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil || len(m.Directories) > 2 {
			t.Fatalf("%v, %v", m, err)
		}
		n += len(m.Directories)
	}
	if n != 6 { // ., usr, usr/bin, usr/share, usr/share/doc, usr/share/doc/x
		t.Errorf("%d directories", n)
	}
}

// The requests of BuildStream's client when it pushes an artifact and sources, and
// those with which another finds and pulls them.
func TestPushAsBuildStreamDoes(t *testing.T) {
	c := start(t, Config{Push: true})
	dir := c.server.cfg.CacheDir

	// It asks first whether the services are there, by requests for nothing.
	_, err := c.FetchBlob(ctx(t), &assetpb.FetchBlobRequest{})
	wantCode(t, "empty FetchBlob", err, codes.InvalidArgument)
	_, err = c.PushBlob(ctx(t), &assetpb.PushBlobRequest{})
	wantCode(t, "empty PushBlob", err, codes.InvalidArgument)

	// Blobs, then the message, then its names with all that they refer to.
	file := []byte("content")
	tree, err := proto.Marshal(&reapi.Directory{Files: []*reapi.FileNode{{Name: "file", Digest: message(cas.DigestBytes(file))}}})
	if err != nil {
		t.Fatal(err)
	}
	meta := []byte("a: b\n")
	log := []byte("a log\n")
	absent := cas.DigestBytes([]byte("a build tree that the client has not"))
	a := &artifact.Artifact{BuildSuccess: true, StrongKey: strong, WeakKey: weak, Files: cas.DigestBytes(tree), BuildTree: absent,
		PublicData: cas.DigestBytes(meta), LowDiversityMeta: cas.DigestBytes(meta), HighDiversityMeta: cas.DigestBytes(meta),
		Logs: []artifact.Log{{Name: "build.log", Digest: cas.DigestBytes(log)}}}
	text, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	push := &assetpb.PushBlobRequest{
		Uris:       []string{artifactURN + "project/hello/" + strong, artifactURN + "project/hello/" + weak},
		BlobDigest: message(cas.DigestBytes(text)), ReferencesDirectories: []*reapi.Digest{message(a.Files), message(absent)},
		ReferencesBlobs: []*reapi.Digest{message(a.PublicData), message(a.Logs[0].Digest)},
	}
	missing, err := c.FindMissingBlobs(ctx(t), &repb.FindMissingBlobsRequest{BlobDigests: []*reapi.Digest{message(cas.DigestBytes(file)), message(cas.EmptyDigest)}})
	if err != nil || len(missing.MissingBlobDigests) != 1 || missing.MissingBlobDigests[0].Hash != cas.DigestBytes(file).Hash {
		t.Errorf("%v, %v", missing, err)
	}
	for _, part := range [][]byte{text, meta, log, tree} {
		_, err = c.PushBlob(ctx(t), push)
		wantCode(t, "PushBlob of what is not whole", err, codes.FailedPrecondition)
		c.upload(t, part)
	}
	_, err = c.PushBlob(ctx(t), push)
	wantCode(t, "PushBlob without a file", err, codes.FailedPrecondition)
	_, err = c.FetchBlob(ctx(t), &assetpb.FetchBlobRequest{Uris: push.Uris})
	wantCode(t, "FetchBlob of what was refused", err, codes.NotFound)
	c.upload(t, file)
	if _, err := c.PushBlob(ctx(t), push); err != nil {
		t.Fatal(err)
	}
	got, err := c.FetchBlob(ctx(t), &assetpb.FetchBlobRequest{Uris: push.Uris[1:]})
	if err != nil || got.BlobDigest.Hash != push.BlobDigest.Hash {
		t.Errorf("%v, %v", got, err)
	}
	// A build in the same cache finds it as its own.
	store, err := cas.Open(filepath.Join(dir, "cas"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	artifacts, err := artifact.Open(dir, store)
	if err != nil {
		t.Fatal(err)
	}
	found, err := artifacts.Lookup("project/hello/" + weak)
	if err != nil || found == nil || found.Files != a.Files {
		t.Errorf("%+v, %v", found, err)
	}

	// Another takes its place. What builds that use the first need stays for them.
	again := *a
	again.Logs = nil
	other, err := again.Encode()
	if err != nil {
		t.Fatal(err)
	}
	c.upload(t, other)
	push.BlobDigest = message(cas.DigestBytes(other))
	if _, err := c.PushBlob(ctx(t), push); err != nil {
		t.Fatal(err)
	}
	held := 0
	err = expiry.Artifacts(dir)(func(r expiry.Root) error {
		if _, blobs := r.Read(); slices.Contains(blobs, a.Logs[0].Digest.Hash) {
			held++
		}
		return nil
	})
	if err != nil || held != 2 {
		t.Errorf("%d names hold what was replaced, %v", held, err)
	}

	// Sources of an element: a message; a single source: its directory.
	source, err := proto.Marshal(&pb.Source{Files: &reapi.Digest{Hash: a.Files.Hash, SizeBytes: a.Files.Size}})
	if err != nil {
		t.Fatal(err)
	}
	c.upload(t, source)
	if _, err := c.PushBlob(ctx(t), &assetpb.PushBlobRequest{Uris: []string{sourceURN + strong}, BlobDigest: message(cas.DigestBytes(source)),
		ReferencesDirectories: []*reapi.Digest{message(a.Files)}}); err != nil {
		t.Error(err)
	}
	if got, err := c.FetchBlob(ctx(t), &assetpb.FetchBlobRequest{Uris: []string{sourceURN + strong}}); err != nil || got.BlobDigest.Hash != cas.DigestBytes(source).Hash {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := c.PushDirectory(ctx(t), &assetpb.PushDirectoryRequest{Uris: []string{sourceURN + "tar/" + weak}, RootDirectoryDigest: message(a.Files)}); err != nil {
		t.Error(err)
	}
	if got, err := c.FetchDirectory(ctx(t), &assetpb.FetchDirectoryRequest{Uris: []string{sourceURN + "tar/" + weak}}); err != nil || got.RootDirectoryDigest.Hash != a.Files.Hash {
		t.Errorf("%v, %v", got, err)
	}
	for path, want := range map[string][]byte{"elementsources/" + strong: source, "source_protos/tar/" + weak: source} {
		if b, err := os.ReadFile(filepath.Join(dir, path)); err != nil || !bytes.Equal(b, want) {
			t.Errorf("%s: %q, %v", path, b, err)
		}
	}
}

func TestIndexOnly(t *testing.T) {
	c := start(t, Config{Push: true, IndexOnly: true})
	d := message(cas.DigestBytes([]byte("elsewhere")))
	uri := artifactURN + "project/hello/" + strong
	_, err := c.FindMissingBlobs(ctx(t), &repb.FindMissingBlobsRequest{})
	wantCode(t, "an index's content store", err, codes.Unimplemented)
	if _, err := c.PushBlob(ctx(t), &assetpb.PushBlobRequest{Uris: []string{uri}, BlobDigest: d}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PushDirectory(ctx(t), &assetpb.PushDirectoryRequest{Uris: []string{sourceURN + "tar/" + strong}, RootDirectoryDigest: d}); err != nil {
		t.Fatal(err)
	}
	if got, err := c.FetchBlob(ctx(t), &assetpb.FetchBlobRequest{Uris: []string{uri}}); err != nil || got.BlobDigest.Hash != d.Hash || got.BlobDigest.SizeBytes != d.SizeBytes {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := c.FetchDirectory(ctx(t), &assetpb.FetchDirectoryRequest{Uris: []string{sourceURN + "tar/" + strong}}); err != nil || got.RootDirectoryDigest.Hash != d.Hash {
		t.Errorf("%v, %v", got, err)
	}
	_, err = c.FetchDirectory(ctx(t), &assetpb.FetchDirectoryRequest{Uris: []string{uri}})
	wantCode(t, "a blob asked for as a directory", err, codes.NotFound)
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(c.server.indexPath(sourceURN+"tar/"+strong), past, past); err != nil {
		t.Fatal(err)
	}
	if err := c.server.limitIndex(1); err != nil {
		t.Error(err)
	}
	_, err = c.FetchDirectory(ctx(t), &assetpb.FetchDirectoryRequest{Uris: []string{sourceURN + "tar/" + strong}})
	wantCode(t, "the name that was not used for longest", err, codes.NotFound)
}
