//go:build !linux

package harness

import "errors"

// evicts says that evict takes files out of the page cache. Only on Linux can that
// be had one by one, and nobody else is to be disturbed.
func evicts() bool { return false }

func evict(...string) error { return errors.New("no file is taken out of the page cache here") }
