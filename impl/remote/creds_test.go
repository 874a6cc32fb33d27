package remote

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bst/impl/remote/remotetest"
	"bst/impl/stream"
)

func TestTLS(t *testing.T) {
	a := remotetest.NewAuthority(t, "test")
	server := func(name string, until time.Time) tls.Certificate {
		pair, err := tls.LoadX509KeyPair(a.Sign(t, name, until))
		must(t, err)
		return pair
	}
	good, expired := server("server", time.Now().Add(time.Hour)), server("expired", time.Now().Add(-time.Hour))
	clientCert, clientKey := a.Sign(t, "client", time.Now().Add(time.Hour))
	pool := x509.NewCertPool()
	pool.AddCert(a.Cert)
	ca, tokenFile := a.File, filepath.Join(t.TempDir(), "token")
	must(t, os.WriteFile(tokenFile, []byte("s3cret\n"), 0o600))

	mutual := &tls.Config{Certificates: []tls.Certificate{good}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
	plain := &tls.Config{Certificates: []tls.Certificate{good}}
	for _, test := range []struct {
		name   string
		server remotetest.Options
		spec   stream.Remote
		reason string
		text   string
	}{
		{"known", remotetest.Options{TLS: plain}, stream.Remote{ServerCert: ca}, "", ""},
		{"unknown authority", remotetest.Options{TLS: plain}, stream.Remote{}, ReasonDenied, "unknown authority"},
		{"expired", remotetest.Options{TLS: &tls.Config{Certificates: []tls.Certificate{expired}}}, stream.Remote{ServerCert: ca}, ReasonDenied, "expired"},
		{"client certificate", remotetest.Options{TLS: mutual}, stream.Remote{ServerCert: ca, ClientCert: clientCert, ClientKey: clientKey}, "", ""},
		{"token", remotetest.Options{TLS: plain, Token: "s3cret"}, stream.Remote{ServerCert: ca, AccessToken: tokenFile}, "", ""},
		{"other token", remotetest.Options{TLS: plain, Token: "other"}, stream.Remote{ServerCert: ca, AccessToken: tokenFile}, ReasonDenied, "token"},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := test.spec
			spec.URL, spec.Type, spec.RetryLimit, spec.RetryDelay = start(t, test.server).URL, "all", 1, time.Millisecond
			err := client(t, spec).Check(t.Context())
			if test.reason == "" {
				must(t, err)
				return
			}
			e := wantReason(t, err, test.reason)
			if !strings.Contains(e.Message, test.text) {
				t.Errorf("%q does not say %q", e.Message, test.text)
			}
			if strings.Contains(fmt.Sprintf("%+v", e), "s3cret") {
				t.Error("the token is in the error")
			}
		})
	}
	t.Run("no client certificate", func(t *testing.T) {
		spec := stream.Remote{URL: start(t, remotetest.Options{TLS: mutual}).URL, Type: "all", ServerCert: ca, RetryDelay: time.Millisecond}
		if err := client(t, spec).Check(t.Context()); !IsServer(err) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a token that was written anew", func(t *testing.T) {
		server := start(t, remotetest.Options{TLS: plain, Token: "new"})
		path := filepath.Join(t.TempDir(), "token")
		must(t, os.WriteFile(path, []byte("old"), 0o600))
		spec := stream.Remote{URL: server.URL, Type: "all", ServerCert: ca, AccessToken: path, TokenReload: time.Nanosecond}
		c := client(t, spec)
		must(t, os.WriteFile(path, []byte("new"), 0o600))
		must(t, c.Check(t.Context()))
	})
}

func TestConfigurationsThatCannotBe(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	must(t, os.WriteFile(token, []byte("x"), 0o600))
	empty := filepath.Join(t.TempDir(), "empty")
	must(t, os.WriteFile(empty, nil, 0o600))
	for _, test := range []struct {
		spec   stream.Remote
		reason string
	}{
		{stream.Remote{URL: "ftp://host"}, ReasonConfig},
		{stream.Remote{URL: "https://"}, ReasonConfig},
		{stream.Remote{URL: "https://host/path"}, ReasonConfig},
		{stream.Remote{URL: "unix:"}, ReasonConfig},
		{stream.Remote{URL: "host:80"}, ReasonConfig},
		{stream.Remote{URL: "http://host", ServerCert: token}, ReasonConfig},
		{stream.Remote{URL: "http://example.org", AccessToken: token}, ReasonConfig},
		{stream.Remote{URL: "https://host", ServerCert: token}, ReasonCredentials},
		{stream.Remote{URL: "https://host", ServerCert: token + "x"}, ReasonCredentials},
		{stream.Remote{URL: "https://host", ClientCert: token, ClientKey: token}, ReasonCredentials},
		{stream.Remote{URL: "https://host", AccessToken: empty}, ReasonCredentials},
	} {
		_, err := Open(test.spec)
		wantReason(t, err, test.reason)
	}
	if got := Display("https://me:secret@host:1"); got != "https://host:1" {
		t.Error(got)
	}
}
