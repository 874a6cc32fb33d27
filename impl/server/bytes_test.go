package server

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"testing"
	"time"

	"bst/impl/cas"
	"bst/impl/proto/bytestream"
	"bst/impl/proto/reapi"
	"bst/impl/proto/repb"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc/codes"
)

func TestReadParts(t *testing.T) {
	c := start(t, Config{Push: true})
	content := random(3*piece+17, 1)
	dir := c.server.cfg.CacheDir
	build(t, dir, "e", strong, map[string]string{"f": string(content)})
	d := cas.DigestBytes(content)
	name := "blobs/" + d.String()
	n := len(content)
	for _, tc := range []struct{ offset, limit, from, to int }{
		{0, 0, 0, n}, {1, 0, 1, n}, {n, 0, n, n}, {0, 5, 0, 5}, {piece - 1, 2, piece - 1, piece + 1}, {n - 3, 100, n - 3, n},
	} {
		b, err := c.read(t, &bytestream.ReadRequest{ResourceName: name, ReadOffset: int64(tc.offset), ReadLimit: int64(tc.limit)})
		if err != nil || !bytes.Equal(b, content[tc.from:tc.to]) {
			t.Errorf("%+v: %d bytes, %v", tc, len(b), err)
		}
	}
	for _, offset := range []int{0, n - 100} {
		b, err := c.read(t, &bytestream.ReadRequest{ResourceName: "compressed-blobs/zstd/" + d.String(), ReadOffset: int64(offset)})
		if err != nil {
			t.Fatal(err)
		}
		r, err := zstd.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(r)
		r.Close()
		if err != nil || !bytes.Equal(plain, content[offset:]) {
			t.Errorf("compressed from %d: %d bytes, %v", offset, len(plain), err)
		}
	}
	// A client that goes away in the middle leaves nothing behind.
	gone, cancel := context.WithCancel(ctx(t))
	s, err := c.Read(gone, &bytestream.ReadRequest{ResourceName: "compressed-blobs/zstd/" + d.String()})
	if err == nil {
		_, err = s.Recv()
	}
	if err != nil {
		t.Fatal(err)
	}
	cancel()
}

// writer sends an upload.
type writer struct {
	t      testing.TB
	stream bytestream.ByteStream_WriteClient
	name   string
}

func (c *client) writer(t testing.TB, name string) *writer {
	t.Helper()
	stream, err := c.Write(ctx(t))
	if err != nil {
		t.Fatal(err)
	}
	return &writer{t, stream, name}
}

func (w *writer) send(offset int, b []byte, last bool) {
	w.t.Helper()
	if err := w.stream.Send(&bytestream.WriteRequest{ResourceName: w.name, WriteOffset: int64(offset), Data: b, FinishWrite: last}); err != nil && err != io.EOF {
		w.t.Fatal(err)
	}
	w.name = ""
}

func (w *writer) end() (int64, error) {
	answer, err := w.stream.CloseAndRecv()
	return answer.GetCommittedSize(), err
}

func TestWrite(t *testing.T) {
	c := start(t, Config{Push: true})
	content := random(1<<20, 2)
	d := cas.DigestBytes(content)
	n, half := len(content), len(content)/2
	name := func(id string) string { return "uploads/" + id + "/blobs/" + d.String() + "/behind" }

	for what, send := range map[string]func(w *writer){
		"a wrong hash":  func(w *writer) { w.send(0, random(n, 3), true) },
		"too little":    func(w *writer) { w.send(0, content[:half], true) },
		"too much":      func(w *writer) { w.send(0, append(bytes.Clone(content), 1), true) },
		"a gap":         func(w *writer) { w.send(0, content[:half], false); w.send(half+1, content[half+1:], true) },
		"a wrong begin": func(w *writer) { w.send(half, content[half:], true) },
		"another name": func(w *writer) {
			w.send(0, content[:half], false)
			w.name = name("other")
			w.send(half, content[half:], true)
		},
		"an end without end": func(w *writer) { w.send(0, content, false) },
		"nothing":            func(w *writer) {},
	} {
		w := c.writer(t, name(what))
		send(w)
		_, err := w.end()
		wantCode(t, what, err, codes.InvalidArgument)
		if c.server.store.Has(d) {
			t.Fatalf("after %s the object is there", what)
		}
	}

	// The stream broke; the client goes on where the server is.
	id := name("resumed")
	_, err := c.QueryWriteStatus(ctx(t), &bytestream.QueryWriteStatusRequest{ResourceName: id})
	wantCode(t, "a query before the upload", err, codes.NotFound)
	w := c.writer(t, id)
	w.send(0, content[:half], false)
	_, err = w.end()
	wantCode(t, "a stream that broke", err, codes.InvalidArgument)
	st, err := c.QueryWriteStatus(ctx(t), &bytestream.QueryWriteStatusRequest{ResourceName: id})
	if err != nil || st.CommittedSize != int64(half) || st.Complete {
		t.Fatalf("%v, %v", st, err)
	}
	w = c.writer(t, id)
	w.send(half-1, content[half-1:], true)
	_, err = w.end()
	wantCode(t, "to go on elsewhere", err, codes.InvalidArgument)
	w = c.writer(t, id)
	w.send(half, content[half:], true)
	if got, err := w.end(); err != nil || got != int64(n) {
		t.Fatalf("%d, %v", got, err)
	}
	st, err = c.QueryWriteStatus(ctx(t), &bytestream.QueryWriteStatusRequest{ResourceName: id})
	if err != nil || st.CommittedSize != int64(n) || !st.Complete {
		t.Errorf("%v, %v", st, err)
	}
	if err := c.server.store.Verify(d); err != nil {
		t.Error(err)
	}
	// Who sends it again is told so at once.
	w = c.writer(t, name("again"))
	w.send(0, content[:10], false)
	if got, err := w.end(); err != nil || got != int64(n) {
		t.Errorf("%d, %v", got, err)
	}
	if len(c.server.uploads.all) != 1 { // "an end without end" may still go on
		t.Errorf("%d uploads are left", len(c.server.uploads.all))
	}
	c.server.uploads.forget(time.Now().Add(time.Minute))
	if left, err := filepath.Glob(filepath.Join(c.server.cfg.CacheDir, "cas/tmp/*/*")); err != nil || len(left) != 1 { // the lease
		t.Errorf("%v, %v", left, err)
	}
}

