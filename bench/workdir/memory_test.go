package workdir

import (
	"os"
	"testing"
)

func TestMemory(t *testing.T) {
	dir := Memory()
	if dir == "" {
		t.Skip("this machine has no folder in memory with enough room")
	}
	made, err := os.MkdirTemp(dir, "bst-workdir-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(made); err != nil {
		t.Fatal(err)
	}
}
