package zip

import (
	"archive/zip"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bst/impl/kind/sourcetest"

	"github.com/google/go-cmp/cmp"
)

// member is a file of an archive; one without content is a folder.
type member struct {
	name, content string
	mode          os.FileMode
}

func pack(t testing.TB, members ...member) string {
	t.Helper()
	var text bytes.Buffer
	w := zip.NewWriter(&text)
	for _, m := range members {
		header := &zip.FileHeader{Name: m.name, Method: zip.Deflate}
		if m.mode != 0 {
			header.SetMode(m.mode)
		}
		out, err := w.CreateHeader(header)
		if err == nil {
			_, err = out.Write([]byte(m.content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.zip")
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestUnpack(t *testing.T) {
	env := &sourcetest.Env{}
	usual := []member{
		{name: "b/skipped", content: "x"},
		{name: "a/"},
		{name: "a/run", content: "#!/bin/sh", mode: 0o755},
		{name: "a/sub/file", content: "text"},
		{name: "a/link", content: "sub/file", mode: os.ModeSymlink | 0o777},
		{name: "top", content: "y"},
	}
	for _, tt := range []struct {
		name, base string
		members    []member
		want       map[string]string
		fail       string
	}{
		{"the first folder", "*", usual,
			map[string]string{"run": "#!/bin/sh", "sub/": "", "sub/file": "text", "link": "sub/file"}, ""},
		{"a folder that is named", "b", usual, map[string]string{"skipped": "x"}, ""},
		{"a deeper one", "a/s*", usual, map[string]string{"file": "text"}, ""},
		{"all", "", usual[:2], map[string]string{"a/": "", "b/": "", "b/skipped": "x"}, ""},
		{"none", "nothing", usual, nil, "Could not find base directory matching pattern: nothing"},
		{"out of the folder", "", []member{{name: "../evil", content: "x"}}, nil, "outside"},
		{"an absolute path", "", []member{{name: "/etc/x", content: "x"}}, map[string]string{"etc/": "", "etc/x": "x"}, ""},
		{"a file in a folder's place", "", []member{{name: "a", content: "x"}, {name: "a/b", content: "x"}}, nil, "Error staging"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			err := Unpack(context.Background(), "zip", env, pack(t, tt.members...), tt.base, dir)
			if tt.fail != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fail) {
					t.Errorf("error: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, sourcetest.Files(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if err := Unpack(context.Background(), "zip", env, "/nowhere", "*", t.TempDir()); err == nil {
		t.Error("a file that is not there is unpacked")
	}
}

// Whatever an archive says, nothing is written outside of the folder.
func FuzzUnpack(f *testing.F) {
	for _, members := range [][]member{
		{{name: "a/b", content: "x"}},
		{{name: "../x", content: "x"}, {name: "a/", content: ""}},
		{{name: "a", content: "/etc", mode: os.ModeSymlink | 0o777}, {name: "a/x", content: "x"}},
	} {
		text, err := os.ReadFile(pack(f, members...))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, "*")
	}
	f.Fuzz(func(t *testing.T, text []byte, base string) {
		outer := t.TempDir()
		dir, file := filepath.Join(outer, "in"), filepath.Join(outer, "a.zip")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
		if Unpack(context.Background(), "zip", &sourcetest.Env{}, file, base, dir) != nil {
			t.Skip()
		}
		entries, err := os.ReadDir(outer)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) != 2 {
			t.Errorf("there is more beside the folder: %v", entries)
		}
	})
}
