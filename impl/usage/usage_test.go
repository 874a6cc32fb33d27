package usage

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"
)

var sink []byte

func TestMain(m *testing.M) {
	if os.Getenv("USAGE_TEST") != "" {
		burn()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// burn takes 50 ms of a processor, as it accounts them, and 32 MiB.
func burn() {
	sink = make([]byte, 32<<20)
	for i := 0; i < len(sink); i += 512 {
		sink[i] = 1
	}
	for self, _ := Of(); self != nil && self.User+self.System < int64(50*time.Millisecond); self, _ = Of() {
		sink[0]++
	}
}

func TestOf(t *testing.T) {
	burn()
	self, children := Of()
	if self == nil || self.User+self.System < int64(50*time.Millisecond) || runtime.GOOS != "windows" && self.PeakRSS < 32<<20 {
		t.Fatalf("self %+v", self)
	}
	if runtime.GOOS == "windows" {
		return // no account is kept of children
	}
	if children == nil {
		t.Fatal("no account of children")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "USAGE_TEST=burn")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	_, after := Of()
	if after.User+after.System-children.User-children.System < int64(50*time.Millisecond) || after.PeakRSS < 32<<20 {
		t.Errorf("children %+v and then %+v", children, after)
	}
}
