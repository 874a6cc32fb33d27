package crash

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A sandbox that somebody kills is the machine's failure: it is told, and the
// element is built the next time without being asked to.
func TestSandboxKilled(t *testing.T) {
	for _, strategy := range standing() {
		t.Run(strategy.Name, func(t *testing.T) {
			s := newStack(t, strategy.Name, map[string]string{
				"all.bst": commands(`sleep 12349`)(0),
			})
			s.round(1)
			seat := sit(t, s.command("--on-error", "continue", "build", "all.bst"))
			defer seat.leave()
			runs(t, seat.cmd.Process.Pid, "sleep 12349")
			for _, p := range others(seat.cmd.Process.Pid) {
				if p.name == "bwrap" {
					s.must(unix.Kill(p.pid, unix.SIGKILL))
					break
				}
			}
			if status := seat.status(patience); status != 255 {
				t.Errorf("status %d", status)
			}
			orphansEnd(t, grace)
			if text := seat.seen(); !strings.Contains(text, "The sandbox was killed: killed") {
				t.Errorf("the terminal:\n%s", text)
			}
			if state := s.states()["all.bst"]; state != "buildable" {
				t.Errorf("the element is %s", state)
			}
		})
	}
}
