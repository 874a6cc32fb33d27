package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"bst/impl/stream"

	"google.golang.org/grpc/credentials"
)

// maxSecret bounds a file of keys or tokens, bytes.
const maxSecret = 1 << 20

func readSecret(spec stream.Remote, path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxSecret {
		err = fmt.Errorf("it has more than %d bytes", maxSecret)
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, credentialsError(spec, path, err.Error())
	}
	return data, nil
}

func credentialsError(spec stream.Remote, path, why string) error {
	return &stream.Error{Domain: stream.DomainCAS, Reason: ReasonCredentials,
		Message: from(spec) + "Failed to load credentials file: " + path, Detail: why}
}

// transport makes the credentials of a TLS connection.
func transport(spec stream.Remote) (credentials.TransportCredentials, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if spec.ServerCert != "" {
		pem, err := readSecret(spec, spec.ServerCert)
		if err != nil {
			return nil, err
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, credentialsError(spec, spec.ServerCert, "It holds no certificate in PEM form.")
		}
	}
	if spec.ClientCert != "" || spec.ClientKey != "" {
		cert, err := readSecret(spec, spec.ClientCert)
		if err != nil {
			return nil, err
		}
		key, err := readSecret(spec, spec.ClientKey)
		if err != nil {
			return nil, err
		}
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			// The error names no part of the key.
			return nil, credentialsError(spec, spec.ClientCert, "It makes no pair with the key in "+spec.ClientKey+": "+err.Error())
		}
		conf.Certificates = []tls.Certificate{pair}
	}
	return credentials.NewTLS(conf), nil
}

// token is an access token in a file, which somebody else may write anew. It
// implements credentials.PerRPCCredentials.
type token struct {
	spec   stream.Remote
	secure bool

	mu   sync.Mutex // guards what follows
	text string
	read time.Time
}

func newToken(spec stream.Remote, secure bool) (*token, error) {
	t := &token{spec: spec, secure: secure}
	return t, t.load()
}

func (t *token) load() error {
	data, err := readSecret(t.spec, t.spec.AccessToken)
	if err != nil {
		return err
	}
	t.text, t.read = strings.TrimSpace(string(data)), time.Now()
	if t.text == "" || strings.ContainsAny(t.text, "\r\n\x00") {
		return credentialsError(t.spec, t.spec.AccessToken, "It is not one line of text.")
	}
	return nil
}

func (t *token) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.spec.TokenReload > 0 && time.Since(t.read) >= t.spec.TokenReload {
		old := t.text
		if err := t.load(); err != nil {
			// Half written, maybe: the old one may still do, and is tried again.
			t.text, t.read = old, time.Now()
		}
	}
	return map[string]string{"authorization": "Bearer " + t.text}, nil
}

func (t *token) RequireTransportSecurity() bool { return t.secure }
