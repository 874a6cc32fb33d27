//go:build linux

package host

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"bst/impl/kind/sourcetest"
)

// state reads a process's state letter.
func state(t *testing.T, pid int) byte {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b[strings.LastIndexByte(string(b), ')')+1:]))[0]
}

// A program that uses the network stops with its session and is not blamed for its
// silence meanwhile.
func TestSuspension(t *testing.T) {
	var s Suspension
	ctx, cancel := context.WithCancel(WithSuspension(t.Context(), &s))
	defer cancel()
	reader, writer := io.Pipe()
	c := shell(t, `sh -c 'echo $$; while true; do sleep 0.02; echo tick; done'`)
	c.Stdout, c.Silence = writer, 500*time.Millisecond
	ended := make(chan error, 1)
	go func() {
		result, err := Run(ctx, sourcetest.NewWork(t), c)
		if result.Silent {
			err = errSilent
		}
		writer.Close()
		ended <- err
	}()
	lines := bufio.NewScanner(reader)
	lines.Scan()
	var pid int
	if _, err := fmt.Sscan(lines.Text(), &pid); err != nil {
		t.Fatal(err)
	}
	go func() {
		for lines.Scan() {
		}
	}()
	s.Set(true)
	// A process that the kernel has at the disk stops when it is back from there.
	for range 200 {
		if state(t, pid) == 'T' {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	for range 3 * 10 { // thrice its patience
		time.Sleep(50 * time.Millisecond)
		// D is on its way to T: the kernel has it at the disk.
		if got := state(t, pid); got != 'T' && got != 'D' {
			t.Fatalf("its state is %c", got)
		}
	}
	s.Set(false)
	time.Sleep(100 * time.Millisecond)
	if got := state(t, pid); got == 'T' {
		t.Error("it is still stopped")
	}
	s.Set(true) // also what is stopped can be ended
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
}
