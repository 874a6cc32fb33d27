package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"bst/impl/bug"
	"bst/impl/cas"
	"bst/impl/proto/bytestream"
	"bst/impl/stream"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// byteStream reads and writes single objects.
type byteStream struct {
	bytestream.UnimplementedByteStreamServer
	s *Server
}

// piece is how many bytes of an object one message carries.
const piece = 512 << 10

var pieces = sync.Pool{New: func() any { return new([piece]byte) }}

func (b *byteStream) Read(r *bytestream.ReadRequest, to bytestream.ByteStream_ReadServer) error {
	res, err := parseResource(r.GetResourceName(), false)
	if err == nil {
		err = b.s.instance(res.instance)
	}
	if err != nil {
		return err
	}
	ctx := to.Context()
	about(ctx, "%s from %d", res.digest, r.GetReadOffset())
	size, offset, limit := res.digest.Size, r.GetReadOffset(), r.GetReadLimit()
	switch {
	case offset < 0 || limit < 0:
		return status.Error(codes.InvalidArgument, "an offset or limit is less than 0")
	case offset > size:
		return status.Errorf(codes.OutOfRange, "offset %d is beyond the object's %d bytes", offset, size)
	case res.zstd && limit != 0:
		return status.Error(codes.InvalidArgument, "a compressed object is not read in parts")
	}
	left := size - offset
	if limit > 0 {
		left = min(left, limit)
	}
	var file io.Reader = bytes.NewReader(nil)
	if kept := b.s.unkept.get(res.digest); kept != nil {
		file = bytes.NewReader(kept[offset : offset+left])
	} else if res.digest != cas.EmptyDigest {
		f, err := b.s.store.OpenFile(res.digest)
		if err != nil {
			return err
		}
		defer f.Close()
		// It is used, so that it stays until the client has the rest.
		b.s.store.Has(res.digest)
		if _, err := f.Seek(offset, io.SeekStart); err != nil {
			return err
		}
		file = io.LimitReader(f, left)
	}
	if !res.zstd {
		sent, err := send(ctx, to, file)
		if err == nil && sent != left {
			return status.Error(codes.DataLoss, "the object became shorter while it was read")
		}
		return err
	}
	out, in := io.Pipe()
	compressed := bug.Go(func() error {
		err := bug.Try(func() error {
			w, err := zstd.NewWriter(in, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
			if err != nil {
				return err
			}
			_, err = io.Copy(w, file)
			return errors.Join(err, w.Close())
		})
		in.CloseWithError(err) // nil is the end
		return nil
	})
	_, err = send(ctx, to, out)
	out.CloseWithError(io.ErrClosedPipe) // ends the compressing, where sending failed
	return errors.Join(err, compressed())
}

// send sends all that comes.
func send(ctx context.Context, to bytestream.ByteStream_ReadServer, from io.Reader) (sent int64, err error) {
	buffer := pieces.Get().(*[piece]byte)
	defer pieces.Put(buffer)
	for {
		if ctx.Err() != nil {
			return sent, ctx.Err()
		}
		n, err := io.ReadFull(from, buffer[:])
		if n > 0 {
			// Send has encoded the bytes when it returns.
			if err := to.Send(&bytestream.ReadResponse{Data: buffer[:n]}); err != nil {
				return sent, err
			}
			sent += int64(n)
		}
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			return sent, nil
		default:
			return sent, err
		}
	}
}

// decompress gives what is compressed in b, which must be of so many bytes.
func decompress(b []byte, size int64) ([]byte, error) {
	if size > maxBatch {
		return nil, status.Error(codes.InvalidArgument, "an object of this size is no part of a batch")
	}
	r, err := newDecoder(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data := make([]byte, size)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, status.Error(codes.InvalidArgument, "the compressed data does not give the object's size")
	}
	if n, _ := r.Read(make([]byte, 1)); n > 0 {
		return nil, status.Error(codes.InvalidArgument, "the compressed data gives more than the object's size")
	}
	return data, nil
}

// newDecoder bounds what a client's data can make it take.
func newDecoder(r io.Reader) (*zstd.Decoder, error) {
	return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(32<<20), zstd.WithDecoderLowmem(true))
}

// uploads are objects that clients have begun to send. One whose stream breaks
// waits for the client to go on with it.
type uploads struct {
	store *cas.Store

	mu  sync.Mutex // guards all, and each one's busy and last
	all map[string]*upload
}

// upload is one of them.
type upload struct {
	*cas.Incoming
	busy bool
	last time.Time
}

const (
	// maxUploads is how many there may be at once, and uploadAge how long one waits
	// for its client to go on.
	maxUploads = 512
	uploadAge  = 10 * time.Minute
)

