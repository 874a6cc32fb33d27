//go:build linux

package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"bst/impl/cas"
)

// The figures in docs/sandbox.md. The big sysroot takes some ten seconds to make;
// run one benchmark at a time:
//
//	go test ./impl/sandbox -run '^$' -bench Staging -benchtime 3x

// bigTree stores a sysroot of n small files, 25 in a directory, a tenth of them
// executable.
func bigTree(b *testing.B, l *lab, n int, prefix string) cas.Digest {
	b.Helper()
	root := l.store.EmptyDir()
	for i := 0; i < n; {
		dir := l.store.EmptyDir()
		for j := 0; j < 25 && i < n; j++ {
			d, err := l.store.PutBytes(fmt.Appendf(nil, "%s %d, some content that makes the file a little longer\n", prefix, i))
			if err != nil {
				b.Fatal(err)
			}
			if err := dir.AddFile(fmt.Sprintf("file-%d", i), d, i%10 == 0); err != nil {
				b.Fatal(err)
			}
			i++
		}
		d, err := dir.Digest()
		if err != nil {
			b.Fatal(err)
		}
		if err := root.AddDir(fmt.Sprintf("usr/share/%s/%d/%d", prefix, i/1000, i/25), d); err != nil {
			b.Fatal(err)
		}
	}
	d, err := root.Digest()
	if err != nil {
		b.Fatal(err)
	}
	return d
}

// BenchmarkStaging compares what an element pays for a sysroot of 100,000 files:
// kept checkouts under an overlay (first, when the checkout is made, and then),
// against hard links and copies made for it alone.
func BenchmarkStaging(b *testing.B) {
	l := newLab(b, nil)
	sysroot := bigTree(b, l, 100_000, "big")
	dest := func() string {
		dir := filepath.Join(l.dir, "dest")
		if err := os.Mkdir(dir, 0o755); err != nil {
			b.Fatal(err)
		}
		return dir
	}
	for _, how := range []struct {
		name string
		hard bool
	}{{"links", true}, {"copy", false}} {
		b.Run(how.name, func(b *testing.B) {
			for range b.N {
				dir := dest()
				if err := l.store.CheckoutTree(sysroot, dir, cas.CheckoutOptions{Hardlink: how.hard}); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := os.RemoveAll(dir); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
	run := func(b *testing.B) {
		b.Helper()
		r := l.stage(sysroot)
		l.sh(r, "test -e /usr/share/big/1/40/file-999 || test -d /usr/share/big", func(s *Spec) { s.RootReadOnly = true })
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("overlay-first", func(b *testing.B) {
		for range b.N {
			b.StopTimer()
			if err := l.factory.Prune(b.Context(), 0); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			run(b)
		}
	})
	b.Run("overlay", func(b *testing.B) {
		for range b.N {
			run(b)
		}
	})
}

// BenchmarkLayers stages and runs `true` over a number of layers that are
// checked out already.
func BenchmarkLayers(b *testing.B) {
	for _, n := range []int{1, 20, 128, 200, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			l := newLab(b, nil)
			layers := []cas.Digest{l.base}
			for i := range n - 1 {
				layers = append(layers, bigTree(b, l, 20, fmt.Sprint("layer", i)))
			}
			merged := l.merged(layers...)
			use := func() {
				r, err := l.factory.Stage(b.Context(), layers, merged)
				if err != nil {
					b.Fatal(err)
				}
				l.sh(r, "true", nil)
				if err := r.Close(); err != nil {
					b.Fatal(err)
				}
			}
			use()
			for b.Loop() {
				use()
			}
		})
	}
}

// BenchmarkRun is one start of a command on a root that is staged.
func BenchmarkRun(b *testing.B) {
	l := newLab(b, nil)
	r := l.stage()
	for b.Loop() {
		l.sh(r, "true", func(s *Spec) { s.RootReadOnly = true })
	}
}

// BenchmarkBatch is a batch of ten commands, to be compared with ten Runs.
func BenchmarkBatch(b *testing.B) {
	l := newLab(b, nil)
	r := l.stage()
	commands := make([]BatchCommand, 10)
	for i := range commands {
		commands[i] = BatchCommand{Argv: []string{"sh", "-e", "-c", "true"}}
	}
	for b.Loop() {
		spec := Spec{Env: map[string]string{"PATH": "/usr/bin"}, RootReadOnly: true}
		if failed, _, err := r.RunBatch(b.Context(), spec, commands, nil); err != nil || failed >= 0 {
			b.Fatal(failed, err)
		}
	}
}

// BenchmarkCaptureRoot reads back a root of 100,000 files of which one changed.
func BenchmarkCaptureRoot(b *testing.B) {
	l := newLab(b, nil)
	r := l.stage(bigTree(b, l, 100_000, "big"))
	l.sh(r, "echo x > /etc-changed", nil)
	for b.Loop() {
		r.changed = true
		root, err := r.CaptureRoot(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if _, err := root.Digest(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkChoose is the arithmetic for 1,000 layers that share directories.
func BenchmarkChoose(b *testing.B) {
	_, store := newTrees(b, 0)
	var layers []cas.Digest
	all := store.EmptyDir()
	for i := range 1000 {
		d := makeTree(b, store, map[string]string{
			fmt.Sprintf("usr/bin/p%d", i): "!x", fmt.Sprintf("usr/share/doc/p%d/copyright", i): "c",
			fmt.Sprintf("usr/lib/l%d.so", i): "l", fmt.Sprintf("usr/share/man/man1/p%d", i): "m",
		})
		layers = append(layers, d)
		dir, err := store.OpenDir(d)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := all.Import(dir, cas.ImportOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	wanted, err := all.Digest()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		r := &Root{store: store, layers: layers, wanted: wanted}
		stack, err := r.choose()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(stack)), "layers")
	}
}
