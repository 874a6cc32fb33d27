package harness

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"bst/bench/stacks"
)

// BuiltIn stands where a tool has no strategies to choose from.
const BuiltIn = "built-in"

// Tool is an executable that is measured: this project's or a peer's.
type Tool struct {
	// Name stands in results: small letters, digits, dots and dashes.
	Name string
	Path string
	// Version is what it says of itself.
	Version string
	// Digest is the start of the executable's SHA-256, in hexadecimal.
	Digest string
	// Format is the form of project that it reads.
	Format stacks.Format
	// Strategies are the strategies to measure it with, or BuiltIn alone.
	Strategies []string
	// Peer says that it is not ours.
	Peer bool
	// Env is added to its environment.
	Env []string
}

// PerEventSuffix ends the name of a tool that draws on every event.
const PerEventSuffix = "-per-event"

// PerEvent is this tool, drawing on every event: what its frames are compared
// with. It is a tool of its own in results.
func (t Tool) PerEvent() Tool {
	t.Name += PerEventSuffix
	t.Version += ", drawing on every event"
	t.Env = append(slices.Clip(t.Env), "BST_DRAWING=event")
	return t
}

// FindTool asks the executable at path for its version.
func FindTool(ctx context.Context, name, path string) (Tool, error) {
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" {
		return Tool{}, fmt.Errorf("harness: a tool's name is of small letters, digits, dots and dashes, not %q", name)
	}
	path, err := exec.LookPath(path)
	if err != nil {
		return Tool{}, fmt.Errorf("harness: %w", err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return Tool{}, fmt.Errorf("harness: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return Tool{}, fmt.Errorf("harness: %s --version: %w", path, err)
	}
	digest, err := fileDigest(path)
	if err != nil {
		return Tool{}, fmt.Errorf("harness: %w", err)
	}
	t := Tool{Name: name, Path: path, Digest: digest, Format: stacks.BuildStream2, Strategies: []string{BuiltIn}}
	t.Version, _, _ = strings.Cut(strings.TrimSpace(string(out)), "\n")
	if t.Version == "" {
		return Tool{}, fmt.Errorf("harness: %s --version says nothing", path)
	}
	switch {
	case strings.TrimSuffix(filepath.Base(path), ".exe") == "ninja", name == "ninja":
		t.Format = stacks.Ninja
	case strings.HasPrefix(t.Version, "1."):
		t.Format = stacks.BuildStream16
	}
	return t, nil
}

// fileDigest is the start of a file's SHA-256.
func fileDigest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	if err := errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", h.Sum(nil))[:12], nil
}

// can says whether the tool can do what a case asks for.
func (t *Tool) can(c Case) bool {
	kind := c.Stack.Kind
	switch {
	case kind == stacks.Failures && (c.Command == Rebuild || c.Command == Fetch):
		return false // what failed is tried again, or not, as the tool likes
	case t.Format == stacks.Ninja:
		return (c.Command == Build || c.Command == Rebuild) && kind != stacks.Real && kind != stacks.Failures && kind != stacks.DeepJunctions
	case t.Format == stacks.BuildStream16:
		return kind != stacks.Sources
	}
	return true
}

// arguments is the command line. On a failure the session ends rather than
// asks, so that nothing waits for a person that is not there; on a terminal the
// tool still draws all that it draws for a person.
func (t *Tool) arguments(config, project, strategy string, c Case, builders int) []string {
	command, target := c.Command, c.Stack.Target()
	if t.Format == stacks.Ninja {
		return []string{"-C", filepath.Dir(config), "-f", filepath.Join(project, stacks.NinjaFile), "-j", strconv.Itoa(builders), strings.TrimSuffix(target, ".bst")}
	}
	args := []string{"--config", config, "-C", project, "--on-error", "quit"}
	if c.Stack.Kind == stacks.Failures {
		args[len(args)-1] = "continue"
	}
	if strategy != BuiltIn {
		args = append(args, "--strategy", strategy)
	}
	switch command {
	case Show, ShowCold:
		args = append(args, "show", "--format", "%{name} %{full-key}")
	case Fetch:
		if t.Format == stacks.BuildStream16 {
			args = append(args, "fetch", "--deps", "all")
		} else {
			args = append(args, "source", "fetch", "--deps", "all")
		}
	default:
		args = append(args, "build")
	}
	if target != "" {
		args = append(args, target)
	}
	return args
}

// status is the exit status that a case ends with when all is well.
func (c Case) status() int {
	if fail, _ := c.Stack.Failing(); fail > 0 && c.Command == Build {
		return 255
	}
	return 0
}

// built counts the elements of a project that have an artifact below cache.
func (t *Tool) built(cache, project string) (int, error) {
	if t.Format == stacks.Ninja {
		return count(cache, func(name string) bool {
			return name != "home" && name != "buildstream.conf" && !strings.HasPrefix(name, ".")
		})
	}
	dir := filepath.Join(cache, "artifacts", "refs", project)
	if t.Format == stacks.BuildStream16 {
		dir = filepath.Join(cache, "artifacts", "cas", "refs", "heads", project)
	}
	return count(dir, func(string) bool { return true })
}

// fetched counts the sources below cache that had to be fetched.
func (t *Tool) fetched(cache string) (int, error) {
	return count(filepath.Join(cache, "source_protos", "remote"), func(string) bool { return true })
}

// count counts the entries of a folder.
func count(dir string, is func(string) bool) (int, error) {
	entries, err := os.ReadDir(dir)
	n := 0
	for _, e := range entries {
		if is(e.Name()) {
			n++
		}
	}
	return n, err
}