// take gives the upload of that name for a stream that goes on at offset, a new one
// where it begins. The caller gives it back.
func (u *uploads) take(name string, d cas.Digest, offset int64) (*upload, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	one := u.all[name]
	if one != nil && one.busy {
		return nil, status.Error(codes.Unavailable, "this upload is still going on in another stream")
	}
	if one != nil && offset == 0 {
		one.Abort()
		delete(u.all, name)
		one = nil
	}
	if one == nil && offset != 0 {
		return nil, status.Errorf(codes.InvalidArgument, "nothing of this upload is here, and it goes on at %d: begin anew", offset)
	}
	if one != nil && one.Len() != offset {
		return nil, status.Errorf(codes.InvalidArgument, "%d bytes of this upload are here, and it goes on at %d", one.Len(), offset)
	}
	if one == nil {
		if len(u.all) >= maxUploads && !u.forgetOldest() {
			return nil, status.Errorf(codes.Unavailable, "the server takes %d uploads at once already", maxUploads)
		}
		begun, err := u.store.Receive(d)
		if err != nil {
			return nil, err
		}
		one = &upload{Incoming: begun}
		if u.all == nil {
			u.all = make(map[string]*upload)
		}
		u.all[name] = one
	}
	one.busy = true
	return one, nil
}

// give gives an upload back; done says that no more comes of it.
func (u *uploads) give(name string, one *upload, done bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	one.busy, one.last = false, time.Now()
	if done {
		one.Abort() // nothing, where it was committed
		delete(u.all, name)
	}
}

// forgetOldest ends the upload that waits longest.
func (u *uploads) forgetOldest() bool {
	oldest := ""
	for name, one := range u.all {
		if !one.busy && (oldest == "" || one.last.Before(u.all[oldest].last)) {
			oldest = name
		}
	}
	if oldest == "" {
		return false
	}
	u.all[oldest].Abort()
	delete(u.all, oldest)
	return true
}

// forget ends those that wait since before a time.
func (u *uploads) forget(before time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for name, one := range u.all {
		if !one.busy && one.last.Before(before) {
			one.Abort()
			delete(u.all, name)
		}
	}
}

// size is how much of an upload is here; known is false where there is none.
func (u *uploads) size(name string) (n int64, known bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	one := u.all[name]
	switch {
	case one == nil:
		return 0, false
	case one.busy:
		return 0, true // what is being written is not promised
	}
	return one.Len(), true
}

func (b *byteStream) Write(from bytestream.ByteStream_WriteServer) error {
	ctx := from.Context()
	first, err := from.Recv()
	if err != nil {
		return gone(err)
	}
	res, err := parseResource(first.GetResourceName(), true)
	if err == nil {
		err = b.s.instance(res.instance)
	}
	if err == nil {
		err = b.s.mayPush()
	}
	if err != nil {
		return err
	}
	about(ctx, "%s at %d", res.digest, first.GetWriteOffset())
	if b.s.has(res.digest) {
		// Enough is here: the client need not send the rest.
		committed := res.digest.Size
		if res.zstd {
			committed = -1
		}
		return from.SendAndClose(&bytestream.WriteResponse{CommittedSize: committed})
	}
	done, err := b.s.write(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := b.s.keeper.Room(ctx, res.digest.Size); err != nil {
		return err
	}
	in := &incoming{from: from, message: first, name: first.GetResourceName(), offset: first.GetWriteOffset()}
	if res.zstd {
		return b.writeCompressed(from, res, in)
	}
	name := first.GetResourceName()
	one, err := b.s.uploads.take(name, res.digest, in.offset)
	if err != nil {
		return err
	}
	over := true // unless the stream broke: then the client may go on
	defer func() { b.s.uploads.give(name, one, over) }()
	for {
		data, err := in.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			over = !errors.Is(err, errBroken)
			return err
		}
		if _, err := one.Write(data); err != nil {
			return wrong(err)
		}
	}
	if err := one.Commit(); err != nil {
		return wrong(err)
	}
	return from.SendAndClose(&bytestream.WriteResponse{CommittedSize: res.digest.Size})
}

// writeCompressed takes an object that comes compressed. It is not gone on with
// after a broken stream.
func (b *byteStream) writeCompressed(from bytestream.ByteStream_WriteServer, res resource, in *incoming) error {
	if in.offset != 0 {
		return status.Error(codes.InvalidArgument, "a compressed upload begins at 0")
	}
	one, err := b.s.store.Receive(res.digest)
	if err != nil {
		return err
	}
	defer one.Abort()
	r, err := newDecoder(in)
	if err != nil {
		return err
	}
	defer r.Close()
	if _, err := io.Copy(one, r); err != nil {
		if in.err != nil && in.err != io.EOF {
			return in.err
		}
		// It is the store's, or what the decoder says of the data.
		if e := (*stream.Error)(nil); errors.As(err, &e) {
			return wrong(err)
		}
		return status.Errorf(codes.InvalidArgument, "the data is no zstd: %v", err)
	}
	// What follows the last frame is part of the upload too.
	for in.err == nil {
		if _, err := in.next(); err != nil && err != io.EOF {
			return err
		}
	}
	if err := one.Commit(); err != nil {
		return wrong(err)
	}
	return from.SendAndClose(&bytestream.WriteResponse{CommittedSize: in.taken})
}

