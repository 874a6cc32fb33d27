package remote

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"

	"bst/impl/bug"
	"bst/impl/cas"
	"bst/impl/proto/bytestream"
	"bst/impl/proto/reapi"
	"bst/impl/proto/repb"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// piece is how much of a large object one message carries.
const piece = 1 << 20

func toProto(d cas.Digest) *reapi.Digest { return &reapi.Digest{Hash: d.Hash, SizeBytes: d.Size} }

func fromProto(d *reapi.Digest) cas.Digest {
	return cas.Digest{Hash: d.GetHash(), Size: d.GetSizeBytes()}
}

// unique leaves out what is there twice.
func unique(list []cas.Digest) []cas.Digest {
	seen := make(map[cas.Digest]bool, len(list))
	var rest []cas.Digest
	for _, d := range list {
		if !d.IsZero() && !seen[d] {
			seen[d] = true
			rest = append(rest, d)
		}
	}
	return rest
}

// finder joins the questions of many goroutines into few calls: what is asked
// while a call is under way goes with the next one.
type finder struct {
	c *Client

	mu      sync.Mutex // guards what follows
	asking  bool
	waiting []*question
}

type question struct {
	ctx     context.Context
	digests []cas.Digest
	done    chan struct{} // closed when missing and err are set
	missing []cas.Digest
	err     error
}

