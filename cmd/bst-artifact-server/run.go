package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"os"
	"path/filepath"
	"time"

	"bst/impl/bug"
	"bst/impl/config"
	"bst/impl/expiry"
	"bst/impl/sandbox"
	"bst/impl/server"

	"github.com/spf13/pflag"
)

// options are what the command line says. Those that the reference's server had
// have its names.
type options struct {
	listen               string
	port                 int
	push, index, verbose bool
	key, cert, clients   string
	tokens, pushTokens   string
	instances            []string
	quota, reserved      string
	watermark            int
	hold, grace          time.Duration
}

const usage = `Usage: bst-artifact-server [OPTIONS] CACHEDIR

Serve the artifacts and sources of a bst cache (cachedir in buildstream.conf) to
other instances of bst or BuildStream, while builds in it go on.

Options:
`

// run is main: it serves until ctx ends. Exit status: 0 for an end in order, 1 for
// what went wrong, 2 for wrong usage.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	flags := pflag.NewFlagSet("bst-artifact-server", pflag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stdout, usage)
		fmt.Fprint(stdout, flags.FlagUsages())
	}
	flags.SortFlags = false
	flags.StringVar(&o.listen, "listen", "localhost:50051", "`ADDRESS` to listen on, as :50051 or 10.0.0.1:50051; port 0 takes a free one")
	flags.IntVarP(&o.port, "port", "p", 0, "`PORT` to listen on, at all addresses")
	flags.BoolVar(&o.push, "enable-push", false, "let clients push")
	flags.BoolVar(&o.index, "index-only", false, "keep names alone; another server keeps the objects")
	flags.StringArrayVar(&o.instances, "instance", nil, "instance `NAME` that is served, beside no other; may be repeated")
	flags.StringVar(&o.key, "server-key", "", "`FILE` with the server's private key, PEM")
	flags.StringVar(&o.cert, "server-cert", "", "`FILE` with the server's certificate, PEM")
	flags.StringVar(&o.clients, "client-certs", "", "`FILE` with certificates, PEM: serve clients only who have one of them, or one signed by one")
	flags.StringVar(&o.tokens, "token-file", "", "`FILE` with access tokens, one a line: serve clients only who send one")
	flags.StringVar(&o.pushTokens, "push-token-file", "", "`FILE` with access tokens for pushing")
	flags.StringVar(&o.quota, "quota", "infinity", "`SIZE` of the cache at most, as 50G or 80%")
	flags.StringVar(&o.reserved, "reserved-disk-space", "5%", "`SIZE` that the file system keeps free")
	flags.IntVar(&o.watermark, "low-watermark", 80, "`PERCENT` of the quota, down to which a full cache is emptied")
	flags.DurationVar(&o.hold, "hold", time.Hour, "`TIME` for which what a client asked for stays at least")
	flags.DurationVar(&o.grace, "grace", 30*time.Second, "`TIME` that requests have to end at a SIGTERM")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "write a line for each request to the standard error")
	switch err := flags.Parse(args); {
	case errors.Is(err, pflag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "bst-artifact-server:", err)
		return 2
	case flags.NArg() != 1:
		fmt.Fprintln(stderr, "bst-artifact-server: name one cache directory; see --help")
		return 2
	}
	if o.port != 0 {
		o.listen = fmt.Sprintf(":%d", o.port)
	}
	logger := log.New(stderr, "bst-artifact-server: ", log.LstdFlags|log.LUTC|log.Lmsgprefix)
	cfg, err := o.config(flags.Arg(0), stderr)
	if err != nil {
		fmt.Fprintln(stderr, "bst-artifact-server:", err)
		return 2
	}
	cfg.Fault = func(err error) {
		logger.Print(err)
		var b *bug.Error
		if errors.As(err, &b) {
			logger.Print(b.Stack)
		}
	}
	if err := serve(ctx, cfg, &o, stdout, logger); err != nil {
		logger.Print(err)
		return 1
	}
	return 0
}

