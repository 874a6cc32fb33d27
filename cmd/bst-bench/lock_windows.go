package main

import (
	"errors"
	"io/fs"
	"os"

	"github.com/gofrs/flock"
	"golang.org/x/sys/windows"
)

// release gives a record's lock back. Its file cannot go while it is open: whoever waits
// for the lock has it open, and then the file is theirs to remove.
func release(lock *flock.Flock) error {
	err := lock.Unlock()
	removed := os.Remove(lock.Path())
	if errors.Is(removed, windows.ERROR_SHARING_VIOLATION) || errors.Is(removed, fs.ErrNotExist) {
		return err
	}
	return errors.Join(err, removed)
}
