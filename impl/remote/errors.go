package remote

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"bst/impl/cas"
	"bst/impl/stream"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Reasons of this package's errors.
const (
	// ReasonConfig: the configuration of a server cannot be used.
	ReasonConfig = "remote-config"
	// ReasonCredentials is the reference's: a file of keys cannot be read.
	ReasonCredentials = "load-remote-creds-failed"
	// ReasonMissing: the server does not have an object.
	ReasonMissing = "blob-not-found"
	// ReasonWrong: the server sent something else than what was asked for.
	ReasonWrong = "wrong-data"
	// ReasonFull is the reference's: the server has no space.
	ReasonFull = "cache-too-full"
	// ReasonDenied: the server does not let us.
	ReasonDenied = "remote-denied"
	// ReasonService: the server lacks a service, or cannot do what it needs to.
	ReasonService = "remote-service"
	// ReasonFailed: the server could not be reached, or failed.
	ReasonFailed = "remote-failed"
)

// IsMissing says that err is of an object that the server does not have.
func IsMissing(err error) bool { return reasonOf(err) == ReasonMissing }

// IsServer says that err is the server's, or the way's to it, rather than this
// machine's.
func IsServer(err error) bool {
	switch reasonOf(err) {
	case ReasonMissing, ReasonWrong, ReasonFull, ReasonDenied, ReasonService, ReasonFailed:
		return true
	}
	return false
}

func reasonOf(err error) string {
	var e *stream.Error
	if errors.As(err, &e) && e.Domain == stream.DomainCAS {
		return e.Reason
	}
	return ""
}

// fault is an error with the code that a server gave.
type fault struct {
	e    *stream.Error
	code codes.Code
}

func (f *fault) Error() string { return f.e.Message }
func (f *fault) Unwrap() error { return f.e }

func codeOf(err error) codes.Code {
	var f *fault
	if errors.As(err, &f) {
		return f.code
	}
	return codes.OK
}

// maxText bounds what is shown of a server's own words, bytes.
const maxText = 500

// error makes an error about this server.
func (c *Client) error(reason string, code codes.Code, message, detail string) error {
	return &fault{code: code, e: &stream.Error{Domain: stream.DomainCAS, Reason: reason,
		Message: message, Detail: detail}}
}

func (c *Client) missing(d cas.Digest) error {
	return c.error(ReasonMissing, codes.NotFound, fmt.Sprintf("%s does not have the object %s", c, d), "")
}

func (c *Client) wrong(what string, d cas.Digest) error {
	return c.error(ReasonWrong, codes.DataLoss, fmt.Sprintf("%s sent %s for the object %s, which was not stored", c, what, d),
		"The server, or something on the way to it, is broken.")
}

func configError(spec stream.Remote, why string) error {
	return &stream.Error{Domain: stream.DomainCAS, Reason: ReasonConfig, Message: from(spec) + "The remote cache " + Display(spec.URL) + " cannot be used: " + why}
}

func from(spec stream.Remote) string {
	if spec.From == "" {
		return ""
	}
	return spec.From + ": "
}

// failure makes an error of what gRPC gave. what is what could not be done, as in
// "could not ...".
func (c *Client) failure(what string, err error) error {
	var known *stream.Error
	if errors.As(err, &known) {
		return err
	}
	s, _ := status.FromError(err)
	code, text := s.Code(), plain(s.Message())
	if errors.Is(err, context.DeadlineExceeded) {
		code = codes.DeadlineExceeded
	}
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	f := &fault{code: code, e: &stream.Error{Domain: stream.DomainCAS, Reason: ReasonFailed}}
	e := f.e
	switch code {
	case codes.DeadlineExceeded:
		text = fmt.Sprintf("no answer within %v", c.timeout)
		e.Temporary = true
		e.Detail = "Is the server too slow, or the network? The time is set by request-timeout in the server's connection-config."
	case codes.Unavailable:
		e.Temporary = true
		switch {
		case strings.Contains(text, "x509:"), strings.Contains(text, "tls:"):
			e.Temporary, e.Reason = false, ReasonDenied
			e.Detail = "The connection is not safe. A server's own certificate is named by server-cert in its auth, and ours by client-cert and client-key."
		default:
			e.Detail = "Is the server running, and its URL right?"
		}
	case codes.ResourceExhausted:
		e.Reason = ReasonFull
		e.Detail = "The server has no space, or takes no more for now."
	case codes.Unauthenticated, codes.PermissionDenied:
		e.Reason = ReasonDenied
		e.Detail = "See access-token, client-cert and client-key in the server's auth, and whether it lets you push."
	case codes.Unimplemented:
		e.Reason = ReasonService
	case codes.NotFound:
		e.Reason = ReasonMissing
	case codes.Aborted, codes.Internal, codes.Unknown:
		e.Temporary = true
	}
	e.Message = fmt.Sprintf("%s could not be made to %s: %s", c, what, text)
	if code != codes.OK && text == "" {
		e.Message += code.String()
	}
	return f
}

// plain takes off what gRPC wraps around the reason why there is no connection.
func plain(text string) string {
	if _, inner, ok := strings.Cut(text, `desc = "`); ok {
		text = strings.TrimSuffix(inner, `"`)
	}
	return strings.TrimPrefix(text, "transport: ")
}

// again says that a call which failed may succeed when it is made anew.
func again(err error) bool {
	var f *fault
	return errors.As(err, &f) && f.e.Temporary
}

// call makes a call, again where that may help, each attempt within the time
// that calls have. A server that never answers is given up.
func (c *Client) call(ctx context.Context, what string, f func(context.Context) error) error {
	return c.callAgain(ctx, what, c.retries, f)
}

// callAgain is call with a number of attempts after the first.
func (c *Client) callAgain(ctx context.Context, what string, retries int, f func(context.Context) error) error {
	return c.attempts(ctx, retries, func() error {
		ctx, cancel := context.WithTimeout(ctx, c.timeout)
		defer cancel()
		if err := f(ctx); err != nil {
			return c.failure(what, err)
		}
		return nil
	}, nil)
}

// attempts calls f until it succeeds, fails for good or has failed too often.
// moved, where it is not nil, says that an attempt got somewhere: then those
// before do not count.
func (c *Client) attempts(ctx context.Context, retries int, f func() error, moved func() bool) error {
	for try := 0; ; try++ {
		if err := c.Down(); err != nil {
			return err
		}
		c.trips.Add(1)
		err := f()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case c.ctx.Err() != nil:
			return errStopped
		}
		if moved != nil && moved() {
			try = 0
		}
		if !again(err) || try >= retries {
			switch code := codeOf(err); {
			case code == codes.Unavailable, code == codes.DeadlineExceeded, code == codes.Unauthenticated:
				c.giveUp(err)
			}
			return err
		}
		delay := min(c.delay<<min(try, 10), maxRetryDelay)
		timer := time.NewTimer(delay/2 + rand.N(delay/2+1))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-c.ctx.Done():
			timer.Stop()
			return errStopped
		}
	}
}
