package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"bst/impl/platform"
	"bst/impl/stream"
)

// recorder is a stream that keeps the order and answers with events.
type recorder struct {
	order  stream.Order
	events []stream.Event
}

func (r *recorder) Send(_ context.Context, o stream.Order) error {
	if r.order == nil {
		r.order = o
	}
	return nil
}

func (r *recorder) Recv(context.Context) ([]stream.Event, error) {
	if len(r.events) == 0 {
		return nil, io.EOF
	}
	events := r.events
	r.events = nil
	return events, nil
}

func (r *recorder) Close() error { return nil }

// bst runs the command line against a recorder.
type bst struct {
	recorder
	strategy    string
	home        string
	env         []string
	stdout, err bytes.Buffer
}

func newBst(t *testing.T, events ...stream.Event) *bst {
	b := &bst{home: t.TempDir()}
	b.events = events
	if events == nil {
		b.events = []stream.Event{&stream.Finished{}}
	}
	return b
}

func (b *bst) run(args ...string) int {
	p := parts{
		lookup: func(name string) (way, error) {
			b.strategy = name
			if name == "broken" {
				return way{}, &stream.Error{Domain: stream.DomainApp, Message: "Unknown strategy 'broken'"}
			}
			return way{name: name, open: func(context.Context, stream.Host) (stream.Stream, error) { return &b.recorder, nil }}, nil
		},
		strategies: func() []strategy { return []strategy{{"one", ""}, {"two", ""}} },
		fallback:   func(platform, terminal string) fallback { return fallback{"one", "it is quick on " + terminal} },
		serve: func(_ context.Context, _ string, _ []string, in io.Reader, out io.Writer) error {
			_, err := io.Copy(out, in)
			return err
		},
		sandbox: func(args []string) int { return len(args) },
	}
	env := append([]string{"HOME=" + b.home}, b.env...)
	return run(p, args, strings.NewReader("fed"), &b.stdout, &b.err, env)
}

