// Package testscripts runs the scripts in this folder: what a person types, and
// golden copies of what that person sees, through every strategy. The scripts
// are named by subcommand; README.md says how to write one and how to update
// the golden parts.
package testscripts

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"bst/impl/cli"
	"bst/impl/remote/remotetest"
	"bst/impl/term/termtest"
	"bst/strategies"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write what the scripts' cmpnorm and cmpscreen commands see into the scripts")

func TestMain(m *testing.M) {
	// Whatever name it is started by, as a sandbox's helper this is bst: under
	// the test's own name it would run all tests again.
	if len(os.Args) > 1 && strings.HasPrefix(os.Args[1], "__") {
		os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
	}
	testscript.Main(m, map[string]func(){
		// The program itself: a strategy's backend and a sandbox's helper are
		// this executable started anew, as with the real one.
		"bst": func() {
			os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
		},
	})
}

// ofDecorated are the scripts that a row which decorates another is held to: those
// in which it matters when an event comes, and which end dies. What is said is the
// same code's as in the row that it decorates.
var ofDecorated = []string{"build_failure", "build_interrupt", "build_menu", "build_terminal", "errors_backend",
	"shell_command", "show_deps"}

// whole tells whether a strategy is held to all scripts. With the race detector
// these are one whose backend shares the frontend's memory, and the one whose
// backend serves several frontends: of the others each end alone is the same code.
func whole(s strategies.Strategy) bool {
	return s.Decorates == "" && (!racing || s.Serve == nil || s.Stays())
}

// scripts are the files that a strategy is held to; all of them where none is named.
func scripts(s strategies.Strategy) []string {
	if whole(s) {
		return nil
	}
	var files []string
	for _, name := range ofDecorated {
		files = append(files, name+".txtar")
	}
	return files
}

// dir is where a strategy's scripts are looked for, "" where they are named.
func dir(s strategies.Strategy) string {
	if whole(s) {
		return "."
	}
	return ""
}

// TestScripts runs the scripts once per strategy. All strategies are compared with
// the same golden text.
func TestScripts(t *testing.T) {
	golden := &goldens{update: *update, seen: make(map[string]map[string]string)}
	for _, s := range strategies.All() {
		t.Run(s.Name, func(t *testing.T) {
			testscript.Run(t, testscript.Params{
				Dir:                dir(s),
				Files:              scripts(s),
				Setup:              func(env *testscript.Env) error { return setup(env, s.Name) },
				Condition:          func(name string) (bool, error) { return condition(name, s.Name) },
				RequireUniqueNames: true,
				Cmds: map[string]func(*testscript.TestScript, bool, []string){
					"cmpnorm": func(ts *testscript.TestScript, neg bool, args []string) {
						golden.compare(ts, neg, args, normal(ts).normalise, lines)
					},
					"cmpscreen": func(ts *testscript.TestScript, neg bool, args []string) {
						golden.compare(ts, neg, args, normal(ts).screen, termtest.SideBySide)
					},
					"status":    status,
					"gone":      gone,
					"screen":    screen,
					"sysroot":   sysroot,
					"ref":       ref,
					"commit":    commit,
					"gitserver": gitServer,
					"remote":    remoteServer,
					"events":    recorded,
					"trace":     traced,
				},
			})
		})
	}
	if *update {
		golden.write(t)
	}
}

