//go:build !linux

package expiry

import "time"

// tick waits for longer than a step of the clock that files have their times from.
func tick() { time.Sleep(20 * time.Millisecond) }
