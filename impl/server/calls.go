package server

import (
	"context"
	"fmt"
	"time"

	"bst/impl/bug"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// note is what a handler tells of its request, for the log.
type note struct{ what string }

type noteKey struct{}

// about notes what a request is about.
func about(ctx context.Context, format string, args ...any) {
	if n, ok := ctx.Value(noteKey{}).(*note); ok {
		n.what = fmt.Sprintf(format, args...)
	}
}

// pushes are the methods that change the cache.
var pushes = map[string]bool{
	"/build.bazel.remote.execution.v2.ContentAddressableStorage/BatchUpdateBlobs": true,
	"/google.bytestream.ByteStream/Write":                                         true,
	"/google.bytestream.ByteStream/QueryWriteStatus":                              true,
	"/build.bazel.remote.asset.v1.Push/PushBlob":                                  true,
	"/build.bazel.remote.asset.v1.Push/PushDirectory":                             true,
}

// call runs a request's handler: only for those who may, with its end in the log. A
// panic ends the request alone.
func (s *Server) call(ctx context.Context, method string, handle func(context.Context) error) error {
	n := &note{}
	begun := time.Now()
	err := s.cfg.Tokens.allow(ctx, pushes[method])
	if err == nil {
		err = bug.Try(func() error { return handle(context.WithValue(ctx, noteKey{}, n)) })
	}
	err = s.answer(err)
	if s.cfg.Log != nil {
		a := Access{Begun: begun, Took: time.Since(begun), Method: method, What: n.what, Code: status.Code(err)}
		if a.Code != codes.OK {
			a.Error = status.Convert(err).Message()
		}
		if p, ok := peer.FromContext(ctx); ok {
			a.Peer = p.Addr.String()
			if info, ok := p.AuthInfo.(credentials.TLSInfo); ok && len(info.State.PeerCertificates) > 0 {
				a.Client = info.State.PeerCertificates[0].Subject.CommonName
			}
		}
		s.cfg.Log(a)
	}
	return err
}

func (s *Server) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (answer any, err error) {
	err = s.call(ctx, info.FullMethod, func(ctx context.Context) (err error) {
		answer, err = handler(ctx, req)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func (s *Server) streaming(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	return s.call(ss.Context(), info.FullMethod, func(ctx context.Context) error {
		return handler(srv, noted{ss, ctx})
	})
}

// noted is a stream with a context of its own.
type noted struct {
	grpc.ServerStream
	ctx context.Context
}

func (n noted) Context() context.Context { return n.ctx }