// setup gives a script a home of its own, and nothing of the user's.
func setup(env *testscript.Env, strategy string) error {
	home := filepath.Join(env.WorkDir, ".home")
	for name, value := range map[string]string{
		"HOME":            home,
		"XDG_CACHE_HOME":  filepath.Join(home, "cache"),
		"XDG_CONFIG_HOME": filepath.Join(home, "config"),
		"XDG_DATA_HOME":   filepath.Join(home, "data"),
		// A backend that stays has its socket there, and ends when that is gone.
		"XDG_RUNTIME_DIR": filepath.Join(home, "run"),
		"BST_WARM_IDLE":   "20s",
		"BST_STRATEGY":    strategy,
		"TERM":            "xterm",
		"LC_ALL":          "C.UTF-8",
		"TZ":              "UTC",
		"COLUMNS":         "",
		"VTE_VERSION":     "",
		"NO_COLOR":        "",
		// What git needs to commit as somebody, the same everywhere.
		"GIT_CONFIG_NOSYSTEM": "1",
		"GIT_AUTHOR_NAME":     "A", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_AUTHOR_DATE": "2020-01-01T00:00:00Z",
		"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.com", "GIT_COMMITTER_DATE": "2020-01-01T00:00:00Z",
	} {
		env.Setenv(name, value)
	}
	// The race detector sleeps a second at the end of each process unless told
	// otherwise; there are hundreds here.
	if race, ok := os.LookupEnv("GORACE"); ok {
		env.Setenv("GORACE", race)
	}
	fetcher, err := filepath.Abs(filepath.Join("..", "contrib", "bst-fetcher"))
	if err != nil {
		return err
	}
	env.Setenv("FETCHER", fetcher)
	env.Values[serversKey{}] = &servers{list: make(map[string]*remotetest.Server)}
	env.Values[normalKey{}] = newNormaliser(env.WorkDir, cli.Version, strategy)
	config := filepath.Join(home, "config", "buildstream.conf")
	if err := os.MkdirAll(filepath.Dir(config), 0o777); err != nil {
		return err
	}
	// One job at a time: the log's order is then the same each time. How full the
	// machine's disk is does not matter.
	return os.WriteFile(config, []byte("scheduler:\n  fetchers: 1\n  builders: 1\n  pushers: 1\nbuild:\n  max-jobs: 2\ncache:\n  reserved-disk-space: 0\n"), 0o666)
}

type normalKey struct{}

func normal(ts *testscript.TestScript) *normaliser { return ts.Value(normalKey{}).(*normaliser) }

// condition knows [sandbox], that commands can be run in a sandbox here, [tmpfs],
// that a file system can be mounted for the command alone, [strategy:NAME], and
// [process], that the strategy starts one for each command, [stays], that its
// backend outlives the command, and [crosses], that events go from one process to
// another.
func condition(name, strategy string) (bool, error) {
	if wanted, ok := strings.CutPrefix(name, "strategy:"); ok {
		if _, err := strategies.Lookup(wanted); err != nil {
			return false, err
		}
		return wanted == strategy, nil
	}
	switch name {
	case "process":
		s, err := strategies.Lookup(strategy)
		return s.Serve != nil && !s.Stays(), err
	case "crosses":
		s, err := strategies.Lookup(strategy)
		return s.Serve != nil, err
	case "stays":
		s, err := strategies.Lookup(strategy)
		return s.Stays(), err
	case "sandbox":
		return hasSandbox(), nil
	case "bash-completion":
		_, err := os.Stat("/usr/share/bash-completion/bash_completion")
		return err == nil, nil
	case "bazel-remote":
		return !testing.Short() && remotetest.BuildBazelRemote() == nil, nil
	case "tmpfs":
		return hasTmpfs(), nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

var hasSandbox = sync.OnceValue(func() bool {
	return exec.Command("bwrap", "--ro-bind", "/", "/", "--unshare-all", "true").Run() == nil
})

var hasTmpfs = sync.OnceValue(func() bool {
	return exec.Command("unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt").Run() == nil
})

// goldens are the golden parts of all scripts.
type goldens struct {
	update bool

	mu sync.Mutex // guards seen
	// seen is, by script and part, what an update's first strategy saw.
	seen map[string]map[string]string
}

// compare compares a text, "stdout", "stderr" or a file, with the script's part,
// without what differs from run to run. In an update the first strategy that
// comes by says what is right, and the others have to agree.
//
//	cmpnorm stderr want.txt
//	cmpscreen screen.txt want.txt
func (g *goldens) compare(ts *testscript.TestScript, neg bool, args []string, normalise func(string) string, diff func(want, got string) string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cmpnorm|cmpscreen stdout|stderr|FILE WANT")
	}
	got, want := normalise(ts.ReadFile(args[0])), ts.ReadFile(args[1])
	hint := "if it is right, run: go test ./testscripts -update"
	if g.update {
		want = g.first(ts, args[1], got)
		hint = "the strategies do not agree"
	}
	if got != want {
		ts.Fatalf("%s is not what %s says (-want +got); %s\n%s", args[0], args[1], hint, diff(want, got))
	}
}

// lines tells how texts differ; screens are laid side by side instead.
func lines(want, got string) string {
	return cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n"))
}

// first returns what was first seen for a part: got, if it was not seen yet.
func (g *goldens) first(ts *testscript.TestScript, part, got string) string {
	part = filepath.ToSlash(strings.TrimPrefix(ts.MkAbs(part), ts.Getenv("WORK")+string(filepath.Separator)))
	g.mu.Lock()
	defer g.mu.Unlock()
	parts := g.seen[ts.Name()]
	if parts == nil {
		parts = make(map[string]string)
		g.seen[ts.Name()] = parts
	}
	if text, ok := parts[part]; ok {
		return text
	}
	parts[part] = got
	return got
}

// write puts what was seen into the scripts.
func (g *goldens) write(t *testing.T) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for name, parts := range g.seen {
		path := name + ".txtar"
		old, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		archive := txtar.Parse(old)
		for i := range archive.Files {
			f := &archive.Files[i]
			if text, ok := parts[f.Name]; ok {
				if strings.HasPrefix(text, "-- ") || strings.Contains(text, "\n-- ") {
					t.Fatalf("%s: the text for %s looks like a part's heading", path, f.Name)
				}
				f.Data = []byte(text)
				delete(parts, f.Name)
			}
		}
		for part := range parts {
			t.Errorf("%s has no part %s to update", path, part)
		}
		text := txtar.Format(archive)
		if bytes.Equal(text, old) {
			continue
		}
		tmp := path + ".new"
		if err := os.WriteFile(tmp, text, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(tmp, path); err != nil {
			t.Fatal(err)
		}
		t.Logf("updated %s", path)
	}
}

// status runs a command and wants its exit status.
//
//	status 255 bst show nothing.bst
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N COMMAND [ARG]...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// gone waits until no process is left of what the script ran but a backend that
// stays. Others of this machine are not looked at: what is the script's has its
// folder in its environment, in its arguments, or, in a sandbox, among its mounts.
//
//	gone
func gone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: gone")
	}
	work := ts.Getenv("WORK")
	left := func() (found []string) {
		dirs, err := filepath.Glob("/proc/[0-9]*")
		ts.Check(err)
		for _, dir := range dirs {
			line, _ := os.ReadFile(filepath.Join(dir, "cmdline")) // each may have ended meanwhile
			args := strings.ReplaceAll(string(line), "\x00", " ")
			for _, name := range []string{"cmdline", "environ", "mountinfo"} {
				text, _ := os.ReadFile(filepath.Join(dir, name))
				if args != "" && !strings.Contains(args, " __backend warm ") && bytes.Contains(text, []byte(work)) {
					found = append(found, filepath.Base(dir)+" "+args)
					break
				}
			}
		}
		return found
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		found := left()
		if len(found) == 0 {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("these processes are left:\n%s", strings.Join(found, "\n"))
		}
	}
}

