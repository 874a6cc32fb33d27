package remotetest

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"bst/impl/bug"
)

// Buildbarn starts bb_storage, Buildbarn's content store, in memory, and gives its URL.
// It may take calls a little later. It takes some minutes to build, which
// contrib/build-buildbarn does; where that was not done the test is skipped.
func Buildbarn(t testing.TB) (url string) {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip(err)
	}
	program := filepath.Join(cache, "bst-tests", "bb_storage")
	if _, err := os.Stat(program); err != nil {
		t.Skip("bb_storage is not built: contrib/build-buildbarn does it, in some minutes")
	}
	dir, err := os.MkdirTemp("", "buildbarn") // short: sockets have short paths
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "grpc.sock")
	type object = map[string]any
	allow := object{"allow": object{}}
	text, err := json.Marshal(object{
		"grpcServers":             []object{{"listenPaths": []string{socket}, "authenticationPolicy": allow}},
		"maximumMessageSizeBytes": "4194304",
		"contentAddressableStorage": object{
			"backend": object{"local": object{
				"keyLocationMapInMemory":           object{"entries": "65536"},
				"keyLocationMapMaximumGetAttempts": 8,
				"keyLocationMapMaximumPutAttempts": "32",
				"oldBlocks":                        2, "currentBlocks": 4, "newBlocks": 1,
				"blocksInMemory": object{"blockSizeBytes": "67108864"},
			}},
			"getAuthorizer": allow, "putAuthorizer": allow, "findMissingAuthorizer": allow,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "config.json")
	if err := os.WriteFile(config, text, 0o644); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.Command(program, config)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wait := bug.Go(cmd.Wait)
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = wait() // it was killed
		if t.Failed() {
			t.Logf("bb_storage said:\n%s", said.String())
		}
	})
	return "unix:" + socket
}
