package remote

import (
	"context"
	"fmt"

	"bst/impl/bug"
	"bst/impl/cas"
	"bst/impl/proto/assetpb"
	"bst/impl/proto/reapi"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// FetchBlob gives the object that one of the names stands for; found is false where
// the server knows none of them.
func (c *Client) FetchBlob(ctx context.Context, uris ...string) (d cas.Digest, found bool, err error) {
	return c.resolve(ctx, func(ctx context.Context) (*reapi.Digest, error) {
		got, err := c.fetch.FetchBlob(ctx, &assetpb.FetchBlobRequest{InstanceName: c.spec.Instance, Uris: uris})
		if err == nil {
			err = status.ErrorProto(got.GetStatus())
		}
		return got.GetBlobDigest(), err
	})
}

// FetchDirectory is FetchBlob for names of directories.
func (c *Client) FetchDirectory(ctx context.Context, uris ...string) (d cas.Digest, found bool, err error) {
	return c.resolve(ctx, func(ctx context.Context) (*reapi.Digest, error) {
		got, err := c.fetch.FetchDirectory(ctx, &assetpb.FetchDirectoryRequest{InstanceName: c.spec.Instance, Uris: uris})
		if err == nil {
			err = status.ErrorProto(got.GetStatus())
		}
		return got.GetRootDirectoryDigest(), err
	})
}

func (c *Client) resolve(ctx context.Context, f func(context.Context) (*reapi.Digest, error)) (d cas.Digest, found bool, err error) {
	release, err := acquire(ctx, c.asking)
	if err != nil {
		return d, false, err
	}
	defer release()
	err = c.call(ctx, "find a name", func(ctx context.Context) error {
		got, err := f(ctx)
		if status.Code(err) == codes.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		// Some say so of what they do not know, with no digest.
		d = fromProto(got)
		return nil
	})
	switch {
	case err != nil:
		return cas.Digest{}, false, err
	case d.IsZero():
		return d, false, nil
	case !d.Valid():
		return cas.Digest{}, false, c.error(ReasonWrong, codes.DataLoss, fmt.Sprintf("%s sent %q, which is no digest", c, d), "")
	}
	return d, true, nil
}

// PushBlob has names stand for an object, for as long as the server keeps what it
// refers to.
func (c *Client) PushBlob(ctx context.Context, uris []string, d cas.Digest, blobs, directories []cas.Digest) error {
	return c.call(ctx, "take a name", func(ctx context.Context) error {
		_, err := c.push.PushBlob(ctx, &assetpb.PushBlobRequest{InstanceName: c.spec.Instance, Uris: uris, BlobDigest: toProto(d),
			ReferencesBlobs: toProtos(blobs), ReferencesDirectories: toProtos(directories)})
		return err
	})
}

// PushDirectory is PushBlob for names of directories.
func (c *Client) PushDirectory(ctx context.Context, uris []string, d cas.Digest, blobs, directories []cas.Digest) error {
	return c.call(ctx, "take a name", func(ctx context.Context) error {
		_, err := c.push.PushDirectory(ctx, &assetpb.PushDirectoryRequest{InstanceName: c.spec.Instance, Uris: uris,
			RootDirectoryDigest: toProto(d), ReferencesBlobs: toProtos(blobs), ReferencesDirectories: toProtos(directories)})
		return err
	})
}

func toProtos(list []cas.Digest) []*reapi.Digest {
	out := make([]*reapi.Digest, 0, len(list))
	for _, d := range list {
		if !d.IsZero() {
			out = append(out, toProto(d))
		}
	}
	return out
}

// Found is what a name stands for.
type Found struct {
	Digest cas.Digest
	OK     bool
	Err    error
}

// FetchBlobs asks for many names, many at once: there is no call for it that takes
// more than one. Each costs one call, and together they wait for one answer in
// every 256.
func (c *Client) FetchBlobs(ctx context.Context, uris []string) []Found {
	found := make([]Found, len(uris))
	next := make(chan int, len(uris))
	for i := range uris {
		next <- i
	}
	close(next)
	var g bug.Group
	for range min(len(uris), queries) {
		g.Go(func() {
			for i := range next {
				f := &found[i]
				f.Digest, f.OK, f.Err = c.FetchBlob(ctx, uris[i])
			}
		})
	}
	g.Wait()
	return found
}
