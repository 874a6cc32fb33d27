// Package sourcetest is what tests of source kinds need: an environment, a
// task that remembers what was said, and a way to look at staged trees.
package sourcetest

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"bst/impl/cas"
	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/stream"
)

// Env is a kind.SourceEnv.
type Env struct {
	Dir string
	// Aliases are prefixes of URLs by alias; Mirrors come before them.
	Aliases map[string]string
	Mirrors map[string][]string
}

func (e *Env) ElementName() string { return "element.bst" }
func (e *Env) ProjectDir() string  { return e.Dir }
func (e *Env) Provenance() stream.Provenance {
	return stream.Provenance{File: "element.bst", Line: 4, Column: 2}
}

func (e *Env) Translate(url string) string {
	alias, rest := kind.SplitAlias(url)
	if prefix, ok := e.Aliases[alias]; ok {
		return prefix + rest
	}
	return url
}

// Digests reads anew each time: tests change what a source has read.
func (e *Env) Digests() *cas.Digests { return new(cas.Digests) }

// Reads is for those who keep what is made of the file.
func (e *Env) Reads(string) {}

func (e *Env) URLs(url string) []string {
	alias, rest := kind.SplitAlias(url)
	prefix, ok := e.Aliases[alias]
	if !ok {
		return []string{url}
	}
	var urls []string
	for _, mirror := range e.Mirrors[alias] {
		urls = append(urls, mirror+rest)
	}
	return append(urls, prefix+rest)
}

// TrackURLs gives the alias' own URL.
func (e *Env) TrackURLs(url string) []string { return []string{e.Translate(url)} }

// Work is a kind.SourceWork below a temporary directory.
type Work struct {
	t      testing.TB
	mirror string
	// Fatal are the warnings that are errors.
	Fatal []string

	mu       sync.Mutex // guards all below
	log      bytes.Buffer
	Messages []string
	Warnings []string
	// Current and Total are the last progress.
	Current, Total int
}

// NewWork makes a task.
func NewWork(t testing.TB) *Work {
	return &Work{t: t, mirror: filepath.Join(t.TempDir(), "sources")}
}

func (w *Work) MirrorDir() (string, error) { return w.mirror, os.MkdirAll(w.mirror, 0o755) }
func (w *Work) TempDir() (string, error)   { return w.t.TempDir(), nil }
func (w *Work) Log() io.Writer             { return (*log)(w) }

func (w *Work) Progress(current, total int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Current, w.Total = current, total
}

func (w *Work) Count(current, total int) { w.Progress(current, total) }

func (w *Work) Message(t stream.MessageType, text, detail string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Messages = append(w.Messages, string(t)+" "+text)
}

func (w *Work) Activity(name string, f func() error) error {
	w.Message(stream.TypeStart, name, "")
	return f()
}

func (w *Work) Warn(token, text, detail string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Warnings = append(w.Warnings, token)
	for _, fatal := range w.Fatal {
		if fatal == token {
			return &stream.Error{Domain: stream.DomainPlugin, Reason: token, Message: text, Detail: detail}
		}
	}
	return nil
}

// LogText is what programs wrote.
func (w *Work) LogText() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

type log Work

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.Write(p)
}

// Configure makes a source of YAML.
func Configure(t testing.TB, traits kind.SourceTraits, env kind.SourceEnv, yaml string) (kind.Source, error) {
	t.Helper()
	config, err := node.Parse([]byte(yaml), "element.bst")
	if err != nil {
		t.Fatal(err)
	}
	s := traits.New()
	return s, s.Configure(config, env)
}

// Must is Configure of a source that is right.
func Must(t testing.TB, traits kind.SourceTraits, env kind.SourceEnv, yaml string) kind.Source {
	t.Helper()
	s, err := Configure(t, traits, env, yaml)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Track tracks a source, which must be possible, and gives its ref on one line of YAML
// after another; "" for none.
func Track(t testing.TB, s kind.Source, w kind.SourceWork, previous string) (string, error) {
	t.Helper()
	tracker, ok := s.(kind.Tracker)
	if !ok {
		t.Fatalf("%T cannot be tracked", s)
	}
	ref, err := tracker.Track(t.Context(), w, previous)
	if err != nil || ref == nil {
		return "", err
	}
	return ref.Dump(), nil
}

// Files lists a tree: a name to each path, "x:" before the content of what can
// be executed, "->" before the target of symbolic links; directories end with a
// slash.
func Files(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, dir+string(filepath.Separator)))
		switch {
		case entry.IsDir():
			files[name+"/"] = ""
		case entry.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			files[name] = "->" + target
			return err
		default:
			info, err := entry.Info()
			if err != nil {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files[name] = string(content)
			if info.Mode()&0o100 != 0 {
				files[name] = "x:" + files[name]
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Write writes files, as Files lists them, below dir.
func Write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(content, "->"); ok {
			err = os.Symlink(target, path)
		} else if script, ok := strings.CutPrefix(content, "x:"); ok {
			err = os.WriteFile(path, []byte(script), 0o755)
		} else {
			err = os.WriteFile(path, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
