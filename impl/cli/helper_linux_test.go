package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"bst/impl/sandbox/inner"
)

// A start of a sandbox does not wait for what it does not need: its helper works
// before this program's other packages are initialised.
func TestHelperIsFirst(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	cmd := exec.Command(self, inner.Word, inner.Verb, "/nowhere/recipe")
	cmd.Env = []string{"GODEBUG=inittrace=1"}
	cmd.ExtraFiles = []*os.File{writer}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	_ = cmd.Run() // its status is looked at below
	writer.Close()
	var said struct {
		Error string `json:"bst-error"`
	}
	if err := json.NewDecoder(reader).Decode(&said); err != nil || !strings.Contains(said.Error, "/nowhere/recipe") {
		t.Errorf("%v, %q", err, said.Error)
	}
	if status := cmd.ProcessState.ExitCode(); status != inner.ExitSetup {
		t.Errorf("status %d", status)
	}
	before := regexp.MustCompile(`(?m)^init (\S+)`).FindAllStringSubmatch(stderr.String(), -1)
	const most = 35
	if len(before) < 5 || len(before) > most {
		t.Errorf("%d packages are initialised before the helper works; want at most %d:\n%s", len(before), most, stderr.String())
	}
}
