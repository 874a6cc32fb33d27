package crash

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMenu: jobs go on behind a question and say nothing meanwhile, failures wait
// their turn, and a pager may do to the terminal what it likes.
func TestMenu(t *testing.T) {
	perStrategy(t, map[string]string{
		"f1.bst":   commands("echo first failed; exit 1")(0),
		"f2.bst":   commands("sleep 2; exit 1")(0),
		"slow.bst": commands("sleep 3")(0),
		"all.bst":  "kind: stack\ndepends:\n- f1.bst\n- f2.bst\n- slow.bst\n",
	}, func(t *testing.T, s *stack) {
		cmd := s.command("--style", "full", "build", "all.bst")
		cmd.Env = append(cmd.Env, `PAGER=sh -c "stty -echo -icanon; echo paged; cat \"\$1\"; kill -9 \$\$" sh`)
		seat := sit(t, cmd)
		defer seat.leave()
		seat.waitFor("Build failure on element: f1.bst")
		seat.waitFor("Choice: [continue]: ")
		seat.catchUp()
		asked := len(seat.seen())
		for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
			jobs := slices.DeleteFunc(others(cmd.Process.Pid), isBackend)
			if len(jobs) == 0 {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("the jobs did not go on behind the question: %v", jobs)
			}
		}
		time.Sleep(1200 * time.Millisecond) // more than a frame
		seat.catchUp()
		if text := seat.seen()[asked:]; text != "" {
			t.Errorf("written across the question: %q", text)
		}
		seat.types("nonsense\n")
		seat.waitFor("Error: Expected one of ['continue', 'quit', 'terminate', 'retry', 'log', 'shell'], got nonsense")
		seat.types("l\n")
		seat.waitFor("paged")
		seat.waitFor("first failed")
		seat.waitFor("Choice: [continue]: ")
		seat.restored()
		seat.types("\n")
		seat.waitFor("Build failure on element: f2.bst")
		seat.waitFor("Choice: [continue]: ")
		seat.types("c\n")
		if status := seat.status(patience); status != 255 {
			t.Errorf("status %d", status)
		}
		seat.restored()
		text := seat.seen()
		if first, done := strings.Index(text, "Choice: "), strings.Index(text, "-build."); strings.Count(text, "Choice: [continue]: ") != 4 ||
			first < 0 || done < 0 {
			t.Errorf("the terminal:\n%s", text)
		}
		if !finishedBuild.MatchString(text) || s.states()["slow.bst"] != "cached" {
			t.Errorf("the job behind the question is not told of:\n%s", text)
		}
		if left := s.leftovers(); len(left) > 0 {
			t.Errorf("folders are left: %v", left)
		}
	})
}
