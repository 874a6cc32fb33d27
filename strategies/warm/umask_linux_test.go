package warm

import (
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// Frontends that ask at the same time are told the same, and nobody's files get
// other modes meanwhile.
func TestUmaskIsLeftAlone(t *testing.T) {
	old := unix.Umask(0o027)
	t.Cleanup(func() { unix.Umask(old) })
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				if got := umask(); got != 0o027 {
					t.Errorf("umask %03o, want 027", got)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestUmaskIn(t *testing.T) {
	for _, test := range []struct {
		status string
		want   int
		ok     bool
	}{
		{"Name:\tbst\nUmask:\t0022\nState:\tR (running)\n", 0o022, true},
		{"Umask:\t0777", 0o777, true},
		{"Name:\tbst\nState:\tR (running)\n", 0, false}, // Linux 4.4, as WSL1 says it is
		{"Umask:\t\n", 0, false},
		{"Umask:\t9\n", 0, false},
		{"", 0, false},
	} {
		if got, ok := umaskIn([]byte(test.status)); got != test.want || ok != test.ok {
			t.Errorf("%q: %o, %v", test.status, got, ok)
		}
	}
}