// TestOrders: what the arguments become.
func TestOrders(t *testing.T) {
	yes, no := true, false
	dir := t.TempDir()
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	formatFields := []string{"state", "full-key", "name", "workspace-dirs"}
	settings := func(change func(*stream.Settings)) stream.Session {
		s := stream.Session{Directory: wd, Strategy: "one", Settings: stream.Settings{
			WorkspaceDir: ".", Fetchers: 10, Builders: 4, Pushers: 4, NetworkRetries: 2, OnError: "quit",
			FetchSource: "all", TrackSource: "aliases", BuildDependencies: "run", CacheBuildtrees: "auto", ErrorLines: 20, Verbose: true,
		}}
		if change != nil {
			change(&s.Settings)
		}
		return s
	}
	in := func(directory string, s stream.Session) stream.Session {
		s.Directory = directory
		return s
	}
	for _, test := range []struct {
		args string
		want stream.Order
	}{
		{"build", &stream.Build{Session: settings(nil), PipelineFields: formatFields}},
		{"build a.bst b.bst --deps all -r", &stream.Build{Targets: []string{"a.bst", "b.bst"}, Deps: "all", PipelineFields: formatFields,
			Session: settings(func(s *stream.Settings) { s.RetryFailed = true })}},
		{"-C " + dir + " --on-error continue --fetchers 3 --builders=5 --pushers 6 --max-jobs 7 --network-retries 0 --no-verbose --debug --error-lines 1 --no-strict " +
			"-o arch arm --option debug True --default-mirror near --pull-buildtrees --cache-buildtrees never build x.bst",
			&stream.Build{Targets: []string{"x.bst"}, PipelineFields: formatFields, Session: in(dir, settings(func(s *stream.Settings) {
				*s = stream.Settings{WorkspaceDir: ".", Fetchers: 3, Builders: 5, Pushers: 6, MaxJobs: 7, OnError: "continue", Strict: &no,
					Options: map[string]string{"arch": "arm", "debug": "True"}, DefaultMirror: "near", PullBuildtrees: true, CacheBuildtrees: "never",
					FetchSource: "all", TrackSource: "aliases", BuildDependencies: "run", ErrorLines: 1, Debug: true}
			}))}},
		{"--no-strict --strict --debug --no-debug -oname value build", &stream.Build{PipelineFields: formatFields, Session: settings(func(s *stream.Settings) {
			s.Strict = &yes
			s.Options = map[string]string{"name": "value"}
		})}},
		{"show", &stream.Show{Session: settings(nil), Deps: "all", Sort: "stage", Fields: formatFields}},
		{"show -d none --order alpha -f %{name} --except x.bst --except y.bst a.bst", &stream.Show{Session: settings(nil), Targets: []string{"a.bst"},
			Except: []string{"x.bst", "y.bst"}, Deps: "none", Sort: "alpha", Fields: []string{"name"}}},
		{"source fetch a.bst --except b.bst", &stream.Fetch{Session: settings(nil), Targets: []string{"a.bst"}, Except: []string{"b.bst"}, Deps: "none", PipelineFields: formatFields}},
		{"source track -J -d all --except c.bst a.bst b.bst", &stream.Track{Session: settings(nil), Targets: []string{"a.bst", "b.bst"},
			Except: []string{"c.bst"}, Deps: "all", CrossJunctions: true, PipelineFields: formatFields}},
		{"source push -d build --except c.bst a.bst", &stream.PushSources{Session: settings(nil), Targets: []string{"a.bst"}, Except: []string{"c.bst"},
			Deps: "build", PipelineFields: formatFields}},
		{"source checkout a.bst", &stream.CheckoutSources{Session: settings(nil), Target: "a.bst", Deps: "none", Directory: wd + "/source-checkout"}},
		{"source checkout -f -d run --except b.bst --include-build-scripts --tar " + dir + "/s.tar --compression bz2",
			&stream.CheckoutSources{Session: settings(nil), Except: []string{"b.bst"}, Deps: "run", Force: true, BuildScripts: true,
				Tar: dir + "/s.tar", Compression: "bz2"}},
		{"init --project-name foo", &stream.Init{Session: settings(nil), Directory: wd, Name: "foo", MinVersion: "2.8", ElementPath: "elements"}},
		{"init -f --project-name foo --min-version 2.0 --element-path x " + dir, &stream.Init{Session: settings(nil), Directory: dir, Name: "foo",
			MinVersion: "2.0", ElementPath: "x", Force: true}},
		{"workspace open a.bst b.bst", &stream.OpenWorkspaces{Targets: []string{"a.bst", "b.bst"},
			Session: settings(func(s *stream.Settings) { s.WorkspaceDir = wd })}},
		{"workspace open --no-checkout -f --directory " + dir + " a.bst", &stream.OpenWorkspaces{Targets: []string{"a.bst"}, NoCheckout: true, Force: true,
			Directory: dir, Session: settings(func(s *stream.Settings) { s.WorkspaceDir = wd })}},
		{"workspace close --remove-dir -a", &stream.CloseWorkspaces{Session: settings(nil), Targets: []string{}, All: true, RemoveDirectory: true}},
		{"workspace close a.bst", &stream.CloseWorkspaces{Session: settings(nil), Targets: []string{"a.bst"}}},
		{"workspace reset --soft --all", &stream.ResetWorkspaces{Session: settings(nil), Targets: []string{}, Soft: true, All: true}},
		{"workspace list", &stream.ListWorkspaces{Session: settings(nil)}},
		{"shell a.bst", &stream.Shell{Session: settings(nil), Target: "a.bst", Command: []string{}}},
		{"shell -b --mount " + dir + " /mnt --isolate a.bst -- ls -l --mount", &stream.Shell{Session: settings(nil), Target: "a.bst", Build: true, Isolate: true,
			Mounts: []stream.Mount{{Host: dir, Path: "/mnt"}}, Command: []string{"ls", "-l", "--mount"}}},
		{"shell -t a.bst", &stream.Shell{Session: settings(nil), Target: "a.bst", Build: true, UseBuildtree: true, Command: []string{}}},
		{"artifact checkout sub/a.bst", &stream.Checkout{Session: settings(nil), Target: "sub/a.bst", Deps: "run", Integrate: true, Directory: wd + "/sub/a"}},
		{"artifact checkout a.bst --no-integrate --hardlinks -f -d none --directory " + dir, &stream.Checkout{Session: settings(nil), Target: "a.bst", Deps: "none",
			Hardlinks: true, Force: true, Directory: dir}},
		{"artifact checkout a.bst --tar " + dir + "/x.tar.gz", &stream.Checkout{Session: settings(nil), Target: "a.bst", Deps: "run", Integrate: true,
			Tar: dir + "/x.tar.gz", Compression: "gz"}},
		{"artifact checkout a.bst --tar " + dir + "/x.tar.gz --compression xz", &stream.Checkout{Session: settings(nil), Target: "a.bst", Deps: "run", Integrate: true,
			Tar: dir + "/x.tar.gz", Compression: "xz"}},
	} {
		t.Run(test.args, func(t *testing.T) {
			b := newBst(t)
			if status := b.run(strings.Fields(test.args)...); status != 0 {
				t.Errorf("status %d: %s", status, b.err.String())
			}
			if diff := cmp.Diff(test.want, b.order, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(stream.Settings{}, "CacheDir", "SourceDir", "LogDir", "ReservedSpace", "LowWatermark")); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTarToStdoutOrder(t *testing.T) {
	b := newBst(t)
	if status := b.run("artifact", "checkout", "a.bst", "--tar", "-"); status != 0 {
		t.Fatalf("status %d: %s", status, b.err.String())
	}
	o, ok := b.order.(*stream.Checkout)
	if !ok || !o.TarToStdout || o.Tar == "" || o.Directory != "" {
		t.Fatalf("%+v", b.order)
	}
	if _, err := os.Stat(filepath.Dir(o.Tar)); !os.IsNotExist(err) {
		t.Errorf("the temporary folder is left over: %v", err)
	}
}

func TestStrategy(t *testing.T) {
	for _, test := range []struct {
		conf, env, flag, want string
		status                int
	}{
		{"", "", "", "one", 0},
		{"two", "", "", "two", 0},
		{"one", "two", "", "two", 0},
		{"", "two", "one", "one", 0},
		{"two", "two", "one", "one", 0},
		{"", "broken", "", "broken", 255},
	} {
		b := newBst(t)
		b.env = []string{"BST_STRATEGY=" + test.env}
		args := []string{"show"}
		if test.flag != "" {
			args = []string{"--strategy", test.flag, "show"}
		}
		if test.conf != "" {
			file := filepath.Join(b.home, "bst.conf")
			if err := os.WriteFile(file, []byte("strategy: "+test.conf+"\n"), 0o666); err != nil {
				t.Fatal(err)
			}
			args = append([]string{"--config", file}, args...)
		}
		if status := b.run(args...); status != test.status || b.strategy != test.want {
			t.Errorf("%+v: strategy %q, status %d", test, b.strategy, status)
		}
	}
}

// TestMistakes: the last line of what is said, and the status.
func TestMistakes(t *testing.T) {
	for _, test := range []struct {
		args   string
		status int
		last   string
	}{
		{"--nope build", 2, "Error: No such option: --nope"},
		{"build --nope", 2, "Error: No such option: --nope"},
		{"build -q", 2, "Error: No such option: -q"},
		{"build --debug", 2, "It stands before the command: bst --debug build"},
		{"nope", 2, "Error: No such command 'nope'."},
		{"source nope", 2, "Error: No such command 'nope'."},
		{"--fetchers", 2, "Error: Option '--fetchers' requires an argument."},
		{"--fetchers few build", 2, "Error: Invalid value for '--fetchers': 'few' is not a valid integer."},
		{"--builders 0 build", 2, "Error: Invalid value for '--builders': 0 is less than 1."},
		{"--on-error stop build", 2, "Error: Invalid value for '--on-error': 'stop' is not one of 'continue', 'quit', 'terminate'."},
		{"build -d x", 2, "Error: Invalid value for '--deps' / '-d': 'x' is not one of 'none', 'build', 'run', 'all'."},
		{"-c /not/there build", 2, "Error: Invalid value for '--config' / '-c': File '/not/there' does not exist."},
		{"-C /dev/null build", 2, "Error: Invalid value for '--directory' / '-C': Directory '/dev/null' is a file."},
		{"--log-file /not/there/log build", 2, "Error: Invalid value for '--log-file': '/not/there/log': no such file or directory"},
		{"-o one", 2, "Error: Option '--option' requires 2 arguments."},
		{"--verbose=1 build", 2, "Error: Option '--verbose' does not take a value."},
		{"shell --mount /not/there /x a.bst", 2, "Error: Invalid value for '--mount': Path '/not/there' does not exist."},
		{"artifact checkout a b", 2, "Error: Got unexpected extra argument (b)"},
		{"shell", 255, `Missing argument "TARGET".`},
		{"artifact checkout", 255, `Missing argument "ELEMENT".`},
		{"artifact checkout a --tar x --hardlinks", 255, "ERROR: options --hardlinks and --tar conflict"},
		{"artifact checkout a --tar x --directory y", 255, "ERROR: options --directory and --tar conflict"},
		{"artifact checkout a --compression gz", 255, "ERROR: --compression can only be provided if --tar is provided"},
		{"artifact checkout a --tar x.tar.zip", 255, "ERROR: Invalid file extension given with '--tar': Expected compression with unknown file extension ('.zip'), supported extensions are ('.tar'), ('.gz'), ('.xz'), ('.bz2')"},
		{"help nope", 255, "Not a valid command: 'bst nope'"},
		{"workspace open", 2, "Error: Missing argument 'ELEMENTS...'."},
		{"workspace list x.bst", 2, "Error: Got unexpected extra argument (x.bst)"},
		{"init", 255, "Cannot initialize a new project without specifying the project name"},
		{"-C " + os.TempDir() + " init --project-name x", 255, "    Please use 'bst init " + os.TempDir() + "' instead."},
		{"source checkout --tar x --directory y z.bst", 255, "ERROR: options --directory and --tar conflict"},
		{"source checkout --compression gz z.bst", 255, "ERROR: --compression specified without --tar"},
		{"build --artifact-remote url=x,y a.bst", 2, "Error: Invalid value for '--artifact-remote': Failed to interpret remote: Invalid format 'y' found in remote specification: url=x,y"},
		{"show -f %{name:x}", 255, `invalid format '%{name:x}': unknown format code "x" for a string`},
	} {
		t.Run(test.args, func(t *testing.T) {
			b := newBst(t)
			status := b.run(strings.Fields(test.args)...)
			lines := strings.Split(strings.TrimRight(b.err.String(), "\n"), "\n")
			if last := lines[len(lines)-1]; status != test.status || last != test.last {
				t.Errorf("status %d, want %d; said %q, want %q", status, test.status, last, test.last)
			}
			if b.stdout.Len() > 0 {
				t.Errorf("output %q", b.stdout.String())
			}
			if b.order != nil {
				t.Errorf("ordered %+v", b.order)
			}
		})
	}
}

func TestConfigurationErrors(t *testing.T) {
	b := newBst(t)
	conf := filepath.Join(b.home, "bst.conf")
	for text, want := range map[string]string{
		"nope: 1": "\nError loading user configuration: " + conf + " [line 1 column 6]: Unexpected key: nope\n",
		"logging: {message-format: '%{x}'}": "\nError loading user configuration: " + conf +
			" [line 1 column 26]: 'x' is not a valid log variable name\n",
	} {
		if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		b.err.Reset()
		if status := b.run("-c", conf, "build"); status != 255 {
			t.Errorf("status %d", status)
		}
		if diff := cmp.Diff(want, b.err.String()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// Who chose the strategy is told, and the table's reason where it was the table.
func TestVersionTellsTheStrategy(t *testing.T) {
	here := "0.1.0\nplatform:  " + platform.Name() + "\nterminal:  none: a pipe or a file\n"
	conf := filepath.Join(t.TempDir(), "mine.conf")
	if err := os.WriteFile(conf, []byte("strategy: two\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		env  []string
		args []string
		want string
	}{
		{"table", nil, nil, "strategy:  one\nchosen by: the table of defaults, which was made from measurements\nbecause:   it is quick on none\n"},
		{"configuration", nil, []string{"-c", conf}, "strategy:  two\nchosen by: the user configuration " + conf + "\n"},
		{"environment", []string{"BST_STRATEGY=three"}, []string{"-c", conf}, "strategy:  three\nchosen by: the environment's BST_STRATEGY\n"},
		{"flag", []string{"BST_STRATEGY=three"}, []string{"-c", conf, "--strategy", "one"}, "strategy:  one\nchosen by: --strategy\n"},
	} {
		b := newBst(t)
		b.env = c.env
		status := b.run(append(c.args, "--version", "--verbose")...)
		if diff := cmp.Diff(here+c.want, b.stdout.String()); status != 0 || b.err.Len() > 0 || diff != "" {
			t.Errorf("%s: status %d, %q (-want +got):\n%s", c.name, status, b.err.String(), diff)
		}
	}
	b := newBst(t)
	b.env = []string{"BST_STRATEGY=broken"}
	if status := b.run("--version", "--verbose"); status != 255 || b.stdout.String() != "0.1.0\n" || !strings.Contains(b.err.String(), "Unknown strategy 'broken'") {
		t.Errorf("an unknown strategy: %d, %q, %q", status, b.stdout.String(), b.err.String())
	}
	b = newBst(t)
	if status := b.run("--version", "--no-verbose"); status != 0 || b.stdout.String() != "0.1.0\n" {
		t.Errorf("--no-verbose: %d, %q", status, b.stdout.String())
	}
}

func TestPlainOutput(t *testing.T) {
	b := newBst(t)
	if status := b.run("--version"); status != 0 || b.stdout.String() != Version+"\n" {
		t.Errorf("--version: %d, %q", status, b.stdout.String())
	}
	for _, args := range []string{"-h", "build -h", "artifact checkout --help"} {
		b := newBst(t)
		if status := b.run(strings.Fields(args)...); status != 0 || !strings.HasPrefix(b.stdout.String(), "Usage: bst ") || b.err.Len() > 0 {
			t.Errorf("%s: %d, %q, %q", args, status, b.stdout.String(), b.err.String())
		}
	}
	b = newBst(t)
	if status := b.run("help", "source", "fetch"); status != 0 || b.stdout.Len() > 0 || !strings.HasPrefix(b.err.String(), "Usage: bst source fetch [OPTIONS] [ELEMENTS]...\n") {
		t.Errorf("help: %d, %q, %q", status, b.stdout.String(), b.err.String())
	}
	b = newBst(t)
	if status := b.run("help"); status != 0 || !strings.HasSuffix(b.err.String(), "\nOn a topic: bst help TOPIC, of environment, exit-status\n") {
		t.Errorf("help: %d, %q", status, b.err.String())
	}
	b = newBst(t)
	if status := b.run(); status != 2 || !strings.Contains(b.err.String(), "--strategy [one|two]") {
		t.Errorf("no command: %d, %q", status, b.err.String())
	}
}

func TestHiddenEntryPoints(t *testing.T) {
	b := newBst(t)
	if status := b.run(sandboxWord, "a", "b"); status != 2 {
		t.Errorf("sandbox: %d", status)
	}
	if status := b.run(backendWord, "one"); status != 0 || b.stdout.String() != "fed" {
		t.Errorf("backend: %d, %q", status, b.stdout.String())
	}
}

func TestShow(t *testing.T) {
	b := newBst(t, &stream.ElementShown{Name: "a.bst", State: "cached"}, &stream.ElementShown{Name: "b.bst", State: "waiting"}, &stream.Finished{})
	if status := b.run("--colors", "show", "-f", "%{state: >8} %{name}"); status != 0 {
		t.Errorf("status %d: %s", status, b.err.String())
	}
	want := "\x1b[35m  cached \x1b[34;1ma.bst\x1b[m\n\x1b[34m waiting \x1b[1mb.bst\x1b[m\n"
	if diff := cmp.Diff(want, b.stdout.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestErrorReport(t *testing.T) {
	report := filepath.Join(t.TempDir(), "report.json")
	read := func() map[string]any {
		t.Helper()
		data, err := os.ReadFile(report)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	b := newBst(t, &stream.Stage{Name: "Loading elements", Done: true}, &stream.Finished{Error: &stream.Error{
		Domain: stream.DomainStream, Message: "", TaskDomain: stream.DomainElement, TaskReason: "command-failed"}})
	b.env = []string{"BST_ERROR_REPORT=" + report}
	if status := b.run("build"); status != 255 {
		t.Errorf("status %d", status)
	}
	want := map[string]any{"exit": -1.0, "domain": "STREAM", "reason": nil, "message": "", "detail": nil,
		"task": map[string]any{"domain": "ELEMENT", "reason": "command-failed"}, "unhandled": false}
	if diff := cmp.Diff(want, read()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	b = newBst(t)
	b.env = []string{"BST_ERROR_REPORT=" + report}
	b.run("--nope")
	want = map[string]any{"exit": 2.0, "domain": nil, "reason": nil, "message": "No such option: --nope", "detail": nil,
		"task": map[string]any{"domain": nil, "reason": nil}, "unhandled": false}
	if diff := cmp.Diff(want, read()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	if err := os.Remove(report); err != nil {
		t.Fatal(err)
	}
	b = newBst(t, &stream.Finished{ShellStatus: 3})
	b.env = []string{"BST_ERROR_REPORT=" + report}
	if status := b.run("shell", "a.bst"); status != 3 {
		t.Errorf("status %d", status)
	}
	if _, err := os.Stat(report); !os.IsNotExist(err) {
		t.Errorf("a shell's status was reported as an error: %v", err)
	}
}

func TestLogFile(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	b := newBst(t)
	if status := b.run("--colors", "--log-file", log, "build"); status != 0 {
		t.Errorf("status %d: %s", status, b.err.String())
	}
	text, err := os.ReadFile(log)
	if err != nil || !strings.Contains(string(text), "START   Build\n") || strings.Contains(string(text), "\x1b") {
		t.Errorf("%q, %v", text, err)
	}
}

func TestSplice(t *testing.T) {
	a := &app{parts: parts{strategies: func() []strategy { return nil }, fallback: func(string, string) fallback { return fallback{} }}}
	flags := a.root().Flags()
	for in, want := range map[string]string{
		"-o a b build -o c d":       "--option=a\x00b build -o c d",
		"-oa b build":               "--option=a\x00b build",
		"--option=a b build":        "--option=a\x00b build",
		"-c -o build":               "-c -o build",
		"--config=x -o a b":         "--config=x --option=a\x00b",
		"--debug -o a b":            "--debug --option=a\x00b",
		"-o a":                      "-o a",
		"-- -o a b":                 "-- -o a b",
		"build -- -o a b":           "build -- -o a b",
		"--no-interactive show -o":  "--no-interactive show -o",
		"--fetchers 3 -o a b build": "--fetchers 3 --option=a\x00b build",
	} {
		got, _ := splice(flags, strings.Fields(in), true)
		if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", in, diff)
		}
	}
}
