package docker

import (
	"context"
	"encoding/json"
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

	"bst/impl/kind"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// The forms of manifests and layers that there are; those of Docker have no
// names in the library.
const (
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerLayer    = "application/vnd.docker.image.rootfs.diff.tar.gzip"
)

const (
	// maxManifest and maxLayers bound what an image may claim.
	maxManifest = 4 << 20
	maxLayers   = 1024
)

// load reads the image's manifest, which Fetch has put into the mirror.
func (s *source) load(mirror string) (*ocispec.Manifest, error) {
	text, err := os.ReadFile(s.manifestFile(mirror))
	if err != nil {
		return nil, err
	}
	if digest.FromBytes(text).String() != s.digest {
		return nil, fmt.Errorf("the manifest %s is corrupt", s.digest)
	}
	return parse(text)
}

func parse(text []byte) (*ocispec.Manifest, error) {
	var manifest ocispec.Manifest
	if err := json.Unmarshal(text, &manifest); err != nil {
		return nil, fmt.Errorf("the manifest is not valid: %w", err)
	}
	switch manifest.MediaType {
	case dockerManifest, ocispec.MediaTypeImageManifest, "":
	case dockerList, ocispec.MediaTypeImageIndex:
		return nil, errors.New("the ref is that of a list of images for several platforms: track the source again")
	default:
		return nil, fmt.Errorf("unsupported manifest type %s", manifest.MediaType)
	}
	if len(manifest.Layers) > maxLayers {
		return nil, fmt.Errorf("the image has more than %d layers", maxLayers)
	}
	for _, layer := range manifest.Layers {
		if layer.MediaType != dockerLayer && layer.MediaType != ocispec.MediaTypeImageLayerGzip {
			return nil, fmt.Errorf("unsupported layer type: %s", layer.MediaType)
		}
		if err := layer.Digest.Validate(); err != nil {
			return nil, fmt.Errorf("a layer's digest: %w", err)
		}
	}
	return &manifest, nil
}

func (s *source) manifestFile(mirror string) string {
	return filepath.Join(mirror, s.digest+".manifest.json")
}

func layerFile(mirror string, layer ocispec.Descriptor) string {
	return filepath.Join(mirror, layer.Digest.String()+".tar.gz")
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
	var response *errcode.ErrorResponse
	if errors.As(err, &response) {
		return response.StatusCode >= http.StatusInternalServerError || response.StatusCode == http.StatusTooManyRequests
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
	repository, err := open(at, image)
	if err != nil {
		return err
	}
	text, err := s.manifest(ctx, repository)
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
		blob, err := repository.Blobs().Fetch(ctx, layer)
		if err != nil {
			return err
		}
		verified := content.NewVerifyReader(blob, layer)
		err = put(layerFile(mirror, layer), io.TeeReader(verified, meter(func(n int) {
			watchdog.Reset(silence)
			done += int64(n)
			w.Progress(int(done), int(total))
		})), verified.Verify)
		blob.Close()
		if context.Cause(ctx) == errSilent {
			err = errSilent
		}
		if err != nil {
			return fmt.Errorf("the layer %s: %w", layer.Digest, err)
		}
	}
	return put(s.manifestFile(mirror), strings.NewReader(string(text)), nil)
}

// manifest fetches the image's manifest.
func (s *source) manifest(ctx context.Context, repository *remote.Repository) ([]byte, error) {
	described, body, err := repository.Manifests().FetchReference(ctx, s.digest)
	if errors.Is(err, errdef.ErrNotFound) {
		return nil, fmt.Errorf("the registry has no image %s: %w", s.digest, err)
	}
	if err != nil {
		return nil, err
	}
	defer body.Close()
	if described.Size > maxManifest {
		return nil, fmt.Errorf("the manifest has more than %d bytes", maxManifest)
	}
	return content.ReadAll(body, described)
}

// open is a repository of a registry, that of an image.
func open(at, image string) (*remote.Repository, error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, err
	}
	if u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("'%s' is no URL of a registry", at)
	}
	repository, err := remote.NewRepository(u.Host + "/" + strings.Trim(image, "/"))
	if err != nil {
		return nil, err
	}
	repository.PlainHTTP = u.Scheme == "http"
	repository.ManifestMediaTypes = []string{dockerManifest, dockerList, ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex}
	// Registries that ask for it get a token for anybody.
	repository.Client = &auth.Client{Client: client(), Cache: auth.NewCache()}
	return repository, nil
}

// silence is how long a registry may say nothing.
const silence = 2 * time.Minute

var errSilent = fmt.Errorf("the registry sent nothing for %s", silence)

// client is that of all images: it keeps connections open.
var client = sync.OnceValue(func() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = silence
	return &http.Client{Transport: transport}
})

// put writes a file to the side, and moves it to its place when verify agrees.
func put(name string, r io.Reader, verify func() error) error {
	file, err := os.CreateTemp(filepath.Dir(name), ".fetch-")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = io.Copy(file, r)
	if err == nil && verify != nil {
		err = verify()
	}
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
