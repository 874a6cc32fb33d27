package testscripts

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"

	"bst/impl/record/events"
	"bst/impl/stream"

	"github.com/rogpeppe/go-internal/testscript"
)

// recorded reads a file of --events and writes what happened to elements, one
// event a line. The last line says how the session ended.
//
//	events FILE OUT
func recorded(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: events FILE OUT")
	}
	r, err := events.NewReader(strings.NewReader(ts.ReadFile(args[0])), nil)
	ts.Check(err)
	var b strings.Builder
	fmt.Fprintf(&b, "bst %s\n", r.Header.Command)
	if want := ts.Getenv("BST_STRATEGY"); r.Header.Strategy != want {
		ts.Fatalf("the header says strategy %s, want %s", r.Header.Strategy, want)
	}
	for {
		rec, err := r.Next()
		if err == io.EOF {
			break
		}
		ts.Check(err)
		switch e := rec.Event.(type) {
		case *stream.JobStarted:
			fmt.Fprintf(&b, "%s %s begins\n", e.Action, e.Element)
		case *stream.JobFinished:
			fmt.Fprintf(&b, "%s %s ends with status %d\n", e.Action, e.Element, e.Status)
		case *stream.Finished:
			fmt.Fprintf(&b, "finished; error: %v, terminated: %v\n", e.Error != nil, e.Terminated)
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(b.String()), 0o666))
}

// traced reads a file of --profile, as a viewer does, and writes its spans,
// sorted, without their times.
//
//	trace FILE OUT
func traced(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: trace FILE OUT")
	}
	var entries []struct {
		Name, Ph string
		TID      int
		Dur      float64
		Args     struct{ Name, Status string }
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &entries))
	lanes := map[int]string{}
	var spans []string
	for _, e := range entries {
		switch {
		case e.Name == "thread_name":
			lanes[e.TID] = e.Args.Name
		case e.Ph == "X" && e.Dur < 0:
			ts.Fatalf("%s lasts %v", e.Name, e.Dur)
		case e.Ph == "X":
			spans = append(spans, strings.TrimSpace(lanes[e.TID]+": "+strings.ReplaceAll(e.Name, ts.Getenv("BST_STRATEGY"), "STRATEGY")+" "+e.Args.Status)+"\n")
		}
	}
	sort.Strings(spans)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.Join(spans, "")), 0o666))
}
