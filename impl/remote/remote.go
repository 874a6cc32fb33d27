// Package remote talks to servers that keep objects, artifacts and sources: the
// Remote Execution API's content store (capabilities, FindMissingBlobs, batches,
// ByteStream) and the Remote Asset API, over gRPC.
//
// It knows digests, trees of directories, what a name stands for on an index, and
// which objects an artifact is made of. It does not know elements, nor in which
// order servers are asked for what: that is the engine's.
//
// # What is never trusted
//
// A server may be slow, full, wrong or hostile. Every object is hashed as it
// comes, and one that is not what it is named is not stored; a directory message
// is read by package cas, with its bounds; a tree is walked breadth first, each
// directory once. Everything that waits has a bound: attempts, time without a
// byte, messages, objects in memory.
//
// # Errors
//
// They are *stream.Error of domain CAS, with one of this package's reasons.
// Temporary is set where another attempt, later, may help; this package has tried
// several times by then. A server that does not answer at all is given up for the
// session: all later calls fail at once with the same error.
package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"bst/impl/bug"
	"bst/impl/proto/assetpb"
	"bst/impl/proto/bytestream"
	"bst/impl/proto/repb"
	"bst/impl/stream"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// Bounds, and what is used where the configuration says nothing.
const (
	// maxBatch is how many bytes of objects one message carries: gRPC's own limit
	// of a message, less what surrounds them.
	maxBatch = 4<<20 - 64<<10
	// maxMessage is what is taken from a server in one message.
	maxMessage = 8 << 20
	// maxDigests is how many digests one question has.
	maxDigests = 8192
	// maxBatchObjects is how many objects one batch has.
	maxBatchObjects = 4096
	// transfers is how many batches and streams a server serves at once.
	transfers = 16
	// queries is how many names are asked for at once.
	queries = 256

	defaultKeepalive  = time.Minute
	defaultRetries    = 4
	defaultRetryDelay = 500 * time.Millisecond
	maxRetryDelay     = 20 * time.Second
	// defaultTimeout is how long a call, or a stream without a byte, may take.
	defaultTimeout = time.Minute
)

// Client is a server. Its methods may be called from any goroutine.
type Client struct {
	spec stream.Remote
	// name is the URL without what may be secret in it.
	name string
	conn *grpc.ClientConn
	// ctx ends with Close.
	ctx    context.Context
	cancel context.CancelFunc

	store  repb.ContentAddressableStorageClient
	bytes  bytestream.ByteStreamClient
	fetch  assetpb.FetchClient
	push   assetpb.PushClient
	caps   repb.CapabilitiesClient
	slots  chan struct{} // one for each transfer
	asking chan struct{} // one for each query

	timeout, delay time.Duration
	retries        int
	// patience is how often the first question is asked again.
	patience int

	checked sync.Once
	fault   error // of the check
	// batch is how many bytes of objects a message may carry.
	batch atomic.Int64
	// trips counts calls that a server answered or should have.
	trips atomic.Int64

	mu sync.Mutex // guards what follows
	// down is why the server was given up.
	down error

	finder finder
}

