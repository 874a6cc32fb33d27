package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"bst/impl/kind"
	"bst/impl/kind/docker/registry"
)

// The forms of manifests and layers that there are: Docker's own, and those of the
// OCI image specification.
const (
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerLayer    = "application/vnd.docker.image.rootfs.diff.tar.gzip"
	ociManifest    = "application/vnd.oci.image.manifest.v1+json"
	ociIndex       = "application/vnd.oci.image.index.v1+json"
	ociLayer       = "application/vnd.oci.image.layer.v1.tar+gzip"
)

// maxLayers bounds what an image may claim.
const maxLayers = 1024

// manifest is what is read of an image's.
type manifest struct {
	MediaType string  `json:"mediaType"`
	Layers    []layer `json:"layers"`
}

// layer is an archive of files.
type layer struct {
	MediaType string          `json:"mediaType"`
	Digest    registry.Digest `json:"digest"`
	Size      int64           `json:"size"` // in bytes
}

// load reads the image's manifest, which Fetch has put into the mirror.
func (s *source) load(mirror string) (*manifest, error) {
	text, err := os.ReadFile(s.manifestFile(mirror))
	if err != nil {
		return nil, err
	}
	if string(registry.DigestOf(text)) != s.digest {
		return nil, fmt.Errorf("the manifest %s is corrupt", s.digest)
	}
	return parse(text)
}

func parse(text []byte) (*manifest, error) {
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("the manifest is not valid: %w", err)
	}
	switch m.MediaType {
	case dockerManifest, ociManifest, "":
	case dockerList, ociIndex:
		return nil, errors.New("the ref is that of a list of images for several platforms: track the source again")
	default:
		return nil, fmt.Errorf("unsupported manifest type %s", m.MediaType)
	}
	if len(m.Layers) > maxLayers {
		return nil, fmt.Errorf("the image has more than %d layers", maxLayers)
	}
	for _, layer := range m.Layers {
		if layer.MediaType != dockerLayer && layer.MediaType != ociLayer {
			return nil, fmt.Errorf("unsupported layer type: %s", layer.MediaType)
		}
		if err := layer.Digest.Validate(); err != nil {
			return nil, fmt.Errorf("a layer's digest: %w", err)
		}
		if layer.Size < 0 {
			return nil, fmt.Errorf("the layer %s has a size of %d", layer.Digest, layer.Size)
		}
	}
	return &m, nil
}

func (s *source) manifestFile(mirror string) string {
	return filepath.Join(mirror, s.digest+".manifest.json")
}

func layerFile(mirror string, l layer) string {
	return filepath.Join(mirror, string(l.Digest)+".tar.gz")
}

// Cached says that the manifest and all layers are in the mirror.
func (s *source) Cached(_ context.Context, w kind.SourceWork) bool {
	mirror, err := w.MirrorDir()
	if err != nil {
		return false
	}
	manifest, err := s.load(mirror)
	if err != nil {
		return false
	}
	for _, layer := range manifest.Layers {
		if info, err := os.Stat(layerFile(mirror, layer)); err != nil || info.Size() != layer.Size {
			return false
		}
	}
	return true
}

// Fetch brings the layers, and after them the manifest that lists them, from the
// first registry that has the image.
func (s *source) Fetch(ctx context.Context, w kind.SourceWork) error {
	mirror, err := w.MirrorDir()
	if err != nil {
		return err
	}
	at := s.url
	if at == "" {
		at = s.registry
	}
	urls := kind.FetchURLs(s.env, at)
	if len(urls) == 0 {
		return kind.NoURLs("docker", s.env, at)
	}
	var last error
	var failed []string
	temporary := false
	for _, url := range urls {
		last = w.Activity("Fetching image "+s.digest+" from "+url, func() error { return s.fetchFrom(ctx, w, mirror, url) })
		if last == nil || ctx.Err() != nil {
			return last
		}
		failed = append(failed, url+": "+last.Error())
		temporary = temporary || mayPass(last)
	}
	e := kind.SourceErrorf("docker", s.env, "", "Failed to fetch the image %s: %s", s.digest, last)
	e.Temporary, e.Cause = temporary, last.Error()
	if len(failed) > 1 {
		e.Detail = strings.Join(failed, "\n")
	}
	return e
}

// mayPass says that trying again may help.
func mayPass(err error) bool {
	var answer *registry.StatusError
	if errors.As(err, &answer) {
		return answer.Code >= http.StatusInternalServerError || answer.Code == http.StatusTooManyRequests
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errSilent)
}

func (s *source) fetchFrom(ctx context.Context, w kind.SourceWork, mirror, at string) error {
	image := s.image
	if s.url != "" {
		var err error
		if at, image, err = s.split(at); err != nil {
			return err
		}
	}
	repository, err := registry.New(client(), at, image)
	if err != nil {
		return err
	}
	text, err := repository.Manifest(ctx, s.digest, manifestForms...)
	if notFound(err) {
		err = fmt.Errorf("the registry has no image %s: %w", s.digest, err)
	}
	if err != nil {
		return err
	}
	manifest, err := parse(text)
	if err != nil {
		return err
	}
	// A server that falls silent in the middle of a layer ends the fetch.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer watchdog.Stop()
	var done, total int64
	for _, layer := range manifest.Layers {
		total += layer.Size
	}
	for _, layer := range manifest.Layers {
		if info, err := os.Stat(layerFile(mirror, layer)); err == nil && info.Size() == layer.Size {
			done += layer.Size
			continue
		}
		blob, err := repository.Blob(ctx, layer.Digest, layer.Size)
		if err != nil {
			return err
		}
		err = put(layerFile(mirror, layer), io.TeeReader(blob, meter(func(n int) {
			watchdog.Reset(silence)
			done += int64(n)
			w.Progress(int(done), int(total))
		})))
		blob.Close()
		if context.Cause(ctx) == errSilent {
			err = errSilent
		}
		if err != nil {
			return fmt.Errorf("the layer %s: %w", layer.Digest, err)
		}
	}
	return put(s.manifestFile(mirror), strings.NewReader(string(text)))
}

// manifestForms are those that are asked for.
var manifestForms = []string{dockerManifest, dockerList, ociManifest, ociIndex}

func notFound(err error) bool {
	var answer *registry.StatusError
	return errors.As(err, &answer) && answer.Code == http.StatusNotFound
}

// silence is how long a registry may say nothing.
const silence = 2 * time.Minute

var errSilent = fmt.Errorf("the registry sent nothing for %s", silence)

// client is that of all images: it keeps connections open.
var client = sync.OnceValue(func() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = silence
	transport.DisableCompression = true // digests are of what is sent
	return &http.Client{Transport: transport}
})

// put writes a file to the side, and moves it to its place when all of it was read.
func put(name string, r io.Reader) error {
	file, err := os.CreateTemp(filepath.Dir(name), ".fetch-")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = io.Copy(file, r)
	if err := errors.Join(err, file.Chmod(0o644), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}

// meter counts what passes.
type meter func(n int)

func (m meter) Write(p []byte) (int, error) {
	m(len(p))
	return len(p), nil
}
