//go:build !windows

package main

import (
	"errors"
	"os"

	"github.com/gofrs/flock"
)

// release gives a record's lock back. Its file goes first, or somebody could lock one
// that is gone a moment later.
func release(lock *flock.Flock) error {
	return errors.Join(os.Remove(lock.Path()), lock.Unlock())
}
