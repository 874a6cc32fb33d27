package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bst/impl/proto/assetpb"
	"bst/impl/proto/repb"
	"bst/impl/remote/remotetest"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

func ask(c *client, t *testing.T) error {
	_, err := c.GetCapabilities(ctx(t), &repb.GetCapabilitiesRequest{})
	return err
}

func TestTLS(t *testing.T) {
	soon := time.Now().Add(time.Hour)
	ca := remotetest.NewAuthority(t, "authority")
	cert, key := ca.Sign(t, "server", soon)
	clientCert, clientKey := ca.Sign(t, "somebody", soon)
	strangerCert, strangerKey := remotetest.NewAuthority(t, "strange authority").Sign(t, "stranger", soon)
	pool := x509.NewCertPool()
	pool.AddCert(ca.Cert)
	pair := func(cert, key string) []tls.Certificate {
		p, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			t.Fatal(err)
		}
		return []tls.Certificate{p}
	}
	creds := func(certs []tls.Certificate) credentials.TransportCredentials {
		return credentials.NewTLS(&tls.Config{RootCAs: pool, Certificates: certs})
	}
	plain, err := TLS(cert, key, "")
	if err != nil {
		t.Fatal(err)
	}
	mutual, err := TLS(cert, key, ca.File)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var seen []string
	c := start(t, Config{TLS: plain})
	m := start(t, Config{TLS: mutual, Log: func(a Access) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, a.Client)
	}})
	for _, tc := range []struct {
		what  string
		addr  string
		creds credentials.TransportCredentials
		want  codes.Code
	}{
		{"TLS", c.addr, creds(nil), codes.OK},
		{"clear text", c.addr, insecure.NewCredentials(), codes.Unavailable},
		{"an unknown server", c.addr, credentials.NewTLS(&tls.Config{RootCAs: x509.NewCertPool()}), codes.Unavailable},
		{"a client's certificate", m.addr, creds(pair(clientCert, clientKey)), codes.OK},
		{"no client's certificate", m.addr, creds(nil), codes.Unavailable},
		{"a stranger's certificate", m.addr, creds(pair(strangerCert, strangerKey)), codes.Unavailable},
	} {
		wantCode(t, tc.what, ask(dial(t, tc.addr, tc.creds), t), tc.want)
	}
	mu.Lock()
	if len(seen) != 1 || seen[0] != "somebody" {
		t.Errorf("the log has %q", seen)
	}
	mu.Unlock()

	// A renewed certificate is used for the next connection, and what is half
	// replaced is not.
	other := remotetest.NewAuthority(t, "other authority")
	newCert, newKey := other.Sign(t, "renewed", soon)
	later := time.Now().Add(time.Minute)
	move := func(from, to string, when time.Time) {
		b, err := os.ReadFile(from)
		if err == nil {
			err = errors.Join(os.WriteFile(to, b, 0o600), os.Chtimes(to, when, when))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	move(newCert, cert, later)
	wantCode(t, "half replaced", ask(dial(t, c.addr, creds(nil)), t), codes.OK)
	move(newKey, key, later)
	pool.AddCert(other.Cert)
	conn, err := tls.Dial("tcp", c.addr, &tls.Config{RootCAs: pool, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := conn.ConnectionState().PeerCertificates[0].Subject.CommonName; got != "renewed" {
		t.Errorf("the server shows the certificate of %q", got)
	}
	conn.Close()

	for what, of := range map[string]func() error{
		"no such file": func() error { _, err := TLS(cert+"x", key, ""); return err },
		"another key":  func() error { _, err := TLS(cert, clientKey, ""); return err },
		"no clients":   func() error { _, err := TLS(cert, key, cert+"x"); return err },
		"a key for clients": func() error {
			_, err := TLS(cert, key, key)
			return err
		},
	} {
		if of() == nil {
			t.Errorf("%s is accepted", what)
		}
	}
}

// bearer sends a token with each request.
type bearerToken string

func (b bearerToken) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": string(b)}, nil
}
func (bearerToken) RequireTransportSecurity() bool { return false }

func TestTokens(t *testing.T) {
	dir := t.TempDir()
	read, push := filepath.Join(dir, "read"), filepath.Join(dir, "push")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(read, "# who may pull\n\n reader \nother\n")
	write(push, "writer\n")
	tokens, err := NewTokens(read, push)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var log strings.Builder
	c := start(t, Config{Push: true, Tokens: tokens, Log: func(a Access) {
		mu.Lock()
		defer mu.Unlock()
		LogTo(&log)(a)
	}})
	for _, tc := range []struct {
		auth         string
		read, upload codes.Code
	}{
		{"", codes.Unauthenticated, codes.Unauthenticated},
		{"Bearer reader", codes.OK, codes.PermissionDenied},
		{"bearer other", codes.OK, codes.PermissionDenied},
		{"Bearer writer", codes.OK, codes.InvalidArgument}, // what is asked for is empty
		{"Bearer secret-nobody", codes.Unauthenticated, codes.Unauthenticated},
		{"Bearer ", codes.Unauthenticated, codes.Unauthenticated},
		{"Bearer # who may pull", codes.Unauthenticated, codes.Unauthenticated},
		{"Basic reader", codes.Unauthenticated, codes.Unauthenticated},
	} {
		var options []grpc.DialOption
		if tc.auth != "" {
			options = append(options, grpc.WithPerRPCCredentials(bearerToken(tc.auth)))
		}
		one := dial(t, c.addr, insecure.NewCredentials(), options...)
		wantCode(t, tc.auth+" reads", ask(one, t), tc.read)
		_, err := one.PushBlob(ctx(t), &assetpb.PushBlobRequest{})
		wantCode(t, tc.auth+" pushes", err, tc.upload)
		_, err = one.writer(t, "uploads/x").end()
		wantCode(t, tc.auth+" writes", err, tc.upload)
	}
	// Two tokens are none.
	two := metadata.AppendToOutgoingContext(ctx(t), "authorization", "Bearer x", "authorization", "Bearer reader")
	_, err = c.GetCapabilities(two, &repb.GetCapabilitiesRequest{})
	wantCode(t, "two tokens", err, codes.Unauthenticated)
	mu.Lock()
	if text := log.String(); strings.Contains(text, "reader") || strings.Contains(text, "secret") || strings.Contains(text, "writer") {
		t.Errorf("tokens are in the log: %s", text)
	}
	mu.Unlock()

	// A token that was taken out of the file lets nobody in any more.
	write(read, "renewed-reader\n")
	tokens.read.seen = time.Time{}
	one := dial(t, c.addr, insecure.NewCredentials(), grpc.WithPerRPCCredentials(bearerToken("Bearer reader")))
	wantCode(t, "an old token", ask(one, t), codes.Unauthenticated)
	if err := os.Remove(read); err != nil {
		t.Fatal(err)
	}
	tokens.read.seen = time.Time{}
	one = dial(t, c.addr, insecure.NewCredentials(), grpc.WithPerRPCCredentials(bearerToken("Bearer renewed-reader")))
	wantCode(t, "a file that is gone", ask(one, t), codes.Unauthenticated)

	write(read, "# nobody\n")
	for what, of := range map[string][2]string{"no file": {read + "x", ""}, "no token": {read, ""}, "no file for pushing": {"", push + "x"}} {
		if _, err := NewTokens(of[0], of[1]); err == nil {
			t.Errorf("%s is accepted", what)
		}
	}
}

// Everybody may read where there are tokens for pushing alone.
func TestTokensForPushing(t *testing.T) {
	push := filepath.Join(t.TempDir(), "push")
	if err := os.WriteFile(push, []byte("writer"), 0o600); err != nil {
		t.Fatal(err)
	}
	tokens, err := NewTokens("", push)
	if err != nil {
		t.Fatal(err)
	}
	c := start(t, Config{Push: true, Tokens: tokens})
	wantCode(t, "reading", ask(c, t), codes.OK)
	_, err = c.PushBlob(ctx(t), &assetpb.PushBlobRequest{})
	wantCode(t, "pushing", err, codes.Unauthenticated)
}
