package download

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// client gets files by URL. The zero value is not ready; newClient makes one.
type client struct {
	http *http.Client
	// stall is how long a transfer may stand still.
	stall time.Duration
	// limit is the size in bytes at which a download is given up.
	limit int64
	// netrc tells the logins; it is called once, when a server asks.
	netrc func() (*netrc, error)
}

const (
	// connectTimeout bounds name resolution and connecting, apart from the TLS
	// handshake, which has its own bound of the same length.
	connectTimeout = 30 * time.Second
	// stallTimeout is how long a server may be silent, before its answer and
	// in the middle of it.
	stallTimeout = 2 * time.Minute
	// maxRedirects is the reference's bound too.
	maxRedirects = 10
	// maxFile is larger than any source that anybody builds from.
	maxFile = 256 << 30
)

// shared is the client of all sources: it keeps connections open between
// downloads.
var shared = sync.OnceValue(func() *client { return newClient(stallTimeout) })

func newClient(stall time.Duration) *client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = (&net.Dialer{Timeout: connectTimeout, KeepAlive: connectTimeout}).DialContext
	transport.TLSHandshakeTimeout = connectTimeout
	// A file is wanted as it lies there: its checksum is of that.
	transport.DisableCompression = true
	return &client{
		http: &http.Client{
			Transport: transport,
			CheckRedirect: func(req *http.Request, via []*http.Request) error {
				if len(via) >= maxRedirects {
					return errRedirects
				}
				return nil
			},
		},
		stall: stall,
		limit: maxFile,
		netrc: sync.OnceValues(loadNetrc),
	}
}

var (
	errRedirects = fmt.Errorf("more than %d redirects", maxRedirects)
	errStalled   = errors.New("stalled")
)

// failure is a download that failed.
type failure struct {
	err error
	// temporary says that trying again may help.
	temporary bool
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func permanent(format string, args ...any) *failure {
	return &failure{err: fmt.Errorf(format, args...)}
}

func temporary(err error) *failure { return &failure{err: err, temporary: true} }

// result is a file that came.
type result struct {
	// sha256 in hexadecimal.
	sha256 string
	size   int64
	// etag is what the server calls this state of the file, "" for nothing.
	etag string
}

// get writes what lies at address to w. Its errors are *failure, or ctx's.
func (c *client) get(ctx context.Context, address string, w io.Writer, progress func(current, total int)) (result, error) {
	return c.getIf(ctx, address, "", w, progress)
}

// errSame says that the file is the one with the ETag.
var errSame = errors.New("not modified")

// getIf is get of a file with another ETag than that; where it has it, errSame is the
// error.
func (c *client) getIf(ctx context.Context, address, etag string, w io.Writer, progress func(current, total int)) (result, error) {
	return c.transfer(ctx, address, header{etag: etag}, w, progress)
}

// read gets a file of up to limit bytes.
func (c *client) read(ctx context.Context, address, accept string, limit int64) ([]byte, error) {
	small := *c
	small.limit = limit
	var b bytes.Buffer
	_, err := small.transfer(ctx, address, header{accept: accept}, &b, nil)
	return b.Bytes(), err
}

// header is what a request says besides the address.
type header struct{ etag, accept string }

func (c *client) transfer(ctx context.Context, address string, h header, w io.Writer, progress func(current, total int)) (result, error) {
	u, err := url.Parse(withDrive(address))
	if err != nil {
		return result{}, permanent("%w", err)
	}
	var (
		body  io.ReadCloser
		total int64
		tag   string
	)
	// The watchdog ends the request when nothing has come for a while.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(c.stall, func() { cancel(errStalled) })
	defer watchdog.Stop()

	switch u.Scheme {
	case "http", "https":
		resp, err := c.ask(ctx, u, h)
		if err != nil {
			return result{}, c.classify(ctx, err)
		}
		body, total, tag = resp.Body, resp.ContentLength, resp.Header.Get("ETag")
		// Some servers send the file all the same.
		if h.etag != "" && (resp.StatusCode == http.StatusNotModified || tag == h.etag) {
			body.Close()
			return result{}, errSame
		}
	case "file":
		file, size, err := openFile(u)
		if err != nil {
			return result{}, err
		}
		body, total = file, size
	case "":
		return result{}, permanent("unknown url type: '%s'", address)
	default:
		return result{}, permanent("unknown url type: %s (http, https and file are supported)", u.Scheme)
	}
	defer body.Close()
	if total > c.limit {
		return result{}, permanent("the file has %d bytes; the limit is %d", total, c.limit)
	}

	hash := sha256.New()
	m := &meter{total: max(total, 0), report: progress}
	out := io.MultiWriter(w, hash, m)
	in := &watched{r: io.LimitReader(body, c.limit+1), dog: watchdog, patience: c.stall}
	size, err := io.CopyBuffer(out, in, make([]byte, 64<<10))
	switch {
	case err != nil:
		return result{}, c.classify(ctx, err)
	case size > c.limit:
		return result{}, permanent("the file is larger than %d bytes", c.limit)
	case total >= 0 && size < total:
		return result{}, temporary(fmt.Errorf("Partial file %d/%d", size, total))
	}
	m.flush()
	return result{sha256: hex.EncodeToString(hash.Sum(nil)), size: size, etag: tag}, nil
}

// ask sends the request. Where the server asks who is there and .netrc has an
// answer for that host, it is sent once more with it.
func (c *client) ask(ctx context.Context, u *url.URL, h header) (*http.Response, error) {
	resp, err := c.send(ctx, u, h, nil)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusUnauthorized && wantsBasic(resp) && resp.Request.URL.User == nil {
		logins, err := c.netrc()
		if err != nil {
			resp.Body.Close()
			return nil, permanent("reading .netrc: %w", err)
		}
		// A redirect may have led to another host: the login is for the one
		// that asked.
		asked := resp.Request.URL
		if l, ok := logins.find(asked.Hostname()); ok {
			resp.Body.Close()
			if resp, err = c.send(ctx, asked, h, &l); err != nil {
				return nil, err
			}
		}
	}
	if resp.StatusCode/100 == 2 || h.etag != "" && resp.StatusCode == http.StatusNotModified {
		return resp, nil
	}
	resp.Body.Close()
	f := permanent("HTTP Error %d: %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	switch resp.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		f.temporary = true
	default:
		f.temporary = resp.StatusCode/100 == 5
	}
	return nil, f
}

func (c *client) send(ctx context.Context, u *url.URL, h header, l *login) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, permanent("%w", err)
	}
	req.Header.Set("Accept", cmp.Or(h.accept, "*/*"))
	if h.etag != "" {
		req.Header.Set("If-None-Match", h.etag)
	}
	req.Header.Set("User-Agent", "BuildStream/2")
	if l != nil {
		req.SetBasicAuth(l.user, l.password)
	}
	return c.http.Do(req)
}

