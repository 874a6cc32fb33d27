package workspace

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"bst/impl/node"
	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var noProvenance = cmpopts.IgnoreFields(Workspace{}, "Provenance")

func TestRead(t *testing.T) {
	for name, test := range map[string]struct {
		text, reason, message string
		want                  []Workspace
	}{
		"none":   {text: "format-version: 4\nworkspaces: {}\n"},
		"no key": {text: "format-version: 4\n"},
		"two": {text: "format-version: 4\nworkspaces:\n  b.bst:\n    path: ws/b\n    last_build: abc\n  j.bst:a.bst: {path: /a}\n",
			want: []Workspace{{Element: "b.bst", Path: "ws/b", LastBuild: "abc"}, {Element: "j.bst:a.bst", Path: "/a"}}},
		"empty": {text: "", reason: "INVALID_DATA",
			message: "workspaces.yml [line 1 column 0]: Workspace configuration format version 0 not supported"},
		"old": {text: "format-version: 3\n", reason: "INVALID_DATA",
			message: "workspaces.yml [line 1 column 16]: Workspace configuration format version 3 not supported"},
		"new": {text: "format-version: 5\n", reason: "INVALID_DATA",
			message: "workspaces.yml [line 1 column 16]: Workspace configuration format version 5 not supported"},
		"no number": {text: "format-version: x\n", reason: "INVALID_DATA",
			message: "workspaces.yml [line 1 column 16]: Value of 'format-version' is not of the expected type 'int'"},
		"no path": {text: "format-version: 4\nworkspaces:\n  a.bst: {}\n", reason: "INVALID_DATA",
			message: "workspaces.yml [line 3 column 9]: Dictionary did not contain expected key 'path'"},
		"list": {text: "format-version: 4\nworkspaces: []\n", reason: "INVALID_DATA",
			message: "workspaces.yml [line 2 column 12]: Value of 'workspaces' is not of the expected type 'dict'"},
		"text": {text: "format-version: 4\nworkspaces:\n  a.bst: x\n", reason: "INVALID_DATA",
			message: "workspaces.yml [line 3 column 9]: Value of 'a.bst' is not of the expected type 'dict'"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, Folder), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(File(dir), []byte(test.text), 0o644); err != nil {
				t.Fatal(err)
			}
			s, err := Read(dir)
			if test.reason != "" {
				var e *stream.Error
				if !errors.As(err, &e) {
					t.Fatalf("got %v", err)
				}
				got := []string{string(e.Domain), e.Reason, e.Message}
				if diff := cmp.Diff([]string{"LOAD", test.reason, test.message}, got); diff != "" {
					t.Error(diff)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, s.All(), noProvenance); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSave: what is saved has the reference's form and is read again.
func TestSave(t *testing.T) {
	dir := t.TempDir()
	s, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(filepath.Dir(dir), "outside")
	s.Put("b.bst", filepath.Join(dir, "ws", "b"), "")
	s.Put("gone.bst", filepath.Join(dir, "gone"), "")
	s.Put("j.bst:true", outside, "")
	s.Put("b.bst", filepath.Join(dir, "..ws", "b"), "abc")
	s.Remove("gone.bst")
	s.Remove("never.bst")
	if err := s.Save(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(File(dir))
	if err != nil {
		t.Fatal(err)
	}
	want := "format-version: 4\nworkspaces:\n  b.bst:\n    path: ..ws/b\n    last_build: abc\n  j.bst:true:\n    path: " + outside + "\n"
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Error(diff)
	}
	again, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.All(), again.All(), noProvenance); diff != "" {
		t.Error(diff)
	}
	for element, want := range map[string]string{"b.bst": filepath.Join(dir, "..ws", "b"), "j.bst:true": outside, "gone.bst": ""} {
		got := ""
		if w, ok := again.Find(element); ok {
			got = again.Directory(w)
		}
		if got != want {
			t.Errorf("%s lies at %q, not %q", element, got, want)
		}
	}
	left, err := os.ReadDir(filepath.Join(dir, Folder))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestLock: the second waits until the first is done, or is told to stop.
func TestLock(t *testing.T) {
	dir := t.TempDir()
	unlock, err := Lock(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := Lock(ctx, dir); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("locked twice: %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	unlock, err = Lock(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
}

// FuzzParse: what is accepted is written and read again as the same.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"format-version: 4\nworkspaces:\n  a.bst:\n    path: ws\n    last_build: k\n",
		"format-version: 4\n", "", "format-version: '4'\nworkspaces: {'a: b': {path: \"\\u00e9\\n\"}}\n", "workspaces: {a: {}}\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := node.Parse(text, Name)
		if err != nil {
			return
		}
		list, err := parse(n)
		if err != nil {
			var e *stream.Error
			if !errors.As(err, &e) || e.Domain != stream.DomainLoad {
				t.Fatalf("%#v", err)
			}
			return
		}
		s := &Set{list: list}
		if n, err = node.Parse([]byte(s.text()), Name); err != nil {
			t.Fatalf("%v\n%s", err, s.text())
		}
		again, err := parse(n)
		if err != nil {
			t.Fatalf("%v\n%s", err, s.text())
		}
		if diff := cmp.Diff(list, again, noProvenance, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestTogether: what several change at once is all there in the end.
func TestTogether(t *testing.T) {
	dir := t.TempDir()
	const each = 8
	errs := make(chan error)
	for i := range each {
		go func() {
			errs <- func() (err error) {
				unlock, err := Lock(context.Background(), dir)
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(err, unlock()) }()
				s, err := Read(dir)
				if err != nil {
					return err
				}
				s.Put(string(rune('a'+i))+".bst", filepath.Join(dir, "ws"), "")
				return s.Save()
			}()
		}()
	}
	for range each {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	s, err := Read(dir)
	if err != nil || len(s.All()) != each {
		t.Errorf("%v, %v", s.All(), err)
	}
}