// Open makes a client. It reads the files of keys and tokens, and connects when
// something is asked. Errors are those of the configuration.
func Open(spec stream.Remote) (*Client, error) {
	target, host, secure, err := parseURL(spec.URL)
	if err != nil {
		return nil, err
	}
	c := &Client{spec: spec, name: Display(spec.URL), slots: make(chan struct{}, transfers), asking: make(chan struct{}, queries),
		timeout: defaultTimeout, delay: defaultRetryDelay, retries: defaultRetries}
	if spec.RequestTimeout > 0 {
		c.timeout = spec.RequestTimeout
	}
	if spec.RetryDelay > 0 {
		c.delay = spec.RetryDelay
	}
	// A server that is not there holds up the begin of each session.
	c.patience = 1
	if spec.RetryLimit >= 0 {
		c.retries, c.patience = spec.RetryLimit, spec.RetryLimit
	}
	c.batch.Store(maxBatch)
	options := []grpc.DialOption{
		grpc.WithUserAgent("bst"),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
		grpc.WithConnectParams(grpc.ConnectParams{MinConnectTimeout: min(c.timeout, 10*time.Second),
			Backoff: backoff.Config{BaseDelay: c.delay, Multiplier: 2, Jitter: 0.2, MaxDelay: maxRetryDelay}}),
		// Attempts are counted here, not in gRPC.
		grpc.WithDisableRetry(), grpc.WithDisableServiceConfig(),
		grpc.WithReadBufferSize(256 << 10), grpc.WithWriteBufferSize(256 << 10),
	}
	alive := defaultKeepalive
	if spec.Keepalive > 0 {
		alive = spec.Keepalive
	}
	options = append(options, grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: alive, Timeout: 20 * time.Second}))
	if secure {
		creds, err := transport(spec)
		if err != nil {
			return nil, err
		}
		options = append(options, grpc.WithTransportCredentials(creds))
	} else {
		if spec.ServerCert != "" || spec.ClientCert != "" {
			return nil, configError(spec, "certificates need a URL that begins with https: or grpcs:")
		}
		options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))
	}
	if spec.AccessToken != "" {
		if !secure && !local(host) {
			return nil, configError(spec, "an access token is only sent over TLS: use a URL that begins with https: or grpcs:")
		}
		t, err := newToken(spec, secure)
		if err != nil {
			return nil, err
		}
		options = append(options, grpc.WithPerRPCCredentials(t))
	}
	if c.conn, err = grpc.NewClient(target, options...); err != nil {
		return nil, configError(spec, err.Error())
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.store = repb.NewContentAddressableStorageClient(c.conn)
	c.bytes = bytestream.NewByteStreamClient(c.conn)
	c.fetch = assetpb.NewFetchClient(c.conn)
	c.push = assetpb.NewPushClient(c.conn)
	c.caps = repb.NewCapabilitiesClient(c.conn)
	c.finder.c = c
	return c, nil
}

// Close ends the connection, and what is being asked over it.
func (c *Client) Close() error {
	c.cancel()
	return c.conn.Close()
}

// String is the URL as it may be shown.
func (c *Client) String() string { return c.name }

// Spec is how the server was configured.
func (c *Client) Spec() stream.Remote { return c.spec }

// Index says that it keeps names, Storage that it keeps objects.
func (c *Client) Index() bool { return c.spec.Type != "storage" }

// Storage is described at Index.
func (c *Client) Storage() bool { return c.spec.Type != "index" }

// Pushes says that what is made here is sent there.
func (c *Client) Pushes() bool { return c.spec.Push }

// Trips is how many calls were made so far.
func (c *Client) Trips() int64 { return c.trips.Load() }

// parseURL gives gRPC's name of a server.
func parseURL(text string) (target, host string, secure bool, err error) {
	bad := func(why string) error {
		return &stream.Error{Domain: stream.DomainCAS, Reason: ReasonConfig,
			Message: fmt.Sprintf("The URL '%s' of a remote cache cannot be used: %s", Display(text), why),
			Detail:  "It has the form https://host:port, http://host:port or unix:/path."}
	}
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		if path = strings.TrimPrefix(path, "//"); path == "" {
			return "", "", false, bad("it has no path")
		}
		return "unix:" + path, "", false, nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return "", "", false, bad("it is not a URL")
	}
	port := "80"
	switch u.Scheme {
	case "http", "grpc":
	case "https", "grpcs":
		secure, port = true, "443"
	default:
		return "", "", false, bad("its scheme is none of https, http, grpcs, grpc and unix")
	}
	if u.Hostname() == "" {
		return "", "", false, bad("it names no host")
	}
	if u.Port() != "" {
		port = u.Port()
	}
	if u.Path != "" && u.Path != "/" {
		return "", "", false, bad("it has a path, which a server of this kind does not; an instance is named by instance-name")
	}
	return "dns:///" + net.JoinHostPort(u.Hostname(), port), u.Hostname(), secure, nil
}