// config makes the server's configuration, or says what in the options does not go
// together.
func (o *options) config(dir string, stderr io.Writer) (server.Config, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return server.Config{}, err
	}
	// Where nobody can push, a folder that is not there is a slip of the pen.
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return server.Config{}, fmt.Errorf("%s is no directory: name bst's cachedir, as in buildstream.conf", dir)
	} else if errors.Is(err, fs.ErrNotExist) && !o.push {
		return server.Config{}, fmt.Errorf("there is no directory %s: name bst's cachedir, as in buildstream.conf, or let clients fill it (--enable-push)", dir)
	}
	cfg := server.Config{CacheDir: dir, Push: o.push, IndexOnly: o.index, Instances: o.instances, Hold: o.hold}
	if cfg.Policy.Quota, err = config.ParseSize(o.quota, dir); err != nil {
		return cfg, fmt.Errorf("--quota: %w", err)
	}
	if cfg.Policy.Reserved, err = config.ParseSize(o.reserved, dir); err != nil {
		return cfg, fmt.Errorf("--reserved-disk-space: %w", err)
	}
	if o.watermark < 0 || o.watermark > 100 {
		return cfg, fmt.Errorf("--low-watermark: %d is not between 0 and 100", o.watermark)
	}
	if o.hold <= 0 {
		return cfg, errors.New("--hold: a time above 0 is needed, or clients lose what they are about to use")
	}
	cfg.Policy.LowWatermark = o.watermark
	cfg.Kept = []expiry.Names{keptTrees(dir)}
	switch {
	case (o.key == "") != (o.cert == ""):
		return cfg, errors.New("--server-key and --server-cert go together")
	case o.clients != "" && o.cert == "":
		return cfg, errors.New("--client-certs needs --server-key and --server-cert")
	case o.pushTokens != "" && !o.push:
		return cfg, errors.New("--push-token-file needs --enable-push")
	case o.cert != "":
		if cfg.TLS, err = server.TLS(o.cert, o.key, o.clients); err != nil {
			return cfg, err
		}
	case o.tokens != "" || o.pushTokens != "":
		if !loopback(o.listen) {
			return cfg, errors.New("without --server-key and --server-cert tokens would cross the network in clear text: listen on localhost, or use TLS")
		}
	}
	if o.tokens != "" || o.pushTokens != "" {
		if cfg.Tokens, err = server.NewTokens(o.tokens, o.pushTokens); err != nil {
			return cfg, err
		}
	}
	if o.push && cfg.Tokens == nil && o.clients == "" && !loopback(o.listen) {
		fmt.Fprintln(stderr, "bst-artifact-server: warning: whoever reaches this server can push: see --push-token-file and --client-certs")
	}
	if o.verbose {
		cfg.Log = server.LogTo(stderr)
	}
	return cfg, nil
}

// loopback says that an address is reached from this host alone.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// keptTrees are the checkouts that builds in the same cache keep.
func keptTrees(dir string) expiry.Names {
	return func(yield func(expiry.Root) error) error {
		return sandbox.KeptTrees(filepath.Join(dir, "trees"), func(t sandbox.KeptTree) error {
			return yield(expiry.Root{Used: t.Used, Expire: t.Remove,
				Read: func() (trees, blobs []string) { return []string{t.Hash}, nil }})
		})
	}
}

// serve serves until ctx ends, and then for as long as requests run, within the
// grace.
func serve(ctx context.Context, cfg server.Config, o *options, stdout io.Writer, logger *log.Logger) error {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", o.listen)
	if err != nil {
		return err
	}
	s, err := server.New(cfg)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	ended := make(chan error, 1)
	bug.Start(func() { ended <- s.Serve(l) }, func(e *bug.Error) { ended <- e })
	scheme := "http"
	if cfg.TLS != nil {
		scheme = "https"
	}
	// Who started it learns that it is ready, and the port that it took.
	fmt.Fprintf(stdout, "Serving %s at %s://%s\n", cfg.CacheDir, scheme, l.Addr())
	select {
	case err := <-ended:
		return errors.Join(err, s.Close())
	case <-ctx.Done():
	}
	logger.Print("ending: no more requests are taken")
	grace, cancel := context.WithTimeout(context.Background(), o.grace)
	defer cancel()
	return errors.Join(s.Shutdown(grace), <-ended)
}
