package server

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync"
	"time"
)

// TLS makes a configuration of a server's certificate and key, in PEM. With
// clients, a file of certificates, only those are served whose certificate is one
// of these or signed by one. A certificate that is replaced is used for the
// connections that begin then.
func TLS(cert, key, clients string) (*tls.Config, error) {
	pair := &keyPair{cert: cert, key: key}
	if _, err := pair.get(nil); err != nil {
		return nil, err
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.get}
	if clients != "" {
		pem, err := os.ReadFile(clients)
		if err != nil {
			return nil, fmt.Errorf("the clients' certificates cannot be read: %w", err)
		}
		c.ClientCAs = x509.NewCertPool()
		if !c.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s has no certificate in PEM", clients)
		}
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return c, nil
}

// keyPair is a certificate that may be replaced.
type keyPair struct {
	cert, key string

	mu    sync.Mutex // guards what follows
	used  *tls.Certificate
	mtime time.Time
}

func (p *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	st, err := os.Stat(p.cert)
	if err == nil && p.used != nil && st.ModTime().Equal(p.mtime) {
		return p.used, nil
	}
	fresh, err := tls.LoadX509KeyPair(p.cert, p.key)
	if err != nil {
		if p.used != nil {
			return p.used, nil // half replaced: the next connection looks again
		}
		return nil, fmt.Errorf("the server's certificate cannot be used: %w", err)
	}
	p.used = &fresh
	if st != nil {
		p.mtime = st.ModTime()
	}
	return p.used, nil
}
