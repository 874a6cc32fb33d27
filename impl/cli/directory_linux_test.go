package cli

import (
	"os"
	"strings"
	"testing"
)

// A folder may be removed while a shell is in it.
func TestNoCurrentFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	for given, want := range map[string]string{"": "any more", "below": "any more", "/": ""} {
		dir, err := os.MkdirTemp("", "gone-")
		if err == nil {
			err = os.Chdir(dir)
		}
		if err == nil {
			err = os.Remove(dir)
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err = (&app{opts: globals{directory: given}}).directory()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("--directory %q: %v, want %q", given, err, want)
		}
	}
}
