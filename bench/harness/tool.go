package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	// Format is the form of project that it reads.
	Format stacks.Format
	// Strategies are the strategies to measure it with, or BuiltIn alone.
	Strategies []string
	// Peer says that it is not ours.
	Peer bool
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
	t := Tool{Name: name, Path: path, Format: stacks.BuildStream2, Strategies: []string{BuiltIn}}
	t.Version, _, _ = strings.Cut(strings.TrimSpace(string(out)), "\n")
	if t.Version == "" {
		return Tool{}, fmt.Errorf("harness: %s --version says nothing", path)
	}
	if strings.HasPrefix(t.Version, "1.") {
		t.Format = stacks.BuildStream16
	}
	return t, nil
}

// writeConfig writes a user configuration that keeps everything in dir, and
// returns its path.
func (t *Tool) writeConfig(dir string, builders int) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	conf := fmt.Sprintf("logdir: %s/logs\nscheduler:\n  builders: %d\n", dir, builders)
	if t.Format == stacks.BuildStream16 {
		conf += fmt.Sprintf("sourcedir: %[1]s/sources\nbuilddir: %[1]s/build\nartifactdir: %[1]s/artifacts\n", dir)
	} else {
		conf += fmt.Sprintf("cachedir: %[1]s\nsourcedir: %[1]s/sources\nworkspacedir: %[1]s/workspaces\n", dir)
	}
	path := filepath.Join(dir, "buildstream.conf")
	return path, os.WriteFile(path, []byte(conf), 0o644)
}

// arguments is the command line. On a failure the session ends rather than
// asks, so that nothing waits for a person that is not there; on a terminal the
// tool still draws all that it draws for a person.
func (t *Tool) arguments(config, project, strategy string, command Command, target string) []string {
	args := []string{"--config", config, "-C", project, "--on-error", "quit"}
	if strategy != BuiltIn {
		args = append(args, "--strategy", strategy)
	}
	if command == Show {
		return append(args, "show", target)
	}
	return append(args, "build", target)
}

// built counts the elements of a project that have an artifact below cache.
func (t *Tool) built(cache, project string) (int, error) {
	dir := filepath.Join(cache, "artifacts", "refs", project)
	if t.Format == stacks.BuildStream16 {
		dir = filepath.Join(cache, "artifacts", "cas", "refs", "heads", project)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	return len(entries), nil
}