func wantsBasic(resp *http.Response) bool {
	for _, challenge := range resp.Header.Values("WWW-Authenticate") {
		scheme, _, _ := strings.Cut(strings.TrimSpace(challenge), " ")
		if strings.EqualFold(scheme, "basic") {
			return true
		}
	}
	return false
}

// classify tells the faults of a network, which may pass, from those of a URL,
// which will not. Faults of this machine's disk are neither, and do not pass.
func (c *client) classify(ctx context.Context, err error) error {
	var f *failure
	var bad *url.Error
	var local *os.PathError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(context.Cause(ctx), errStalled):
		return temporary(fmt.Errorf("the server sent nothing for %s", c.stall))
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &f):
		return f
	case errors.As(err, &certificate):
		return &failure{err: certificate}
	case errors.Is(err, errRedirects):
		return &failure{err: errRedirects}
	case errors.As(err, &local):
		return &failure{err: err}
	case errors.As(err, &bad):
		// Its text repeats the URL, which the message has already.
		return &failure{err: bad.Err, temporary: !strings.Contains(bad.Err.Error(), "unsupported protocol scheme")}
	default:
		return temporary(err)
	}
}

// withDrive makes a URL of what file://%{project-root} is on Windows, whose paths
// begin with a drive and may have backslashes: file:///C:/folder for file://C:\folder.
func withDrive(address string) string {
	path, ok := strings.CutPrefix(address, "file://")
	if !ok || filepath.VolumeName(filepath.FromSlash(path)) == "" {
		return address
	}
	return "file:///" + filepath.ToSlash(path)
}

// openFile opens what a file: URL names.
func openFile(u *url.URL) (*os.File, int64, error) {
	if u.Host != "" && u.Host != "localhost" {
		return nil, 0, permanent("file URL on another host: %s", u.Host)
	}
	path := u.Path
	if path == "" {
		path = u.Opaque
	}
	// A drive of Windows stands behind the slash: file:///C:/folder/file.
	if rest, ok := strings.CutPrefix(path, "/"); ok && filepath.VolumeName(filepath.FromSlash(rest)) != "" {
		path = filepath.FromSlash(rest)
	}
	if !filepath.IsAbs(path) {
		return nil, 0, permanent("file URL without an absolute path: '%s'", path)
	}
	// A look before opening: opening a fifo would wait for its other end.
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return nil, 0, permanent("Not a regular file: '%s'", path)
	}
	var file *os.File
	if err == nil {
		file, err = os.Open(path)
	}
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, 0, permanent("No such file or directory: '%s'", path)
		}
		var fault *os.PathError
		if errors.As(err, &fault) {
			err = fault.Err
		}
		return nil, 0, permanent("%w: '%s'", err, path)
	}
	return file, info.Size(), nil
}

// watched puts off the watchdog whenever something has come.
type watched struct {
	r        io.Reader
	dog      *time.Timer
	patience time.Duration
}

func (r *watched) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if n > 0 {
		r.dog.Reset(r.patience)
	}
	return n, err
}

// meter reports progress once per megabyte.
type meter struct {
	current, reported, total int64
	report                   func(current, total int)
}

func (m *meter) Write(p []byte) (int, error) {
	m.current += int64(len(p))
	if m.current-m.reported >= 1<<20 {
		m.flush()
	}
	return len(p), nil
}

func (m *meter) flush() {
	m.reported = m.current
	if m.report != nil {
		m.report(int(m.current), int(m.total))
	}
}
