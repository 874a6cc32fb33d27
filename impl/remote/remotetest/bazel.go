package remotetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"bst/impl/bug"

	"github.com/gofrs/flock"
)

// bazelRemote is a server that others wrote and many use. It is not a dependency:
// it is built from its module, with its own go.sum, into the user's cache.
const bazelRemote = "github.com/buchgr/bazel-remote/v2@v2.6.1"

// BazelRemote starts bazel-remote, which is built the first time, and gives its URL.
// It may take calls a little later, and says nothing when it does: a client's attempts
// find out.
// Where it cannot be built the test is skipped, with the reason. It keeps objects
// and has no Push service.
func BazelRemote(t testing.TB) (url string) {
	t.Helper()
	if testing.Short() {
		t.Skip("bazel-remote is not built in short tests")
	}
	if err := BuildBazelRemote(); err != nil {
		t.Skipf("bazel-remote cannot be built: %v", err)
	}
	url, stop, err := RunBazelRemote()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if said := stop(); t.Failed() {
			t.Logf("bazel-remote said:\n%s", said)
		}
	})
	return url
}

// BuildBazelRemote builds bazel-remote where it is not there yet.
func BuildBazelRemote() error {
	_, err := buildBazelRemote()
	return err
}

// RunBazelRemote starts bazel-remote until stop, which gives what it said.
func RunBazelRemote() (url string, stop func() (said string), err error) {
	program, err := buildBazelRemote()
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "bazel-remote") // short: sockets have short paths
	if err != nil {
		return "", nil, err
	}
	socket := filepath.Join(dir, "grpc.sock")
	var said bytes.Buffer
	cmd := exec.Command(program, "--dir", filepath.Join(dir, "cache"), "--max_size", "1",
		"--http_address", "unix://"+filepath.Join(dir, "http.sock"), "--grpc_address", "unix://"+socket)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	wait := bug.Go(cmd.Wait)
	return "unix:" + socket, func() string {
		_ = cmd.Process.Kill()
		_ = wait() // it was killed
		_ = os.RemoveAll(dir)
		return said.String()
	}, nil
}

func buildBazelRemote() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	program := filepath.Join(cache, "bst-tests", "bazel-remote-v2.6.1")
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		return "", err
	}
	lock := flock.New(program + ".lock") // one of the test processes builds it
	if err := lock.Lock(); err != nil {
		return "", err
	}
	defer lock.Unlock()
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	download := exec.Command("go", "mod", "download", "-json", bazelRemote)
	download.Dir = os.TempDir()
	out, err := download.Output()
	if err != nil {
		return "", fmt.Errorf("go mod download: %w", err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-mod=readonly", "-o", program+".new", ".")
	build.Dir = module.Dir
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if text, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, text[max(0, len(text)-2000):])
	}
	return program, os.Rename(program+".new", program)
}
