package testscripts

import (
	"context"
	"net"
	"strconv"
	"strings"
	"sync"

	"bst/impl/bug"
	"bst/impl/cas"
	"bst/impl/remote/remotetest"
	"bst/impl/server"

	"github.com/rogpeppe/go-internal/testscript"
	"google.golang.org/grpc/codes"
	rpc "google.golang.org/grpc/status"
)

// servers are those that a script has started.
type servers struct {
	mu   sync.Mutex // guards byName
	list map[string]*remotetest.Server
}

type serversKey struct{}

// remoteServer is the command remote:
//
//	remote start NAME [OPTION...]   start a server, whose URL is then in $NAME
//	remote serve NAME DIR [push]    serve a cache of bst's, as bst-artifact-server does
//	remote bazel NAME               start a bazel-remote, which keeps objects and no names
//	remote stop NAME                end it
//	remote holds NAME N             want so many names on it
//
// Options are nofetch, nopush, nocas, wrong (it sends other bytes than it was sent),
// broken=METHOD (calls fail from the first on), dies=METHOD:N (from the Nth on),
// capacity=N and token=TEXT.
func remoteServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: remote start|stop|holds NAME ...")
	}
	all := ts.Value(serversKey{}).(*servers)
	all.mu.Lock()
	defer all.mu.Unlock()
	name := args[1]
	switch args[0] {
	case "start":
		s, err := remotetest.Start(serverOptions(ts, args[2:]))
		ts.Check(err)
		all.list[name] = s
		ts.Setenv(name, s.URL)
		ts.Defer(s.Stop)
	case "serve":
		ts.Setenv(name, serveCache(ts, ts.MkAbs(args[2]), len(args) > 3))
	case "bazel":
		url, stop, err := remotetest.RunBazelRemote()
		ts.Check(err)
		ts.Setenv(name, url)
		ts.Defer(func() { stop() })
	case "stop":
		all.list[name].Stop()
	case "holds":
		if got := strconv.Itoa(len(all.list[name].Names())); len(args) != 3 || got != args[2] {
			ts.Fatalf("%s has %s names", name, got)
		}
	default:
		ts.Fatalf("unknown: remote %s", args[0])
	}
}

// serveCache serves a cache until the script ends.
func serveCache(ts *testscript.TestScript, dir string, push bool) (url string) {
	s, err := server.New(server.Config{CacheDir: dir, Push: push})
	ts.Check(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	wait := bug.Go(func() error { return s.Serve(l) })
	ts.Defer(func() {
		ts.Check(s.Close())
		ts.Check(wait())
	})
	return "http://" + l.Addr().String()
}

func serverOptions(ts *testscript.TestScript, words []string) (o remotetest.Options) {
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "nofetch":
			o.NoFetch = true
		case "nopush":
			o.NoPush = true
		case "nocas":
			o.NoCAS = true
		case "wrong":
			o.Read = func(_ cas.Digest, b []byte) []byte { return append([]byte("x"), b...) }
		case "token":
			o.Token = value
		case "capacity":
			n, err := strconv.ParseInt(value, 10, 64)
			ts.Check(err)
			o.Capacity = n
		case "broken", "dies":
			method, from, _ := strings.Cut(value, ":")
			first, _ := strconv.Atoi(from)
			o.Call = func(_ context.Context, called string, n int) error {
				if called == method && n >= first {
					return rpc.Error(codes.Unavailable, "the server is going down")
				}
				return nil
			}
		default:
			ts.Fatalf("unknown option %s", word)
		}
	}
	return o
}
