package workdir

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSpread(t *testing.T) {
	dir := t.TempDir()
	if err := Spread(dir); err != nil {
		t.Fatal(err)
	}
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		t.Fatal(err)
	}
	if s.Type != unix.EXT4_SUPER_MAGIC {
		t.Skip("not on ext4")
	}
	f, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if flags, err := unix.IoctlGetUint32(int(f.Fd()), unix.FS_IOC_GETFLAGS); err != nil || flags&topFolder == 0 {
		t.Errorf("flags %#x, %v", flags, err)
	}
	if err := Spread(dir + "/none"); err == nil {
		t.Error("no error for a folder that is not there")
	}
}
