package report

import (
	"io"
	"os"
	"testing"
)

// Whatever a raw file holds, it is read or refused, and what was read can be
// written.
func FuzzRead(f *testing.F) {
	for _, path := range []string{"testdata/raw/linux.txt", "testdata/raw/second.txt"} {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Add([]byte("=== ROUND 1\nBenchmarkShow/stack=a/tool=b/strategy=c/terminal=d 1 1e-308 ns/op 0 written-B/op 1e308 reads/op\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		file, err := Read("fuzz.txt", content)
		if err != nil {
			return
		}
		set := &Set{Files: []*File{file}}
		if _, err := set.Generate(); err != nil {
			t.Error(err)
		}
		if err := set.WriteDefaults(io.Discard); err != nil {
			t.Error(err)
		}
	})
}