// Display is a URL without user name and password.
func Display(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.User == nil {
		return text
	}
	u.User = nil
	return u.String()
}

// local says that a host is this machine, where nobody listens on the way.
func local(host string) bool {
	if host == "" || host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Check asks what the server can do, once. The error says what it lacks.
func (c *Client) Check(ctx context.Context) error {
	c.checked.Do(func() {
		var faults [3]error
		var g bug.Group
		if c.Storage() {
			g.Go(func() { faults[0] = c.capabilities(ctx) })
		}
		if c.Index() {
			g.Go(func() {
				faults[1] = c.probe(ctx, "Fetch", func(ctx context.Context) error {
					_, err := c.fetch.FetchBlob(ctx, &assetpb.FetchBlobRequest{InstanceName: c.spec.Instance})
					return err
				})
			})
			if c.spec.Push {
				g.Go(func() {
					faults[2] = c.probe(ctx, "Push", func(ctx context.Context) error {
						_, err := c.push.PushBlob(ctx, &assetpb.PushBlobRequest{InstanceName: c.spec.Instance})
						return err
					})
				})
			}
		}
		g.Wait()
		for _, err := range faults {
			if err != nil {
				c.fault = err
				break
			}
		}
	})
	return c.fault
}

// doing is what a server is asked first: which of the questions fails first is
// chance.
const doing = "say what it can do"

// probe calls a service of the Remote Asset API with nothing, which it has to
// refuse as an invalid argument.
func (c *Client) probe(ctx context.Context, service string, call func(context.Context) error) error {
	err := c.callAgain(ctx, doing, c.patience, func(ctx context.Context) error {
		if err := call(ctx); status.Code(err) != codes.InvalidArgument && status.Code(err) != codes.NotFound {
			return err
		}
		return nil
	})
	if codeOf(err) == codes.Unimplemented {
		return c.error(ReasonService, codes.Unimplemented, "Configured remote does not implement the Remote Asset "+service+
			" service. Please check remote configuration.",
			"A server that keeps objects alone is configured with `type: storage`, and another one with `type: index`.")
	}
	return err
}

// capabilities learns how large messages may be.
func (c *Client) capabilities(ctx context.Context) error {
	var got *repb.ServerCapabilities
	err := c.callAgain(ctx, doing, c.patience, func(ctx context.Context) (err error) {
		got, err = c.caps.GetCapabilities(ctx, &repb.GetCapabilitiesRequest{InstanceName: c.spec.Instance})
		return err
	})
	if codeOf(err) == codes.Unimplemented {
		return nil // an old server: what all servers can do
	}
	if err != nil {
		return err
	}
	cache := got.GetCacheCapabilities()
	if functions := cache.GetDigestFunctions(); len(functions) > 0 {
		known := false
		for _, f := range functions {
			known = known || f == repb.DigestFunction_SHA256
		}
		if !known {
			return c.error(ReasonService, codes.FailedPrecondition, "The server does not keep objects by their SHA-256", "")
		}
	}
	if most := cache.GetMaxBatchTotalSizeBytes(); most > 0 && most < maxBatch {
		c.batch.Store(most)
	}
	return nil
}

// giveUp notes that the server is not to be asked any more.
func (c *Client) giveUp(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down == nil {
		c.down = err
	}
}

// Down is why the server is not asked any more, nil while it is.
func (c *Client) Down() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.down
}

// acquire takes one of a number of slots.
func acquire(ctx context.Context, slots chan struct{}) (release func(), err error) {
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// errStopped ends what waits for a client that was closed.
var errStopped = errors.New("the connection was closed")