// FindMissing gives those of the objects that the server does not have, in order.
func (c *Client) FindMissing(ctx context.Context, digests []cas.Digest) ([]cas.Digest, error) {
	digests = unique(digests)
	if len(digests) == 0 {
		return nil, nil
	}
	q := &question{ctx: ctx, digests: digests, done: make(chan struct{})}
	f := &c.finder
	f.mu.Lock()
	f.waiting = append(f.waiting, q)
	first := !f.asking
	f.asking = true
	f.mu.Unlock()
	if first {
		bug.Start(f.ask, func(e *bug.Error) { f.broke(e) })
	}
	select {
	case <-q.done:
		return q.missing, q.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ask asks what waits, until nothing does.
func (f *finder) ask() {
	for {
		f.mu.Lock()
		batch := f.waiting
		f.waiting = nil
		if len(batch) == 0 {
			f.asking = false
			f.mu.Unlock()
			return
		}
		f.mu.Unlock()
		var all []cas.Digest
		live := batch[:0:0]
		for _, q := range batch {
			if q.ctx.Err() == nil {
				live = append(live, q)
				all = append(all, q.digests...)
			}
		}
		var missing map[cas.Digest]bool
		// All who asked wait for an answer: a bug is one too.
		err := bug.Try(func() (err error) {
			missing, err = f.c.findMissing(f.c.ctx, unique(all))
			return err
		})
		for _, q := range live {
			q.err = err
			for _, d := range q.digests {
				if missing[d] {
					q.missing = append(q.missing, d)
				}
			}
			close(q.done)
		}
	}
}

func (f *finder) broke(e *bug.Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asking = false
	for _, q := range f.waiting {
		q.err = e
		close(q.done)
	}
	f.waiting = nil
}

func (c *Client) findMissing(ctx context.Context, digests []cas.Digest) (map[cas.Digest]bool, error) {
	var mu sync.Mutex // guards missing
	missing := make(map[cas.Digest]bool)
	var jobs []func(context.Context) error
	for part := range slices.Chunk(digests, maxDigests) {
		request := &repb.FindMissingBlobsRequest{InstanceName: c.spec.Instance, BlobDigests: toProtos(part)}
		jobs = append(jobs, func(ctx context.Context) error {
			return c.call(ctx, "say which objects it has", func(ctx context.Context) error {
				got, err := c.store.FindMissingBlobs(ctx, request)
				if err != nil {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				for _, d := range got.GetMissingBlobDigests() {
					missing[fromProto(d)] = true
				}
				return nil
			})
		})
	}
	return missing, c.parallel(ctx, jobs)
}

// parallel runs jobs, each in one of the client's slots, and gives the first
// error, which ends the others.
func (c *Client) parallel(ctx context.Context, jobs []func(context.Context) error) error {
	if len(jobs) == 0 {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan func(context.Context) error, len(jobs))
	for _, job := range jobs {
		next <- job
	}
	close(next)
	var g bug.Group
	for range min(len(jobs), transfers) {
		g.Go(func() {
			for job := range next {
				release, err := acquire(ctx, c.slots)
				if err == nil {
					err = job(ctx)
					release()
				}
				if err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	g.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// batches divides objects into those that go together in one message, and those
// that are too large for it.
func (c *Client) batches(digests []cas.Digest) (together [][]cas.Digest, alone []cas.Digest) {
	most := c.batch.Load()
	const around = 128 // bytes of a message that an object takes besides its own
	var batch []cas.Digest
	var size int64
	for _, d := range digests {
		if d.Size+around > most {
			alone = append(alone, d)
			continue
		}
		if len(batch) > 0 && (size+d.Size+around > most || len(batch) == maxBatchObjects) {
			together = append(together, batch)
			batch, size = nil, 0
		}
		batch = append(batch, d)
		size += d.Size + around
	}
	if len(batch) > 0 {
		together = append(together, batch)
	}
	return together, alone
}

// Fetch brings objects into a store, those that it does not have. The error is
// ReasonMissing where the server does not have one.
func (c *Client) Fetch(ctx context.Context, store *cas.Store, digests []cas.Digest) error {
	var need []cas.Digest
	for _, d := range unique(digests) {
		switch {
		case !d.Valid():
			return c.error(ReasonWrong, codes.InvalidArgument, fmt.Sprintf("%q, which %s named, is no digest", d, c), "")
		case store.Has(d):
		case d == cas.EmptyDigest:
			// Not every server has it.
			if _, err := store.PutBytes(nil); err != nil {
				return err
			}
		default:
			need = append(need, d)
		}
	}
	together, alone := c.batches(need)
	jobs := make([]func(context.Context) error, 0, len(together)+len(alone))
	for _, batch := range together {
		jobs = append(jobs, func(ctx context.Context) error { return c.read(ctx, store, batch) })
	}
	for _, d := range alone {
		jobs = append(jobs, func(ctx context.Context) error { return c.download(ctx, store, d) })
	}
	return c.parallel(ctx, jobs)
}

// read reads objects that fit into one message.
func (c *Client) read(ctx context.Context, store *cas.Store, batch []cas.Digest) error {
	for left := batch; len(left) > 0; {
		wanted := make(map[cas.Digest]bool, len(left))
		request := &repb.BatchReadBlobsRequest{InstanceName: c.spec.Instance}
		for _, d := range left {
			wanted[d] = true
			request.Digests = append(request.Digests, toProto(d))
		}
		err := c.call(ctx, "send objects", func(ctx context.Context) error {
			got, err := c.store.BatchReadBlobs(ctx, request)
			if err != nil {
				return err
			}
			var failed error
			for _, r := range got.GetResponses() {
				d := fromProto(r.GetDigest())
				if !wanted[d] {
					continue
				}
				switch code := codes.Code(r.GetStatus().GetCode()); code {
				case codes.OK:
					if r.GetCompressor() != repb.Compressor_IDENTITY {
						return c.wrong("compressed data", d)
					}
					if cas.DigestBytes(r.GetData()) != d {
						return c.wrong(fmt.Sprintf("%d other bytes", len(r.GetData())), d)
					}
					if err := store.PutExpected(d, r.GetData()); err != nil {
						return err
					}
					delete(wanted, d)
				case codes.NotFound:
					return c.missing(d)
				default:
					failed = status.Error(code, r.GetStatus().GetMessage())
				}
			}
			return failed
		})
		if codeOf(err) == codes.Unimplemented || codeOf(err) == codes.OutOfRange {
			// Batches are optional.
			for _, d := range left {
				if err := c.download(ctx, store, d); err != nil {
					return err
				}
			}
			return nil
		}
		if err != nil {
			return err
		}
		var rest []cas.Digest
		for _, d := range left {
			if wanted[d] {
				rest = append(rest, d)
			}
		}
		if len(rest) == len(left) {
			return c.wrong("nothing", left[0])
		}
		left = rest
	}
	return nil
}

func (c *Client) resource(kind string, d cas.Digest) string {
	name := kind + "blobs/" + d.Hash + "/" + strconv.FormatInt(d.Size, 10)
	if c.spec.Instance != "" {
		name = c.spec.Instance + "/" + name
	}
	return name
}

// watch ends a context when nothing has moved for a while.
func (c *Client) watch(ctx context.Context) (_ context.Context, moved func(), stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(c.timeout, func() { cancel(context.DeadlineExceeded) })
	return ctx, func() { timer.Reset(c.timeout) }, func() {
		timer.Stop()
		cancel(nil)
	}
}

// download reads one object as a stream, and goes on where it was interrupted.
func (c *Client) download(ctx context.Context, store *cas.Store, d cas.Digest) error {
	if store.Has(d) {
		return nil
	}
	in, err := store.Receive(d)
	if err != nil {
		return err
	}
	defer in.Abort()
	var before int64
	err = c.attempts(ctx, c.retries, func() error {
		before = in.Len()
		if err := c.stream(ctx, d, in); err != nil {
			return c.failure("send an object", err)
		}
		return nil
	}, func() bool { return in.Len() > before })
	if IsMissing(err) {
		return c.missing(d)
	}
	if err != nil {
		return err
	}
	if in.Len() < d.Size {
		return c.wrong(fmt.Sprintf("%d bytes", in.Len()), d)
	}
	if err := in.Commit(); err != nil {
		if casCorrupt(err) {
			return c.wrong("other bytes", d)
		}
		return err
	}
	return nil
}

// casCorrupt says that err is of an object that is not what it is named.
func casCorrupt(err error) bool { return reasonOf(err) == cas.ReasonCorrupt }

func (c *Client) stream(ctx context.Context, d cas.Digest, in *cas.Incoming) error {
	if in.Len() == d.Size {
		return nil
	}
	ctx, moved, stop := c.watch(ctx)
	defer stop()
	s, err := c.bytes.Read(ctx, &bytestream.ReadRequest{ResourceName: c.resource("", d), ReadOffset: in.Len()})
	for err == nil {
		var r *bytestream.ReadResponse
		if r, err = s.Recv(); err != nil {
			break
		}
		if len(r.GetData()) == 0 {
			continue // nothing has moved
		}
		moved()
		if _, err := in.Write(r.GetData()); casCorrupt(err) {
			return c.wrong("more bytes", d)
		} else if err != nil {
			return err
		}
	}
	switch {
	case err == io.EOF && in.Len() < d.Size:
		// Cut short, and said to be whole: a broken proxy's way. Once more may help.
		return status.Error(codes.Unavailable, fmt.Sprintf("the object ended after %d of %d bytes", in.Len(), d.Size))
	case err == io.EOF:
		return nil
	case context.Cause(ctx) == context.DeadlineExceeded:
		return context.DeadlineExceeded
	}
	return err
}

// Push sends those objects of a store that the server does not have, and tells how
// many that were.
func (c *Client) Push(ctx context.Context, store *cas.Store, digests []cas.Digest) (sent int, err error) {
	missing, err := c.FindMissing(ctx, digests)
	if err != nil {
		return 0, err
	}
	return len(missing), c.send(ctx, missing, func(d cas.Digest) (io.ReadSeekCloser, error) { return store.OpenFile(d) }, store.Get)
}

// send sends objects that are read by open, or whole by get.
func (c *Client) send(ctx context.Context, digests []cas.Digest, open func(cas.Digest) (io.ReadSeekCloser, error),
	get func(cas.Digest) ([]byte, error)) error {
	together, alone := c.batches(digests)
	jobs := make([]func(context.Context) error, 0, len(together)+len(alone))
	for _, batch := range together {
		jobs = append(jobs, func(ctx context.Context) error { return c.update(ctx, batch, get) })
	}
	for _, d := range alone {
		jobs = append(jobs, func(ctx context.Context) error { return c.upload(ctx, d, open) })
	}
	return c.parallel(ctx, jobs)
}

// update sends objects that fit into one message.
func (c *Client) update(ctx context.Context, batch []cas.Digest, get func(cas.Digest) ([]byte, error)) error {
	request := &repb.BatchUpdateBlobsRequest{InstanceName: c.spec.Instance}
	left := make(map[cas.Digest]bool, len(batch))
	for _, d := range batch {
		data, err := get(d)
		if err != nil {
			return err
		}
		left[d] = true
		request.Requests = append(request.Requests, &repb.BatchUpdateBlobsRequest_Request{Digest: toProto(d), Data: data})
	}
	return c.call(ctx, "take objects", func(ctx context.Context) error {
		got, err := c.store.BatchUpdateBlobs(ctx, request)
		if err != nil {
			return err
		}
		var failed error
		for _, r := range got.GetResponses() {
			code := codes.Code(r.GetStatus().GetCode())
			if code == codes.OK {
				delete(left, fromProto(r.GetDigest()))
			} else if failed == nil || code == codes.ResourceExhausted {
				failed = status.Error(code, r.GetStatus().GetMessage())
			}
		}
		if failed == nil && len(left) > 0 {
			failed = status.Error(codes.Unknown, fmt.Sprintf("it said nothing of %d objects", len(left)))
		}
		if failed != nil { // what it has need not be sent again
			request.Requests = slices.DeleteFunc(request.Requests, func(r *repb.BatchUpdateBlobsRequest_Request) bool {
				return !left[fromProto(r.Digest)]
			})
		}
		return failed
	})
}

// upload sends one object as a stream, and goes on where it was interrupted.
func (c *Client) upload(ctx context.Context, d cas.Digest, open func(cas.Digest) (io.ReadSeekCloser, error)) error {
	f, err := open(d)
	if err != nil {
		return err
	}
	defer f.Close()
	name := c.resource("uploads/"+newUUID()+"/", d)
	first := true
	var from, before int64
	buffer := make([]byte, piece)
	return c.attempts(ctx, c.retries, func() error {
		before = from
		if !first {
			from = c.committed(ctx, name, d)
		}
		first = false
		if _, err := f.Seek(from, io.SeekStart); err != nil {
			return err
		}
		if err := c.write(ctx, name, d, f, from, buffer); err != nil {
			return c.failure("take an object", err)
		}
		return nil
	}, func() bool { return from > before })
}

// committed asks how much of an upload the server has.
func (c *Client) committed(ctx context.Context, name string, d cas.Digest) int64 {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	c.trips.Add(1)
	got, err := c.bytes.QueryWriteStatus(ctx, &bytestream.QueryWriteStatusRequest{ResourceName: name})
	if n := got.GetCommittedSize(); err == nil && n > 0 && n < d.Size {
		return n
	}
	return 0
}

func (c *Client) write(ctx context.Context, name string, d cas.Digest, f io.Reader, from int64, buffer []byte) error {
	ctx, moved, stop := c.watch(ctx)
	defer stop()
	fail := func(err error) error {
		if context.Cause(ctx) == context.DeadlineExceeded {
			return context.DeadlineExceeded
		}
		return err
	}
	s, err := c.bytes.Write(ctx)
	if err != nil {
		return fail(err)
	}
	for at := from; ; {
		n, err := io.ReadFull(f, buffer[:min(int64(len(buffer)), d.Size-at)])
		if err != nil && d.Size > at {
			return err
		}
		request := &bytestream.WriteRequest{WriteOffset: at, Data: buffer[:n], FinishWrite: at+int64(n) == d.Size}
		if at == from {
			request.ResourceName = name
		}
		if err := s.Send(request); err == io.EOF {
			break // the server answered already: it has the object, or refuses it
		} else if err != nil {
			return fail(err)
		}
		moved()
		if at += int64(n); at == d.Size {
			break
		}
	}
	got, err := s.CloseAndRecv()
	if err != nil {
		return fail(err)
	}
	// -1 is the answer for an object that was there already.
	if n := got.GetCommittedSize(); n != d.Size && n != -1 {
		return status.Error(codes.Unavailable, fmt.Sprintf("it took %d of %d bytes", n, d.Size))
	}
	return nil
}
