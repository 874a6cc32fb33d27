package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// laySDK lays out Freedesktop SDK as the facts' own script does, from a copy of
// the facts that the script may write to.
func laySDK(ctx context.Context, s settings) (string, error) {
	facts := filepath.Join(s.scratch, "facts")
	from := filepath.Join(s.facts, "fdsdk")
	if err := os.MkdirAll(facts, 0o755); err != nil {
		return "", err
	}
	if err := copyFile(filepath.Join(facts, "assemble"), filepath.Join(from, "assemble")); err != nil {
		return "", err
	}
	community := filepath.Join(facts, "plugins-community")
	if err := os.CopyFS(community, os.DirFS(filepath.Join(from, "plugins-community"))); err != nil {
		return "", err
	}
	// The script puts files into both, and a folder without files is in no copy.
	for _, folder := range []string{"elements", "sources"} {
		if err := os.MkdirAll(filepath.Join(community, folder), 0o755); err != nil {
			return "", err
		}
	}
	if err := filepath.WalkDir(community, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			err = os.Chmod(path, 0o755)
		}
		return err
	}); err != nil {
		return "", err
	}
	tree := filepath.Join(s.scratch, "fdsdk")
	return tree, command(ctx, "bash", filepath.Join(facts, "assemble"), s.sdk, s.plugins, tree)
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// buildstreamCommit is the one that the facts are of.
const buildstreamCommit = "97d5e4a5c"

// layTrees lays out BuildStream's source tree.
func layTrees(ctx context.Context, s settings) (string, error) {
	tree := filepath.Join(s.scratch, "buildstream")
	if err := os.MkdirAll(tree, 0o755); err != nil {
		return "", err
	}
	return tree, command(ctx, "bash", "-euo", "pipefail", "-c",
		`git --git-dir="$0" archive "$1" | tar -x -C "$2"`, s.buildstream, buildstreamCommit, tree)
}

// command runs a program; its error has the end of what it said.
func command(ctx context.Context, argv ...string) error {
	out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		text := strings.TrimSpace(string(out))
		if len(text) > 1000 {
			text = "…" + text[len(text)-1000:]
		}
		return fmt.Errorf("%s: %w\n%s", argv[0], err, text)
	}
	return nil
}
