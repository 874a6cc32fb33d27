package difftest

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"bst/impl/cli"
)

// outcome is what a user, or a program, sees of a command.
type outcome struct {
	Exit           int
	Stdout         string
	Domain, Reason string
	Message        string
	Detail         string
	// Stderr is for people who look for causes; it is not compared.
	Stderr string
}

// format shows everything that is worked out for an element.
const format = "== %{name} %{full-key}\n-- vars\n%{vars}\n-- env\n%{env}\n-- public\n%{public}\n-- config\n%{config}\n-- deps\n%{build-deps} %{runtime-deps}\n-- sources\n%{source-info}"

// workplace is where a project lies and is shown.
type workplace struct{ dir, project, config, report string }

func newWorkplace(t testing.TB) *workplace {
	t.Helper()
	dir := t.TempDir()
	w := &workplace{dir: dir, project: filepath.Join(dir, "project"), config: filepath.Join(dir, "buildstream.conf"), report: filepath.Join(dir, "report.json")}
	text := ""
	for _, key := range []string{"cachedir", "sourcedir", "logdir", "workspacedir"} {
		text += key + ": " + filepath.Join(dir, key) + "\n"
	}
	if err := os.WriteFile(w.config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return w
}

// lay puts a project in the place of what was there.
func (w *workplace) lay(t testing.TB, p *Project, style *Style) {
	t.Helper()
	if err := os.RemoveAll(w.project); err != nil {
		t.Fatal(err)
	}
	if err := p.Write(w.project, style); err != nil {
		t.Fatal(err)
	}
}

func (w *workplace) args(p *Project, format string, more ...string) []string {
	args := append([]string{"--no-colors", "--no-interactive", "--config", w.config, "--directory", w.project}, more...)
	for _, o := range p.Options {
		args = append(args, "--option", o[0], o[1])
	}
	return append(append(args, "show", "--deps", "all", "--format", format, "--"), p.Targets...)
}

// show runs bst in this process.
func (w *workplace) show(t testing.TB, p *Project, format string, more ...string) outcome {
	t.Helper()
	os.Remove(w.report)
	var stdout, stderr bytes.Buffer
	env := []string{"HOME=" + w.dir, "BST_ERROR_REPORT=" + w.report}
	status := cli.Main(w.args(p, format, more...), strings.NewReader(""), &stdout, &stderr, env)
	return w.outcome(t, status, stdout.String(), stderr.String())
}

// refer runs the reference.
func (w *workplace) refer(t testing.TB, reference string, p *Project, format string) outcome {
	t.Helper()
	os.Remove(w.report)
	argv := strings.Fields(reference)
	cmd := exec.Command(argv[0], append(argv[1:], w.args(p, format)...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env = []string{"HOME=" + w.dir, "PATH=" + os.Getenv("PATH"), "BST_ERROR_REPORT=" + w.report}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return w.outcome(t, cmd.ProcessState.ExitCode(), stdout.String(), stderr.String())
}

func (w *workplace) outcome(t testing.TB, status int, stdout, stderr string) outcome {
	t.Helper()
	o := outcome{Exit: status, Stdout: stdout, Stderr: stderr}
	if status == 0 {
		return o
	}
	data, err := os.ReadFile(w.report)
	if err != nil {
		return o // a crash of the reference's
	}
	var report struct{ Domain, Reason, Message, Detail string }
	if err := json.Unmarshal(data, &report); err != nil {
		t.Fatalf("error report: %v\n%s", err, data)
	}
	o.Domain, o.Reason, o.Message, o.Detail = report.Domain, report.Reason, report.Message, report.Detail
	return o
}

// number reads a number from the environment.
func number(t testing.TB, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestReference compares with the reference, see contrib/reference.
func TestReference(t *testing.T) {
	reference := os.Getenv("BST_REFERENCE")
	if reference == "" {
		t.Skip("BST_REFERENCE names no command to compare with")
	}
	first, projects := number(t, "BST_SEED", 1), number(t, "BST_PROJECTS", 100)
	w := newWorkplace(t)
	worked, refused := 0, 0
	for seed := first; seed < first+projects; seed++ {
		p := Generate(uint64(seed))
		w.lay(t, p, NewStyle(uint64(seed)))
		want := w.refer(t, reference, p, format)
		got := w.show(t, p, format)
		switch {
		case want.Exit == 0:
			worked++
		case want.Domain == "":
			t.Logf("seed %d (%s): the reference crashes: %s", seed, p.Mischief, lastLine(want.Stderr))
			continue
		default:
			refused++
		}
		if want.Domain != "LOAD" {
			want.Detail, got.Detail = "", "" // words of plugins
		}
		if d := difference(want, got); d != "" {
			t.Errorf("seed %d (%s): %s", seed, p.Mischief, d)
			if keep := os.Getenv("BST_KEEP"); keep != "" {
				if err := p.Write(filepath.Join(keep, strconv.Itoa(seed)), NewStyle(uint64(seed))); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	t.Logf("%d projects worked, %d were refused", worked, refused)
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// Some differences are meant: the words of the YAML parsers, and where in our
// own projectconfig.yaml something is said; plugins' errors name their element
// twice in the reference.
var (
	parserWords = regexp.MustCompile(`(?s)([Mm]alformed YAML:).*`)
	ownDefaults = regexp.MustCompile(`projectconfig\.yaml \[line \d+ column \d+\]`)
	// The reference does not say where.
	architecture = regexp.MustCompile(`^.*\]: Unknown architecture`)
	twice        = regexp.MustCompile(`^(\w+ (?:element|source) at [^\]]*\]: )(\w+ (?:element|source) at [^\]]*\]: )`)
)

func normal(text string) string {
	text = parserWords.ReplaceAllString(text, "$1")
	text = strings.Replace(text, "Severely malformed YAML", "Malformed YAML", 1)
	text = architecture.ReplaceAllString(text, "Unknown architecture")
	text = ownDefaults.ReplaceAllString(text, "projectconfig.yaml")
	if m := twice.FindStringSubmatch(text); m != nil && m[1] == m[2] {
		text = text[len(m[1]):]
	}
	return text
}

// difference tells the first thing that differs, "" if nothing does.
func difference(want, got outcome) string {
	for _, of := range []struct{ what, want, got string }{
		{"exit", strconv.Itoa(want.Exit), strconv.Itoa(got.Exit)},
		{"domain", want.Domain, got.Domain},
		{"reason", want.Reason, got.Reason},
		{"message", normal(want.Message), normal(got.Message)},
		{"detail", normal(want.Detail), normal(got.Detail)},
	} {
		if of.want != of.got {
			return of.what + " differs:\nwant: " + want.short() + "\ngot:  " + got.short()
		}
	}
	a, b := strings.Split(want.Stdout, "\n"), strings.Split(got.Stdout, "\n")
	element := ""
	for i := range max(len(a), len(b)) {
		var x, y string
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			return "output differs at line " + strconv.Itoa(i+1) + ", in " + element + "\nwant: " + x + "\ngot:  " + y
		}
		if strings.HasPrefix(x, "==") || strings.HasPrefix(x, "--") {
			element = strings.TrimPrefix(element, "") + " " + x
			if strings.HasPrefix(x, "==") {
				element = x
			}
		}
	}
	return ""
}

func (o outcome) short() string {
	if o.Exit == 0 {
		return "works"
	}
	return strings.TrimSpace(strings.Join([]string{strconv.Itoa(o.Exit), o.Domain, o.Reason, o.Message, o.Detail}, " | "))
}
