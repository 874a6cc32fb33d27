package cli

import (
	"encoding/json"
	"fmt"

	"bst/impl/patient"
	"bst/impl/stream"
)

// reportVariable names the file that a failing command describes its error in,
// for test suites and other programs.
const reportVariable = "BST_ERROR_REPORT"

// errorReport is one JSON object. Domain and reason are null where there is
// none.
type errorReport struct {
	Exit      int        `json:"exit"`
	Domain    *string    `json:"domain"`
	Reason    *string    `json:"reason"`
	Message   string     `json:"message"`
	Detail    *string    `json:"detail"`
	Task      reportTask `json:"task"`
	Unhandled bool       `json:"unhandled"`
}

type reportTask struct {
	Domain *string `json:"domain"`
	Reason *string `json:"reason"`
}

// report writes the error report where one is asked for and due. The exit
// status of a shell's command is no error.
func (a *app) report() {
	path := a.getenv(reportVariable)
	if path == "" || a.status == statusOK || a.inner {
		return
	}
	e := a.failed
	if e == nil {
		e = &stream.Error{}
	}
	r := errorReport{
		Exit:      a.status,
		Domain:    orNull(string(e.Domain)),
		Reason:    orNull(e.Reason),
		Message:   e.Message,
		Detail:    orNull(e.Detail),
		Task:      reportTask{orNull(string(e.TaskDomain)), orNull(e.TaskReason)},
		Unhandled: e.Reason == stream.ReasonUnhandled,
	}
	if r.Exit == statusError {
		r.Exit = -1 // as the reference gives it to sys.exit
	}
	data, err := json.Marshal(r)
	if err == nil {
		err = patient.WriteFile(path, append(data, '\n'), 0o600, patient.Unsynced)
	}
	if err != nil {
		fmt.Fprintf(a.err, "\nThe error report could not be written: %s\n", err)
	}
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
