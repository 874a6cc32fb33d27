package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWork(t *testing.T) {
	fill := func(t *testing.T) *work {
		t.Helper()
		t.Setenv("TMPDIR", t.TempDir())
		t.Setenv("TMP", os.Getenv("TMPDIR"))
		w, err := openWork("", onDisk)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 200 {
			dir := filepath.Join(w.dir, "0", "caches", fmt.Sprint(i%7), fmt.Sprint(i%3), "deep", fmt.Sprint(i))
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return w
	}
	there := func(dir string) bool {
		_, err := os.Stat(dir)
		return !errors.Is(err, fs.ErrNotExist)
	}
	t.Run("goes", func(t *testing.T) {
		w := fill(t)
		var log bytes.Buffer
		if err := w.close(t.Context(), &log); err != nil {
			t.Fatal(err)
		}
		if there(w.dir) || log.Len() > 0 {
			t.Errorf("it is there: %v; it said %q", there(w.dir), &log)
		}
	})
	t.Run("interrupted, and removed by the next", func(t *testing.T) {
		left := fill(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var log bytes.Buffer
		if err := left.close(ctx, &log); err != nil {
			t.Fatal(err)
		}
		if !there(left.dir) || !strings.Contains(log.String(), left.dir+" is left") {
			t.Errorf("it is there: %v; it said %q", there(left.dir), &log)
		}
		next, err := openWork("", onDisk)
		if err != nil {
			t.Fatal(err)
		}
		if err := next.close(t.Context(), &log); err != nil {
			t.Fatal(err)
		}
		if there(left.dir) || there(next.dir) {
			t.Error("the next did not remove both")
		}
	})
	t.Run("given", func(t *testing.T) {
		w, err := openWork(t.TempDir(), onDisk)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.close(t.Context(), new(bytes.Buffer)); err != nil || !there(w.dir) {
			t.Errorf("%v; it is there: %v", err, there(w.dir))
		}
	})
}