// placeholder stands in an element for the ref that a script works out.
const placeholder = "@REF@"

// ref puts a file's checksum into an element.
//
//	ref thing.tar elements/thing.bst
func ref(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ref FILE ELEMENT")
	}
	setRef(ts, args[1], fmt.Sprintf("%x", sha256.Sum256([]byte(ts.ReadFile(args[0])))))
}

// commit puts the id of a repository's last commit into an element.
//
//	commit repo elements/thing.bst
func commit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: commit REPOSITORY ELEMENT")
	}
	id, err := exec.Command("git", "-C", ts.MkAbs(args[0]), "rev-parse", "HEAD").Output()
	ts.Check(err)
	setRef(ts, args[1], strings.TrimSpace(string(id)))
}

// gitServer serves the repositories in a folder on loopback, by git's own daemon, and
// sets a variable to the URL of the folder. Each connection gets a daemon of its own,
// so that there is no port to choose.
//
//	gitserver SERVER upstream
func gitServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: gitserver VARIABLE FOLDER")
	}
	folder := ts.MkAbs(args[1])
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // it was closed
			}
			running.Go(func() {
				defer conn.Close()
				file, err := conn.(*net.TCPConn).File()
				if err != nil {
					ts.Logf("git server: %v", err)
					return
				}
				defer file.Close()
				cmd := exec.Command("git", "daemon", "--inetd", "--export-all", "--base-path="+folder)
				cmd.Stdin, cmd.Stdout = file, file
				if err := cmd.Run(); err != nil {
					ts.Logf("git server: %v", err)
				}
			})
		}
	})
	ts.Defer(func() {
		listener.Close()
		running.Wait()
	})
	ts.Setenv(args[0], "git://"+listener.Addr().String())
}

func setRef(ts *testscript.TestScript, element, ref string) {
	text := ts.ReadFile(element)
	if !strings.Contains(text, placeholder) {
		ts.Fatalf("%s has no %s", element, placeholder)
	}
	ts.Check(os.WriteFile(ts.MkAbs(element), []byte(strings.ReplaceAll(text, placeholder, ref)), 0o666))
}
