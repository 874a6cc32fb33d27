//go:build !linux

package slack

import "time"

// Around calls start: only Linux has timer slack.
func Around(_ time.Duration, start func() error) error { return start() }
