package server

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"bst/impl/cas"
	"bst/impl/proto/bytestream"
	"bst/impl/proto/repb"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// BenchmarkFindMissing asks for 10,000 digests, half of which are there.
func BenchmarkFindMissing(b *testing.B) {
	c := start(b, Config{Push: true})
	r := &repb.FindMissingBlobsRequest{}
	for i := range 10_000 {
		content := binary.LittleEndian.AppendUint64(nil, uint64(i))
		if i%2 == 0 {
			if _, err := c.server.store.PutBytes(content); err != nil {
				b.Fatal(err)
			}
		}
		r.BlobDigests = append(r.BlobDigests, message(cas.DigestBytes(content)))
	}
	for b.Loop() {
		answer, err := c.FindMissingBlobs(context.Background(), r)
		if err != nil || len(answer.MissingBlobDigests) != 5000 {
			b.Fatal(err)
		}
	}
}

// large is how large an object is whose throughput is measured.
const large = 256 << 20

// BenchmarkDownload reads a large object; with "copy", from a server that sends a
// file of the size and does nothing else.
func BenchmarkDownload(b *testing.B) {
	content := random(large, 1)
	d := cas.DigestBytes(content)
	b.Run("server", func(b *testing.B) {
		c := start(b, Config{Push: true})
		if err := c.server.store.PutExpected(d, content); err != nil {
			b.Fatal(err)
		}
		benchRead(b, c.ByteStreamClient, "blobs/"+d.String())
	})
	b.Run("copy", func(b *testing.B) { benchRead(b, bare(b, content), "blobs/"+d.String()) })
}

func benchRead(b *testing.B, c bytestream.ByteStreamClient, name string) {
	b.SetBytes(large)
	for b.Loop() {
		stream, err := c.Read(context.Background(), &bytestream.ReadRequest{ResourceName: name})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for {
			m, err := stream.Recv()
			if err == io.EOF {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			n += len(m.Data)
		}
		if n != large {
			b.Fatal(n)
		}
	}
}

// BenchmarkUpload writes a large object; with "copy", to a server that writes it
// to a file and does nothing else.
func BenchmarkUpload(b *testing.B) {
	content := random(large, 2)
	b.Run("server", func(b *testing.B) {
		c := start(b, Config{Push: true})
		benchWrite(b, c.ByteStreamClient, content)
	})
	b.Run("copy", func(b *testing.B) { benchWrite(b, bare(b, nil), content) })
}

func benchWrite(b *testing.B, c bytestream.ByteStreamClient, content []byte) {
	b.SetBytes(large)
	n := uint64(0)
	for b.Loop() {
		b.StopTimer()
		n++
		binary.LittleEndian.PutUint64(content, n) // another object each time
		d := cas.DigestBytes(content)
		b.StartTimer()
		stream, err := c.Write(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		for at := 0; at < large; at += piece {
			m := &bytestream.WriteRequest{WriteOffset: int64(at), Data: content[at : at+piece], FinishWrite: at+piece == large}
			if at == 0 {
				m.ResourceName = "uploads/u/blobs/" + d.String()
			}
			if err := stream.Send(m); err != nil {
				b.Fatal(err)
			}
		}
		if answer, err := stream.CloseAndRecv(); err != nil || answer.CommittedSize != large {
			b.Fatal(answer, err)
		}
	}
}

// bareServer copies a file to whoever reads, and what is written to another.
type bareServer struct {
	bytestream.UnimplementedByteStreamServer
	from, to string
}

func (s *bareServer) Read(_ *bytestream.ReadRequest, to bytestream.ByteStream_ReadServer) error {
	f, err := os.Open(s.from)
	if err != nil {
		return err
	}
	defer f.Close()
	var buffer [piece]byte
	for {
		n, err := io.ReadFull(f, buffer[:])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := to.Send(&bytestream.ReadResponse{Data: buffer[:n]}); err != nil {
			return err
		}
	}
}

func (s *bareServer) Write(from bytestream.ByteStream_WriteServer) error {
	f, err := os.CreateTemp(s.to, "") // a new file each time, as a store has
	if err != nil {
		return err
	}
	defer f.Close()
	for {
		m, err := from.Recv()
		if err == nil {
			_, err = f.Write(m.Data)
		}
		if err != nil {
			return err
		}
		if m.FinishWrite {
			return from.SendAndClose(&bytestream.WriteResponse{CommittedSize: large})
		}
	}
}

func bare(b *testing.B, content []byte) bytestream.ByteStreamClient {
	files := &bareServer{from: filepath.Join(b.TempDir(), "from"), to: b.TempDir()}
	if err := os.WriteFile(files.from, content, 0o644); err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		b.Fatal(err)
	}
	g := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage), grpc.WriteBufferSize(256<<10), grpc.InitialWindowSize(1<<20), grpc.InitialConnWindowSize(4<<20))
	bytestream.RegisterByteStreamServer(g, files)
	served := make(chan error, 1)
	go func() { served <- g.Serve(l) }()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		conn.Close()
		g.Stop()
		if err := <-served; err != nil {
			b.Error(err)
		}
	})
	return bytestream.NewByteStreamClient(conn)
}
