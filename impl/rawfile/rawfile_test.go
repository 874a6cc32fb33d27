package rawfile

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestReads(t *testing.T) {
	for _, size := range []int{0, 1, bufferSize - 1, bufferSize, bufferSize + 1, 3 * bufferSize} {
		data := bytes.Repeat([]byte("x"), size)
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, data, 0o755); err != nil {
			t.Fatal(err)
		}
		got, err := Append(path, []byte("before "), 1<<20)
		if err != nil || string(got) != "before "+string(data) {
			t.Errorf("size %d: Append gave %d bytes, %v", size, len(got), err)
		}
		want := sha256.Sum256(data)
		f, err := Open(path, false)
		if err != nil {
			t.Fatal(err)
		}
		if regular, executable, err := f.Stat(); !regular || !executable && os.PathSeparator == '/' || err != nil {
			t.Errorf("Stat gave %v, %v, %v", regular, executable, err)
		}
		if sum, n, err := Sum(f); err != nil || n != int64(size) || sum != want {
			t.Errorf("size %d: Sum gave %x, %d, %v", size, sum, n, err)
		}
		f.Close()
	}
}

func TestAppendStopsAtTheLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, bytes.Repeat([]byte("x"), 5000), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := Append(path, nil, 4000); len(got) != 4000 || err != io.ErrShortBuffer {
		t.Errorf("gave %d bytes, %v", len(got), err)
	}
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	var path *fs.PathError
	if _, err := Append(filepath.Join(dir, "none"), nil, 10); !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &path) {
		t.Errorf("a missing file: %v", err)
	}
	if f, err := Open(dir, true); err == nil {
		if _, _, err := Sum(f); err == nil {
			t.Error("a folder has a hash")
		}
		f.Close()
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("none", link); err != nil {
		t.Skipf("symbolic links: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "none"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(link, false); err == nil {
		t.Error("a symbolic link was followed")
	}
	f, err := Open(link, true)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}
