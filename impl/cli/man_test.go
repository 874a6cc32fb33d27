package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestManualPages: each command has a page that names all its options, and the
// pages are in order for the program that shows them.
func TestManualPages(t *testing.T) {
	dir := t.TempDir()
	var out, errs bytes.Buffer
	if status := Main([]string{"manual-pages", dir}, strings.NewReader(""), &out, &errs, nil); status != 0 {
		t.Fatalf("status %d: %s", status, errs.String())
	}
	a := &app{parts: join()}
	pages := 0
	for _, cmd := range everyCommand(a.root()) {
		if cmd.HasParent() && !cmd.IsAvailableCommand() && cmd.Name() != "help" {
			continue
		}
		pages++
		text, err := os.ReadFile(filepath.Join(dir, pageName(cmd)+".1"))
		if err != nil {
			t.Error(err)
			continue
		}
		if info, err := os.Stat(filepath.Join(dir, pageName(cmd)+".1")); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o644 {
			t.Errorf("not everybody can read it: %v, %v", info, err)
		}
		plain := strings.ReplaceAll(string(text), `\-`, "-")
		for _, row := range append(optionRows(cmd), commandRows(cmd)...) {
			if !strings.Contains(plain, ".B "+row[0]+"\n") {
				t.Errorf("%s does not tell of %s", pageName(cmd), row[0])
			}
			if row[1] == "" {
				t.Errorf("%s: nothing is said of %s", pageName(cmd), row[0])
			}
		}
		if !strings.Contains(plain, `.SH "EXIT STATUS"`) {
			t.Errorf("%s does not tell the exit status", pageName(cmd))
		}
	}
	written, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(written) != pages {
		t.Errorf("%d pages were written for %d commands: %v, %v", len(written), pages, written, err)
	}
	man, err := exec.LookPath("man")
	if err != nil {
		t.Skip("the pages are not looked at: apt-get install man-db")
	}
	for _, page := range written {
		cmd := exec.Command(man, "--warnings", "-E", "UTF-8", "-l", "-Tutf8", page)
		var complaints bytes.Buffer
		cmd.Stderr = &complaints
		if err := cmd.Run(); err != nil || complaints.Len() > 0 {
			t.Errorf("%s: %v: %s", page, err, complaints.String())
		}
	}
}

func TestRoff(t *testing.T) {
	for text, want := range map[string]string{
		"plain":      "plain",
		".start":     `\&.start`,
		"'quoted'":   `\&'quoted'`,
		`back\slash`: `back\eslash`,
		"--x":        `\-\-x`,
	} {
		if got := roff(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// TestTopics: help tells the exit statuses that the program ends with.
func TestTopics(t *testing.T) {
	for _, topic := range topicNames() {
		var errs bytes.Buffer
		if status := Main([]string{"help", topic}, strings.NewReader(""), &bytes.Buffer{}, &errs, nil); status != 0 {
			t.Errorf("%s: status %d", topic, status)
		}
		if !strings.HasPrefix(errs.String(), "\n"+findTopic(topic).intro+":\n") {
			t.Errorf("%s: %s", topic, errs.String())
		}
	}
}
