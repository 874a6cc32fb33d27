package server

import (
	"context"

	"bst/impl/cas"
	"bst/impl/proto/reapi"
	"bst/impl/proto/repb"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

type capabilities struct {
	repb.UnimplementedCapabilitiesServer
	s *Server
}

func (c *capabilities) GetCapabilities(_ context.Context, r *repb.GetCapabilitiesRequest) (*repb.ServerCapabilities, error) {
	if err := c.s.instance(r.GetInstanceName()); err != nil {
		return nil, err
	}
	two := &repb.SemVer{Major: 2}
	return &repb.ServerCapabilities{
		CacheCapabilities: &repb.CacheCapabilities{
			DigestFunctions:               []repb.DigestFunction_Value{repb.DigestFunction_SHA256},
			ActionCacheUpdateCapabilities: &repb.ActionCacheUpdateCapabilities{},
			MaxBatchTotalSizeBytes:        maxBatch,
			SymlinkAbsolutePathStrategy:   repb.SymlinkAbsolutePathStrategy_ALLOWED,
			SupportedCompressors:          []repb.Compressor_Value{repb.Compressor_IDENTITY, repb.Compressor_ZSTD},
		},
		DeprecatedApiVersion: two, LowApiVersion: two, HighApiVersion: two,
	}, nil
}

// contentStore is the content-addressed store.
type contentStore struct {
	repb.UnimplementedContentAddressableStorageServer
	s *Server
}

// function refuses digests of another function than SHA-256.
func function(f repb.DigestFunction_Value) error {
	if f == repb.DigestFunction_UNKNOWN || f == repb.DigestFunction_SHA256 {
		return nil
	}
	return status.Errorf(codes.InvalidArgument, "this server knows SHA256 alone, not %s", f)
}

func (c *contentStore) check(instance string, f repb.DigestFunction_Value) error {
	if err := c.s.instance(instance); err != nil {
		return err
	}
	return function(f)
}

func (c *contentStore) FindMissingBlobs(ctx context.Context, r *repb.FindMissingBlobsRequest) (*repb.FindMissingBlobsResponse, error) {
	if err := c.check(r.GetInstanceName(), r.GetDigestFunction()); err != nil {
		return nil, err
	}
	answer := &repb.FindMissingBlobsResponse{}
	for i, m := range r.GetBlobDigests() {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		d, err := digest(m)
		if err != nil {
			return nil, err
		}
		if !c.s.has(d) {
			answer.MissingBlobDigests = append(answer.MissingBlobDigests, m)
		}
	}
	about(ctx, "%d of %d missing", len(answer.MissingBlobDigests), len(r.GetBlobDigests()))
	return answer, nil
}

// batch refuses what is too much for one message.
func batch(objects int, bytes int64) error {
	if objects > maxBatchObjects || bytes > maxBatch {
		return status.Errorf(codes.InvalidArgument, "a batch may have %d objects and %d bytes, this one has %d and %d",
			maxBatchObjects, maxBatch, objects, bytes)
	}
	return nil
}

// total adds sizes of digests, without overflow: what is too much stays so.
func total(sum, size int64) int64 {
	if size > maxBatch || sum > maxBatch {
		return maxBatch + 1
	}
	return sum + size
}

func (c *contentStore) BatchReadBlobs(ctx context.Context, r *repb.BatchReadBlobsRequest) (*repb.BatchReadBlobsResponse, error) {
	if err := c.check(r.GetInstanceName(), r.GetDigestFunction()); err != nil {
		return nil, err
	}
	sum := int64(0)
	digests := make([]cas.Digest, len(r.GetDigests()))
	for i, m := range r.GetDigests() {
		var err error
		if digests[i], err = digest(m); err != nil {
			return nil, err
		}
		sum = total(sum, digests[i].Size)
	}
	if err := batch(len(digests), sum); err != nil {
		return nil, err
	}
	about(ctx, "%d objects, %d bytes", len(digests), sum)
	answer := &repb.BatchReadBlobsResponse{Responses: make([]*repb.BatchReadBlobsResponse_Response, len(digests))}
	for i, d := range digests {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		one := &repb.BatchReadBlobsResponse_Response{Digest: r.GetDigests()[i]}
		var err error
		one.Data, err = c.s.get(d)
		one.Status = status.Convert(c.s.answer(err)).Proto()
		answer.Responses[i] = one
	}
	return answer, nil
}

func (c *contentStore) BatchUpdateBlobs(ctx context.Context, r *repb.BatchUpdateBlobsRequest) (*repb.BatchUpdateBlobsResponse, error) {
	if err := c.check(r.GetInstanceName(), r.GetDigestFunction()); err != nil {
		return nil, err
	}
	if err := c.s.mayPush(); err != nil {
		return nil, err
	}
	sum := int64(0)
	for _, one := range r.GetRequests() {
		sum = total(sum, int64(len(one.GetData())))
	}
	if err := batch(len(r.GetRequests()), sum); err != nil {
		return nil, err
	}
	about(ctx, "%d objects, %d bytes", len(r.GetRequests()), sum)
	done, err := c.s.write(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := c.s.keeper.Room(ctx, sum); err != nil {
		return nil, err
	}
	answer := &repb.BatchUpdateBlobsResponse{Responses: make([]*repb.BatchUpdateBlobsResponse_Response, len(r.GetRequests()))}
	for i, one := range r.GetRequests() {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		answer.Responses[i] = &repb.BatchUpdateBlobsResponse_Response{Digest: one.GetDigest(),
			Status: status.Convert(c.s.answer(c.update(one))).Proto()}
	}
	return answer, nil
}

func (c *contentStore) update(one *repb.BatchUpdateBlobsRequest_Request) error {
	d, err := digest(one.GetDigest())
	if err != nil {
		return err
	}
	data := one.GetData()
	switch one.GetCompressor() {
	case repb.Compressor_IDENTITY:
	case repb.Compressor_ZSTD:
		if data, err = decompress(data, d.Size); err != nil {
			return err
		}
	default:
		return status.Errorf(codes.InvalidArgument, "this server knows no compressor %s", one.GetCompressor())
	}
	return wrong(c.s.store.PutExpected(d, data))
}

// Bounds of GetTree.
const (
	maxTree    = 1_000_000 // directories
	treePage   = 1000
	maxTreeMsg = 3 << 20 // bytes of a message
)

func (c *contentStore) GetTree(r *repb.GetTreeRequest, to repb.ContentAddressableStorage_GetTreeServer) error {
	ctx := to.Context()
	if err := c.check(r.GetInstanceName(), r.GetDigestFunction()); err != nil {
		return err
	}
	root, err := digest(r.GetRootDigest())
	if err != nil {
		return err
	}
	about(ctx, "%s", root)
	if r.GetPageToken() != "" {
		return status.Error(codes.InvalidArgument, "this server gives all of a tree in one answer, and no page tokens")
	}
	page := int(r.GetPageSize())
	if page <= 0 || page > treePage {
		page = treePage
	}
	if root != cas.EmptyDigest && !c.s.store.Has(root) {
		return status.Error(codes.NotFound, "no such directory")
	}
	// Each directory once, the root first.
	queue, seen := []cas.Digest{root}, map[cas.Digest]bool{root: true}
	answer, size := &repb.GetTreeResponse{}, 0
	send := func() error {
		if len(answer.Directories) == 0 {
			return nil
		}
		err := to.Send(answer)
		answer, size = &repb.GetTreeResponse{}, 0
		return err
	}
	for n := 0; n < len(queue); n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		d := queue[n]
		dir, err := c.s.store.OpenDir(d)
		if cas.IsMissing(err) {
			continue // as the API wants it: what is there is given
		}
		if err != nil {
			return err
		}
		for _, e := range dir.Entries() {
			if e.Type != cas.TypeDirectory || seen[e.Digest] {
				continue
			}
			if len(queue) >= maxTree {
				return status.Errorf(codes.ResourceExhausted, "the tree has more than %d directories", maxTree)
			}
			seen[e.Digest] = true
			queue = append(queue, e.Digest)
		}
		m := &reapi.Directory{}
		if d != cas.EmptyDigest {
			b, err := c.s.store.Get(d)
			if cas.IsMissing(err) {
				continue // gone since it was read for another request
			}
			if err != nil {
				return err
			}
			if err := proto.Unmarshal(b, m); err != nil {
				return status.Errorf(codes.InvalidArgument, "%s is no directory", d)
			}
		}
		if size+int(d.Size) > maxTreeMsg || len(answer.Directories) >= page {
			if err := send(); err != nil {
				return err
			}
		}
		answer.Directories = append(answer.Directories, m)
		size += int(d.Size) + 8
	}
	return send()
}
