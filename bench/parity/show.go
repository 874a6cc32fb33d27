package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// shown is what bst said of some elements.
type shown struct {
	keys map[string]string
	// failure is what it failed with, nil where it did not.
	failure *failure
}

// failure is the program's report of an error.
type failure struct{ Domain, Reason, Message, Detail string }

func (f *failure) Error() string { return f.Domain + "/" + f.Reason + ": " + f.Message }

// python says that the failure is for want of a Python plugin.
func (f *failure) python() bool {
	return f.Domain == "PLUGIN" && (f.Reason == "plugin-not-found" || f.Reason == "plugin-unknown")
}

// show asks bst for keys. Its caches are in the scratch folder, and it knows no
// configuration of the person's.
func show(ctx context.Context, s settings, project, deps string, targets []string, env ...string) (*shown, error) {
	home := filepath.Join(s.scratch, "home")
	report := filepath.Join(s.scratch, "report.json")
	if err := os.Remove(report); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	bst, err := filepath.Abs(s.bst)
	if err != nil {
		return nil, err
	}
	argv := []string{
		"--directory", project, "--no-interactive", "--no-verbose", "--no-colors",
		"show", "--deps", deps, "--format", "%{name} %{full-key}", "--",
	}
	cmd := exec.CommandContext(ctx, bst, append(argv, targets...)...)
	cmd.Env = append(os.Environ(), "BST_ERROR_REPORT="+report,
		"XDG_CACHE_HOME="+filepath.Join(home, "cache"), "XDG_CONFIG_HOME="+filepath.Join(home, "config"))
	cmd.Env = append(cmd.Env, env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	runErr := cmd.Run()
	var exit *exec.ExitError
	if runErr != nil && !errors.As(runErr, &exit) {
		return nil, runErr
	}
	_, keys, err := readPairs(&stdout)
	if err != nil {
		return nil, err
	}
	result := &shown{keys: keys}
	if runErr == nil {
		return result, nil
	}
	result.failure = &failure{Message: strings.TrimSpace(stderr.String())}
	if text, err := os.ReadFile(report); err == nil {
		if err := json.Unmarshal(text, result.failure); err != nil {
			return nil, err
		}
	}
	return result, nil
}
