package testscripts

import "github.com/rogpeppe/go-internal/testscript"

// screen needs a pseudo terminal of Unix: scripts that use it start with
// [!unix] skip.
func screen(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Fatalf("there is no screen command on Windows")
}
