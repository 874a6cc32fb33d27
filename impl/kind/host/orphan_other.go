//go:build !linux

package host

import "os/exec"

// bind has nothing to do: only Linux tells a process of its parent's death.
func bind(*exec.Cmd, bool) (kept bool) { return false }

func stopGroup(int, bool) {}

func run(cmd *exec.Cmd, _, _ func(int)) error { return cmd.Run() }