// wrong is the error of what a client has sent that is not what it said, which the
// store calls damaged.
func wrong(err error) error {
	var e *stream.Error
	if errors.As(err, &e) && e.Reason == cas.ReasonCorrupt {
		return status.Error(codes.InvalidArgument, e.Message)
	}
	return err
}

// incoming is the data of an upload's stream.
type incoming struct {
	from    bytestream.ByteStream_WriteServer
	message *bytestream.WriteRequest // the next one, nil where it must be received
	name    string
	offset  int64 // where the next data belongs
	taken   int64
	last    bool   // no more comes
	rest    []byte // of what next gave, for Read
	err     error  // once there was one
	ahead   chan received
}

// errBroken says that a stream ended before the upload.
var errBroken = errors.New("the stream ended before the upload was finished")

// received is what Recv gave.
type received struct {
	m   *bytestream.WriteRequest
	err error
}

// recv receives the next message. The one after it is received while this one is
// worked on.
func (in *incoming) recv() (*bytestream.WriteRequest, error) {
	if in.ahead == nil {
		in.ahead = make(chan received, 1)
		ctx := in.from.Context()
		bug.Start(func() {
			for {
				m, err := in.from.Recv()
				select {
				case in.ahead <- received{m, err}:
				case <-ctx.Done(): // as it is when the handler has returned
					return
				}
				if err != nil || m.GetFinishWrite() {
					return
				}
			}
		}, func(e *bug.Error) { in.ahead <- received{nil, e} })
	}
	select {
	case r := <-in.ahead:
		return r.m, r.err
	case <-in.from.Context().Done():
		return nil, status.FromContextError(in.from.Context().Err()).Err()
	}
}

// next gives the next data, and io.EOF after the last.
func (in *incoming) next() ([]byte, error) {
	if in.err != nil {
		return nil, in.err
	}
	data, err := in.receive()
	in.err = err
	return data, err
}

func (in *incoming) receive() ([]byte, error) {
	if in.last {
		return nil, io.EOF
	}
	m := in.message
	in.message = nil
	if m == nil {
		var err error
		if m, err = in.recv(); err == io.EOF {
			return nil, errors.Join(errBroken, status.Error(codes.InvalidArgument, errBroken.Error()))
		} else if err != nil {
			return nil, errors.Join(errBroken, gone(err))
		}
	}
	if name := m.GetResourceName(); name != "" && name != in.name {
		return nil, status.Error(codes.InvalidArgument, "the resource name changed within an upload")
	}
	if m.GetWriteOffset() != in.offset {
		return nil, status.Errorf(codes.InvalidArgument, "data for %d came where %d is next", m.GetWriteOffset(), in.offset)
	}
	data := m.GetData()
	in.offset += int64(len(data))
	in.taken += int64(len(data))
	in.last = m.GetFinishWrite()
	return data, nil
}

// Read implements io.Reader.
func (in *incoming) Read(p []byte) (int, error) {
	for len(in.rest) == 0 {
		var err error
		if in.rest, err = in.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, in.rest)
	in.rest = in.rest[n:]
	return n, nil
}

// gone is the error of a stream that the client ended.
func gone(err error) error {
	if err == io.EOF {
		return status.Error(codes.InvalidArgument, "the stream has no message")
	}
	return err
}

func (b *byteStream) QueryWriteStatus(ctx context.Context, r *bytestream.QueryWriteStatusRequest) (*bytestream.QueryWriteStatusResponse, error) {
	res, err := parseResource(r.GetResourceName(), true)
	if err == nil {
		err = b.s.instance(res.instance)
	}
	if err == nil {
		err = b.s.mayPush()
	}
	if err != nil {
		return nil, err
	}
	about(ctx, "%s", res.digest)
	if b.s.has(res.digest) {
		return &bytestream.QueryWriteStatusResponse{CommittedSize: res.digest.Size, Complete: true}, nil
	}
	n, known := b.s.uploads.size(r.GetResourceName())
	if !known && !res.zstd {
		return nil, status.Error(codes.NotFound, "there is no such upload")
	}
	return &bytestream.QueryWriteStatusResponse{CommittedSize: n}, nil
}
