// Package registry reads from a registry of container images: the pull half of the
// OCI distribution specification (manifests and blobs), and tokens for anybody, as
// registries give them for public images.
//
// It knows requests, answers and digests. It does not know what a manifest says,
// has no credentials, and does not try again: whoever asks does.
//
// It is our own because the libraries, and what they import, compile regular
// expressions when the program starts: a millisecond of each run of bst, of which
// hardly any reads images.
package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode"
)

// MaxManifest bounds a manifest, in bytes, as the specification asks registries to.
const MaxManifest = 4 << 20

const (
	// patience is how long a manifest may take, with its token: they are small, and a
	// registry that sends a byte a minute is not waited for.
	patience = 2 * time.Minute
	// maxToken bounds the answer that has a token, in bytes.
	maxToken = 1 << 20
	// maxReason bounds what is read of a refusal, in bytes.
	maxReason = 8 << 10
)

// StatusError is an answer that is none of those that were wanted.
type StatusError struct {
	Code   int
	URL    string
	Reason string // the registry's own words, "" for none
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("GET %s: the registry answers %d %s", e.URL, e.Code, http.StatusText(e.Code))
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return text
}

// Repository is what a registry has under one name.
type Repository struct {
	client *http.Client
	base   string // as in "https://host/v2/library/debian/"
	name   string

	mu    sync.Mutex
	token string // for the repository, "" where none was asked for
}

// New is a repository of a registry, whose URL has no path. Where its scheme is not
// "http", it is spoken to by https.
func New(client *http.Client, at, name string) (*Repository, error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, err
	}
	if u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("'%s' is no URL of a registry", at)
	}
	name = strings.Trim(name, "/")
	if !isName(name) {
		return nil, fmt.Errorf("'%s' is no name of an image: it has parts of a-z, 0-9, and within them '.', '_' and '-'", name)
	}
	scheme, host := "https", u.Host
	if u.Scheme == "http" {
		scheme = "http"
	}
	if host == "docker.io" {
		host = "registry-1.docker.io" // which has its images
	}
	return &Repository{client: client, base: scheme + "://" + host + "/v2/" + name + "/", name: name}, nil
}

// isName says whether a repository may have this name (the specification's section
// on pulling manifests).
func isName(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.Trim(part, "abcdefghijklmnopqrstuvwxyz0123456789._-") != "" || part == "" ||
			strings.ContainsAny(part[:1]+part[len(part)-1:], "._-") {
			return false
		}
	}
	return len(name) < 256
}

// checkReference says what is wrong with a reference, which comes from projects and
// becomes part of a URL, and of callers' file names.
func checkReference(reference string) error {
	// Tags have no colon, digests always do.
	if strings.Contains(reference, ":") {
		return Digest(reference).Validate()
	}
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
	if reference == "" || len(reference) > 128 || strings.Trim(reference, letters) != "" || strings.ContainsAny(reference[:1], ".-") {
		return fmt.Errorf("'%s' is no tag: it has up to 128 of a-z, A-Z, 0-9, '_', and after the first '.' and '-'", reference)
	}
	return nil
}

// Manifest fetches the manifest that a tag or digest stands for, in one of the forms
// that are accepted. It has the digest that was asked for, or else that of which the
// registry tells. What is neither tag nor digest is an error, and is not asked for.
func (r *Repository) Manifest(ctx context.Context, reference string, accept ...string) ([]byte, error) {
	if err := checkReference(reference); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := r.get(ctx, "manifests/"+url.PathEscape(reference), strings.Join(accept, ", "))
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, MaxManifest+1))
	if err != nil {
		return nil, err
	}
	if len(text) > MaxManifest {
		return nil, fmt.Errorf("the manifest has more than %d bytes", MaxManifest)
	}
	want := Digest(answer.Header.Get("Docker-Content-Digest"))
	if d := Digest(reference); d.Validate() == nil {
		want = d
	}
	if want.Validate() == nil && !want.fits(text) {
		return nil, fmt.Errorf("the manifest that the registry sent is not %s", want)
	}
	return text, nil
}

// Blob fetches a blob of that many bytes. Reading it fails at its end where it is
// another.
func (r *Repository) Blob(ctx context.Context, digest Digest, size int64) (io.ReadCloser, error) {
	if err := digest.Validate(); err != nil {
		return nil, err
	}
	answer, err := r.get(ctx, "blobs/"+string(digest), "")
	if err != nil {
		return nil, err
	}
	return &verified{ReadCloser: answer.Body, digest: digest, hash: digest.hash(), left: size}, nil
}

// get asks, a second time with a token where the registry wants one.
func (r *Repository) get(ctx context.Context, what, accept string) (*http.Response, error) {
	answer, err := r.ask(ctx, what, accept)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode == http.StatusUnauthorized {
		refusal := refused(answer)
		c, ok := challenged(answer.Header.Values("Www-Authenticate"))
		if !ok {
			return nil, refusal
		}
		if err := r.fetchToken(ctx, c); err != nil {
			return nil, fmt.Errorf("cannot get a token for %s: %w", r.name, err)
		}
		if answer, err = r.ask(ctx, what, accept); err != nil {
			return nil, err
		}
	}
	if answer.StatusCode != http.StatusOK {
		return nil, refused(answer)
	}
	return answer, nil
}

func (r *Repository) ask(ctx context.Context, what, accept string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+what, nil)
	if err != nil {
		return nil, err
	}
	if accept != "" {
		request.Header.Set("Accept", accept)
	}
	r.mu.Lock()
	if r.token != "" {
		request.Header.Set("Authorization", "Bearer "+r.token)
	}
	r.mu.Unlock()
	return r.client.Do(request)
}

// refused is the error that an answer is. It closes the answer.
func refused(answer *http.Response) *StatusError {
	e := &StatusError{Code: answer.StatusCode, URL: answer.Request.URL.Redacted()}
	// What cannot be read is not told: the status says it.
	text, _ := io.ReadAll(io.LimitReader(answer.Body, maxReason))
	_ = answer.Body.Close()
	var told struct {
		Errors []struct{ Code, Message string }
	}
	if json.Unmarshal(text, &told) == nil && len(told.Errors) > 0 {
		e.Reason = told.Errors[0].Message
		if e.Reason == "" {
			e.Reason = told.Errors[0].Code
		}
		// It is shown on terminals, and anybody may have written it.
		e.Reason = strings.Map(func(c rune) rune {
			if unicode.IsControl(c) {
				return ' '
			}
			return c
		}, e.Reason)
	}
	return e
}

// fetchToken asks the place that a challenge names.
func (r *Repository) fetchToken(ctx context.Context, c map[string]string) error {
	at, err := url.Parse(c["realm"])
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return fmt.Errorf("the registry sends to '%s' for it, which is no URL", c["realm"])
	}
	query := at.Query()
	if c["service"] != "" {
		query.Set("service", c["service"])
	}
	scope := c["scope"]
	if scope == "" {
		scope = "repository:" + r.name + ":pull"
	}
	query.Set("scope", scope)
	at.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return err
	}
	answer, err := r.client.Do(request)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return refused(answer)
	}
	defer answer.Body.Close()
	var given struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxToken)).Decode(&given); err != nil {
		return fmt.Errorf("%s: %w", at.Redacted(), err)
	}
	if given.Token == "" {
		given.Token = given.AccessToken
	}
	if given.Token == "" {
		return errors.New("the answer of " + at.Redacted() + " has none")
	}
	r.mu.Lock()
	r.token = given.Token
	r.mu.Unlock()
	return nil
}
