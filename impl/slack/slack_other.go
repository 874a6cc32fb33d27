//go:build !linux

package slack

// OfBackend calls start: only Linux has timer slack.
func OfBackend(start func() error) error { return start() }

// OfOthers calls start.
func OfOthers(start func() error) error { return start() }
