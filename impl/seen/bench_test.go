//go:build linux && (amd64 || arm64)

package seen

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// BenchmarkSame looks at 1,200 files in one folder, as those of a project, and at as
// many that are alone in theirs.
func BenchmarkSame(b *testing.B) {
	for _, layout := range []string{"elements/%d.bst", "elements/%d/a.bst"} {
		b.Run(filepath.Base(layout), func(b *testing.B) {
			dir := b.TempDir()
			s := &Snapshot{}
			for i := range 1200 {
				path := filepath.Join(dir, fmt.Sprintf(layout, i))
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					b.Fatal(err)
				}
				if err := os.WriteFile(path, nil, 0o644); err != nil {
					b.Fatal(err)
				}
				s.add(path, true)
			}
			for i := range s.entries {
				var err error
				if s.entries[i].signature, err = s.entries[i].look(unix.AT_FDCWD); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				if !s.Same() {
					b.Fatal("it changed")
				}
			}
		})
	}
}
