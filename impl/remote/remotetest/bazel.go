package remotetest

import (
	"bytes"
	"encoding/json"
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
	program, err := buildBazelRemote()
	if err != nil {
		t.Skipf("bazel-remote cannot be built: %v", err)
	}
	dir, err := os.MkdirTemp("", "bazel-remote") // short: sockets have short paths
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "grpc.sock")
	var said bytes.Buffer
	cmd := exec.Command(program, "--dir", filepath.Join(dir, "cache"), "--max_size", "1",
		"--http_address", "unix://"+filepath.Join(dir, "http.sock"), "--grpc_address", "unix://"+socket)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wait := bug.Go(cmd.Wait)
	t.Cleanup(func() {
		cmd.Process.Kill()
		wait()
		if t.Failed() {
			t.Logf("bazel-remote said:\n%s", said.String())
		}
	})
	return "unix:" + socket
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
