//go:build unix

package local

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"bst/impl/kind/sourcetest"
	"bst/impl/stream"
)

func TestPipesAreRefused(t *testing.T) {
	env := project(t, nil)
	if err := syscall.Mkfifo(filepath.Join(env.Dir, "fifo"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := sourcetest.Configure(t, Traits(), env, "path: fifo")
	const want = "element.bst [line 1 column 6]: Specified path 'fifo' points to an unsupported file kind"
	var e *stream.Error
	if !errors.As(err, &e) || e.Domain != stream.DomainLoad || e.Reason != "PROJ_PATH_INVALID_KIND" || e.Message != want {
		t.Errorf("got %#v", err)
	}
}