func TestWriteCompressed(t *testing.T) {
	c := start(t, Config{Push: true})
	content := bytes.Repeat([]byte("well compressed "), 100_000)
	d := cas.DigestBytes(content)
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	packed := encoder.EncodeAll(content, nil)
	write := func(size int64, b []byte) (int64, error) {
		w := c.writer(t, fmt.Sprintf("uploads/u/compressed-blobs/zstd/%s/%d", d.Hash, size))
		w.send(0, b[:len(b)/2], false)
		w.send(len(b)/2, b[len(b)/2:], true)
		return w.end()
	}
	for what, of := range map[string]struct {
		size int64
		b    []byte
	}{
		"a wrong size": {d.Size - 1, packed}, "more than said": {100, packed}, "half": {d.Size, packed[:len(packed)/2]},
		"no zstd": {d.Size, content[:1000]}, "something behind": {d.Size, append(bytes.Clone(packed), packed...)},
	} {
		_, err := write(of.size, of.b)
		wantCode(t, what, err, codes.InvalidArgument)
	}
	// Damage of any sort is the client's, and no fault of the server's (see start).
	dense := []byte(hex.EncodeToString(random(4000, 1)))
	whole := encoder.EncodeAll(dense, nil)
	for i := 8; i < len(whole); i += 97 { // behind the frame's header
		b := bytes.Clone(whole)
		b[i] ^= 0xff
		w := c.writer(t, "uploads/u/compressed-blobs/zstd/"+cas.DigestBytes(dense).String())
		w.send(0, b, true)
		_, err := w.end()
		wantCode(t, fmt.Sprintf("byte %d of %d damaged", i, len(b)), err, codes.InvalidArgument)
	}
	if c.server.store.Has(d) {
		t.Error("it is there")
	}
	if n, err := write(d.Size, packed); err != nil || n != int64(len(packed)) {
		t.Errorf("%d, %v", n, err)
	}
	if err := c.server.store.Verify(d); err != nil {
		t.Error(err)
	}
	if n, err := write(d.Size, packed); err != nil || n != -1 {
		t.Errorf("a second time: %d, %v", n, err)
	}
	// In a batch too.
	small := []byte("small small small")
	answer, err := c.BatchUpdateBlobs(ctx(t), &repb.BatchUpdateBlobsRequest{Requests: []*repb.BatchUpdateBlobsRequest_Request{
		{Digest: message(cas.DigestBytes(small)), Data: encoder.EncodeAll(small, nil), Compressor: repb.Compressor_ZSTD},
		{Digest: &reapi.Digest{Hash: d.Hash, SizeBytes: 10}, Data: packed, Compressor: repb.Compressor_ZSTD}}})
	if err != nil || answer.Responses[0].GetStatus().GetCode() != 0 || answer.Responses[1].GetStatus().GetCode() != int32(codes.InvalidArgument) {
		t.Errorf("%v, %v", answer, err)
	}
}

func TestUploadsAreBounded(t *testing.T) {
	s, err := cas.Open(filepath.Join(t.TempDir(), "cas"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	u := &uploads{store: s}
	var busy []*upload
	for i := range maxUploads {
		one, err := u.take(fmt.Sprint(i), cas.DigestBytes([]byte{byte(i)}), 0)
		if err != nil {
			t.Fatal(err)
		}
		busy = append(busy, one)
	}
	_, err = u.take("more", cas.EmptyDigest, 0)
	wantCode(t, "one more", err, codes.Unavailable)
	_, err = u.take("3", cas.EmptyDigest, 0)
	wantCode(t, "one that goes on elsewhere", err, codes.Unavailable)
	u.give("7", busy[7], false)
	if _, err := u.take("more", cas.EmptyDigest, 0); err != nil {
		t.Error(err)
	}
	if _, known := u.size("7"); known || len(u.all) != maxUploads {
		t.Errorf("%d uploads", len(u.all))
	}
	for name, one := range u.all {
		u.give(name, one, true)
	}
}
