package terminal

import (
	"errors"
	"os/exec"
)

// HoldWord starts Hold.
const HoldWord = "__hold-terminal"

// Hold is for Unix.
func Hold(string) error { return errors.New("terminals are lent on Unix only") }

func (Terminal) attachReal(*exec.Cmd) (*Attached, error) {
	return nil, errors.New("terminal: no real terminal is lent on Windows")
}
