package tar

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bst/impl/kind"
	"bst/impl/kind/sourcetest"
	"bst/impl/stream"

	"github.com/dsnet/compress/bzip2"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

func dir(name string) tar.Header { return tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o555} }
func reg(name string) tar.Header { return tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600} }
func exe(name string) tar.Header { return tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o4755} }
func sym(name, target string) tar.Header {
	return tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target}
}
func hard(name, target string) tar.Header {
	return tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: target, Mode: 0o644}
}
func hardexe(name, target string) tar.Header {
	return tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: target, Mode: 0o755}
}

// pack makes an archive; the content of a file is its name.
func pack(t testing.TB, members ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range members {
		content := ""
		if h.Typeflag == tar.TypeReg {
			content = h.Name
			h.Size = int64(len(content))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// stage puts an archive in its place and stages it.
func stage(t testing.TB, archive []byte, options string) (map[string]string, error) {
	t.Helper()
	h := sha256.Sum256(archive)
	ref := hex.EncodeToString(h[:])
	env := &sourcetest.Env{Dir: t.TempDir()}
	s := sourcetest.Must(t, Traits(), env, "url: http://x/y.tar\nref: "+ref+"\n"+options)
	w := sourcetest.NewWork(t)
	mirror, err := w.MirrorDir()
	if err != nil {
		t.Fatal(err)
	}
	sourcetest.Write(t, mirror, map[string]string{"http___x_y_tar/" + ref: string(archive)})
	// The destination has a neighbour, which must not change.
	around := t.TempDir()
	sourcetest.Write(t, around, map[string]string{"dest/": "", "neighbour": "alone"})
	err = s.Stage(context.Background(), w, filepath.Join(around, "dest"))
	all := sourcetest.Files(t, around)
	files := map[string]string{}
	for name, content := range all {
		if rest, ok := strings.CutPrefix(name, "dest/"); ok {
			if rest != "" {
				files[rest] = content
			}
		} else if name != "neighbour" || content != "alone" {
			t.Errorf("outside the directory is %q: %q", name, content)
		}
	}
	return files, err
}

func TestStage(t *testing.T) {
	tests := []struct {
		name    string
		options string
		members []tar.Header
		want    map[string]string
	}{
		{
			"default base", "", []tar.Header{dir("a/"), reg("a/f"), exe("a/x"), dir("a/d"), sym("a/l", "../../away"), reg("b/g")},
			map[string]string{"f": "a/f", "x": "x:a/x", "d/": "", "l": "->../../away"},
		}, {
			"implied base", "", []tar.Header{reg("b/g"), reg("a/d/f")},
			map[string]string{"d/": "", "d/f": "a/d/f"},
		}, {
			"dots before names", "", []tar.Header{reg("./a/f"), dir("./a/"), hard("./a/h", "./a/f")},
			map[string]string{"f": "./a/f", "h": "./a/f"},
		}, {
			// As in the reference: the root counts as a folder of no name.
			"entry for the root", "", []tar.Header{dir("./"), dir("./a"), reg("./a/f"), reg("./g")},
			map[string]string{"a/": "", "a/f": "./a/f", "g": "./g"},
		}, {
			"no base", "base-dir: ''", []tar.Header{dir("a/"), reg("a/f"), reg("g")},
			map[string]string{"a/": "", "a/f": "a/f", "g": "g"},
		}, {
			"explicit base", "base-dir: b/c", []tar.Header{reg("a/f"), reg("b/c/g"), reg("b/cc/h")},
			map[string]string{"g": "b/c/g"},
		}, {
			"pattern", "base-dir: '**/src-[0-9]*'", []tar.Header{reg("a/src-x/f"), reg("a/src-2/g"), reg("a/src-1/h")},
			map[string]string{"h": "a/src-1/h"},
		}, {
			"absolute pattern", "base-dir: /a", []tar.Header{reg("a/f")},
			map[string]string{"f": "a/f"},
		}, {
			// What is outside the base is not looked at.
			"hostile outside the base", "base-dir: a", []tar.Header{reg("../x"), reg("/etc/x"), reg("a/f")},
			map[string]string{"f": "a/f"},
		}, {
			"hard link inside", "", []tar.Header{exe("a/f"), hardexe("a/h", "a/f")},
			map[string]string{"f": "x:a/f", "h": "x:a/f"},
		}, {
			"the last mode of two links counts", "", []tar.Header{exe("a/f"), hard("a/h", "a/f")},
			map[string]string{"f": "a/f", "h": "a/f"},
		}, {
			"hard link out of the base", "base-dir: a/in", []tar.Header{exe("a/out/f"), hardexe("a/in/h", "a/out/f"), hard("a/in/i", "a/out/f")},
			map[string]string{"h": "x:a/out/f", "i": "a/out/f"},
		}, {
			"hard links in a row", "base-dir: b", []tar.Header{reg("a/f"), hard("a/g", "a/f"), hard("b/h", "./a/g"), hard("b/i", "b/h")},
			map[string]string{"h": "a/f", "i": "a/f"},
		}, {
			"a hard link to itself", "", []tar.Header{reg("a/f"), hard("a/f", "a/f")},
			map[string]string{"f": "a/f"},
		}, {
			"devices are left out", "", []tar.Header{
				{Typeflag: tar.TypeChar, Name: "a/c"}, {Typeflag: tar.TypeBlock, Name: "a/b"}, {Typeflag: tar.TypeFifo, Name: "a/p"}, reg("a/f")},
			map[string]string{"f": "a/f"},
		}, {
			"the last of a name counts", "", []tar.Header{sym("a/f", "/etc/passwd"), reg("a/f"), reg("a/l"), sym("a/l", "f"), sym("a/l", "g")},
			map[string]string{"f": "a/f", "l": "->g"},
		}, {
			"a hard link does not reach through", "", []tar.Header{reg("a/f"), hard("a/h", "a/f"), reg("a/h")},
			map[string]string{"f": "a/f", "h": "a/h"},
		}, {
			"through a link inside", "", []tar.Header{dir("a/usr/lib"), sym("a/lib", "usr/lib"), dir("a/lib/"), reg("a/lib/f")},
			map[string]string{"usr/": "", "usr/lib/": "", "lib": "->usr/lib", "usr/lib/f": "a/lib/f"},
		}, {
			"up and down inside", "base-dir: ''", []tar.Header{reg("a/../b/f"), dir("."), dir("c/..")},
			map[string]string{"b/": "", "b/f": "a/../b/f"},
		}, {
			"a directory twice", "", []tar.Header{dir("a/d"), reg("a/d/f"), dir("a/d/")},
			map[string]string{"d/": "", "d/f": "a/d/f"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := stage(t, pack(t, test.members...), test.options)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	const climbs = "Tarfile attempts to extract outside the staging area: "
	tests := []struct {
		name    string
		options string
		members []tar.Header
		want    string
	}{
		{"dot dot", "base-dir: ''", []tar.Header{reg("../evil")}, climbs + "../evil -> "},
		{"dot dot below the base", "", []tar.Header{reg("a/../../evil")}, climbs + "a/../../evil -> "},
		{"dot dot folder", "base-dir: ''", []tar.Header{dir("../evil/")}, climbs + "../evil/ -> "},
		{"dot dot link", "base-dir: ''", []tar.Header{sym("../evil", "x")}, climbs + "../evil -> "},
		{"absolute", "base-dir: ''", []tar.Header{reg("/tmp/evil")}, climbs + "/tmp/evil -> /tmp/evil"},
		{"absolute below the base", "base-dir: a", []tar.Header{reg("a//tmp/evil")}, climbs + "a//tmp/evil -> /tmp/evil"},
		{"through a link to the parent", "", []tar.Header{sym("a/up", ".."), reg("a/up/evil")}, climbs + "a/up/evil leads out"},
		{"through an absolute link", "", []tar.Header{sym("a/up", "/tmp"), reg("a/up/evil")}, climbs + "a/up/evil leads out"},
		{"through two links", "", []tar.Header{sym("a/b", "c/../.."), dir("a/c"), reg("a/b/evil")}, climbs + "a/b/evil leads out"},
		{"folder through a link", "", []tar.Header{sym("a/up", ".."), dir("a/up/evil")}, climbs + "a/up/evil leads out"},
		{"link through a link", "", []tar.Header{sym("a/up", ".."), sym("a/up/evil", "x")}, climbs + "a/up/evil leads out"},
		{"hard link through a link", "", []tar.Header{reg("a/f"), sym("a/up", ".."), hard("a/up/evil", "a/f")}, climbs + "a/up/evil leads out"},
		{"hard link to the neighbour", "", []tar.Header{sym("a/up", ".."), hard("a/h", "a/up/neighbour")}, climbs + "a/h leads out"},
		{"hard link out", "", []tar.Header{hard("a/h", "../neighbour")}, "Tarfile attempts to hardlink outside the staging area: a/h -> "},
		{"absolute hard link", "", []tar.Header{hard("a/h", "/etc/passwd")}, "Tarfile attempts to hardlink outside the staging area: a/h -> "},
		{"hard link out, below the base", "", []tar.Header{hard("a/h", "a/../../neighbour")}, "Tarfile attempts to hardlink outside the staging area: a/h -> "},
		{"hard link to nothing", "", []tar.Header{hard("a/h", "a/f")}, "Error staging source: a/h: unable to resolve link inside archive: a/f"},
		{"hard link to nothing outside", "", []tar.Header{hard("a/h", "b/f")}, "unable to resolve link inside archive: b/f"},
		{"file over folder", "", []tar.Header{dir("a/f"), reg("a/f")}, "Error staging source: a/f: "},
		{"file below file", "", []tar.Header{reg("a/f"), reg("a/f/g")}, "Error staging source: a/f/g: "},
		{"no base", "base-dir: nothing", []tar.Header{reg("a/f")}, "Could not find base directory matching pattern: nothing"},
		{"nothing but files", "", []tar.Header{reg("f")}, "Could not find base directory matching pattern: *"},
		{"empty", "", nil, "Could not find base directory matching pattern: *"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			files, err := stage(t, pack(t, test.members...), test.options)
			var e *stream.Error
			if !errors.As(err, &e) {
				t.Fatalf("the error is %v; staged is %v", err, files)
			}
			if e.Domain != stream.DomainSource || !strings.Contains(e.Message, test.want) ||
				!strings.HasPrefix(e.Message, "tar source at element.bst [line 4 column 2]: ") {
				t.Errorf("got %#v", e)
			}
		})
	}
}

// compress is content in each form that is understood, by name.
func compressed(t *testing.T, content []byte) map[string][]byte {
	forms := map[string][]byte{"plain": content}
	pack := func(name string, open func(io.Writer) (io.WriteCloser, error)) {
		var b bytes.Buffer
		w, err := open(&b)
		if err == nil {
			_, err = w.Write(content)
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		forms[name] = b.Bytes()
	}
	pack("gzip", func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
	pack("bzip2", func(w io.Writer) (io.WriteCloser, error) { return bzip2.NewWriter(w, nil) })
	pack("xz", func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) })
	pack("zstd", func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })
	pack("lzma", func(w io.Writer) (io.WriteCloser, error) { return lzma.NewWriter(w) })
	if lzip, err := exec.LookPath("lzip"); err == nil {
		cmd := exec.Command(lzip)
		cmd.Stdin = bytes.NewReader(content)
		if forms["lzip"], err = cmd.Output(); err != nil {
			t.Fatal(err)
		}
	}
	return forms
}

func TestCompression(t *testing.T) {
	members := []tar.Header{reg("a/f"), exe("a/x")}
	for range 1000 {
		members = append(members, reg("a/d/"+strings.Repeat("x", 90)))
	}
	want := map[string]string{"f": "a/f", "x": "x:a/x", "d/": "", "d/" + strings.Repeat("x", 90): "a/d/" + strings.Repeat("x", 90)}
	for name, archive := range compressed(t, pack(t, members...)) {
		t.Run(name, func(t *testing.T) {
			got, err := stage(t, archive, "")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if name == "gzip" || name == "zstd" {
				// What comes after the archive's end is of no interest.
				got, err := stage(t, append(archive[:len(archive):len(archive)], "garbage"...), "")
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			}
			if _, err := stage(t, archive[:len(archive)/2], ""); err == nil {
				t.Error("half of it is staged without an error")
			} else {
				t.Log(err)
			}
		})
	}
}

// TestXZLibrary: without the program xz, its library serves.
func TestXZLibrary(t *testing.T) {
	archive := compressed(t, pack(t, reg("a/f")))["xz"]
	t.Setenv("PATH", t.TempDir())
	got, err := stage(t, archive, "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"f": "a/f"}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := stage(t, archive[:len(archive)/2], ""); err == nil {
		t.Error("half of it is staged without an error")
	}
}

// TestProgramBomb: a program that writes more than is accepted is ended.
func TestProgramBomb(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("this test runs a shell script, and needs the program sh")
	}
	dir := t.TempDir()
	sourcetest.Write(t, dir, map[string]string{"endless": "x:#!" + sh + "\nwhile :; do echo " + strings.Repeat("x", 8000) + "; done\n"})
	a := &archive{limit: 1 << 20, scratch: t.TempDir()}
	if err := a.unpack(context.Background(), sourcetest.NewWork(t), filepath.Join(dir, "endless"), "x"); !errors.Is(err, errTooLarge) {
		t.Errorf("got %v", err)
	}
}

func TestLzipMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := stage(t, []byte("LZIP\x01..."), "")
	var e *stream.Error
	if !errors.As(err, &e) || !strings.Contains(e.Message, "Did not find 'lzip' in PATH") || !strings.Contains(e.Detail, "Install the package 'lzip'") {
		t.Errorf("got %#v", err)
	}
}

// TestBomb: an archive that is nothing but zeros is given up.
func TestBomb(t *testing.T) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range 64 {
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	a := &archive{limit: 1 << 20, scratch: t.TempDir()}
	out, err := a.spool()
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(out, r)
	if err := a.spooled(context.Background(), out, err); !errors.Is(err, errTooLarge) {
		t.Errorf("got %v", err)
	}
}

func TestNotAnArchive(t *testing.T) {
	for _, text := range []string{strings.Repeat("no archive at all", 100), "short", "\x1f\x8bxxxxxx", "BZhxxxxxxxx", "\xfd7zXZ\x00xxxxxxxxxxxxx", "\x28\xb5\x2f\xfdxxxx"} {
		_, err := stage(t, []byte(text), "")
		if err == nil || !strings.Contains(err.Error(), "Error staging source: ") {
			t.Errorf("%.10q: %v", text, err)
		}
	}
}

// TestEscapes holds the text by which we know os.Root's refusal.
func TestEscapes(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := root.Symlink("..", "up"); err != nil {
		t.Fatal(err)
	}
	_, err = root.Create("up/x")
	if !escapes(err) {
		t.Errorf("Create: %v", err)
	}
	if err := root.Link("up/x", "y"); !escapes(err) {
		t.Errorf("Link: %v", err)
	}
	if err := root.MkdirAll("up/x", 0o755); !escapes(err) {
		t.Errorf("MkdirAll: %v", err)
	}
}

func TestKey(t *testing.T) {
	env := &sourcetest.Env{}
	for yaml, want := range map[string][]any{
		"{url: 'up:x.tar', ref: abc}":                           {"up:x.tar", "abc", "*"},
		"{url: 'up:x.tar', ref: abc, base-dir: ''}":             {"up:x.tar", "abc", ""},
		"{url: 'up:x.tar', ref: abc, version: 1, directory: d}": {"up:x.tar", "abc", "1", "*"},
	} {
		key, err := sourcetest.Must(t, Traits(), env, yaml).UniqueKey()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(any(want), key); diff != "" {
			t.Error(diff)
		}
	}
}

func TestConfigure(t *testing.T) {
	for yaml, want := range map[string]string{
		"{ref: abc}":                         "element.bst",
		"{url: x, ref: abc, base: d}":        "Unexpected key: base",
		"{url: x, ref: abc, base-dir: [d]}":  "element.bst [line 1",
		"{url: x, base-dir: '[z-a]'}":        "element.bst [line 1 column",
		"{url: [x], ref: abc, base-dir: ''}": "element.bst [line 1",
	} {
		_, err := sourcetest.Configure(t, Traits(), &sourcetest.Env{}, yaml)
		var e *stream.Error
		if !errors.As(err, &e) || e.Domain != stream.DomainLoad || e.Reason != "INVALID_DATA" || !strings.Contains(e.Message, want) {
			t.Errorf("%s: got %#v", yaml, err)
		}
	}
}

// FuzzStage: whatever the archive, nothing is written outside, nothing panics,
// and errors are the ones that users are shown.
func FuzzStage(f *testing.F) {
	for _, seed := range [][]byte{
		pack(f, dir("a"), reg("a/f"), sym("a/l", "../.."), reg("a/l/x")),
		pack(f, hard("a/h", "b/f"), reg("../x")),
		pack(f, reg("b/f"), hard("a/h", "b/f"), hard("a/i", "a/h")),
	} {
		f.Add(seed, "*")
		f.Add(seed, "")
	}
	f.Fuzz(func(t *testing.T, archive []byte, base string) {
		if len(archive) > 1<<16 || strings.ContainsAny(base, "\"\\\n") || !isText(base) {
			return
		}
		_, err := stage(t, archive, "base-dir: "+`"`+base+`"`)
		var e *stream.Error
		if err != nil && !errors.As(err, &e) {
			t.Errorf("%T: %v", err, err)
		}
	})
}

func isText(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}

func BenchmarkStage(b *testing.B) {
	var members []tar.Header
	for i := range 10000 {
		members = append(members, reg("top/dir/sub"+string(rune('a'+i%20))+"/deep/file"+strings.Repeat("x", i%50)+string(rune('a'+i/50%26))))
	}
	content := pack(b, members...)
	env := &sourcetest.Env{}
	h := sha256.Sum256(content)
	s := sourcetest.Must(b, Traits(), env, "url: x\nref: "+hex.EncodeToString(h[:]))
	w := sourcetest.NewWork(b)
	mirror, err := w.MirrorDir()
	if err != nil {
		b.Fatal(err)
	}
	sourcetest.Write(b, mirror, map[string]string{"x/" + hex.EncodeToString(h[:]): string(content)})
	var _ kind.Source = s
	for b.Loop() {
		if err := s.Stage(context.Background(), w, b.TempDir()); err != nil {
			b.Fatal(err)
		}
	}
}
