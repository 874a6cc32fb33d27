package place_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bst/bench/place"
	"bst/bench/stacks"
	"bst/impl/config"
)

func TestMake(t *testing.T) {
	dir := t.TempDir()
	slash := filepath.ToSlash(dir)
	for _, c := range []struct {
		format   stacks.Format
		builders int
		want     string
	}{
		{stacks.BuildStream2, 3, `logdir: "` + slash + `/logs"
sourcedir: "` + slash + `/sources"
cachedir: "` + slash + `"
workspacedir: "` + slash + `/workspaces"
cache:
  reserved-disk-space: 0
scheduler:
  builders: 3
`},
		{stacks.BuildStream16, 0, `logdir: "` + slash + `/logs"
sourcedir: "` + slash + `/sources"
builddir: "` + slash + `/build"
artifactdir: "` + slash + `/artifacts"
`},
	} {
		p, err := place.Make(dir, c.format, c.builders)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(p.Config)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, string(text)); diff != "" {
			t.Errorf("for %s:\n%s", c.format, diff)
		}
		if env := p.Environ("A=b"); !slices.Contains(env, "HOME="+p.Home) || env[len(env)-1] != "A=b" {
			t.Errorf("%q", env)
		}
	}
}

// What is written for BuildStream 2 is what this project's own program reads.
func TestConfigurationIsRead(t *testing.T) {
	p, err := place.Make(t.TempDir(), stacks.BuildStream2, 2)
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(p.Config, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Unused) > 0 || c.File != p.Config {
		t.Errorf("of %s these are of no use: %q", c.File, c.Unused)
	}
}

func TestSettled(t *testing.T) {
	if !place.Stays("warm") || place.Stays("pipe") || place.Stays("of-nobody") {
		t.Error("which backends stay")
	}
	begin := time.Now()
	if err := place.Settled(t.Context(), "pipe"); err != nil || time.Since(begin) > time.Second {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if err := place.Settled(ctx, "warm"); !errors.Is(err, why) {
		t.Error(err)
	}
}

func TestEndBackends(t *testing.T) {
	p, err := place.Make(t.TempDir(), stacks.BuildStream2, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.EndBackends(); err != nil {
		t.Errorf("where none is: %v", err)
	}
	dir := filepath.Join(p.Home, "bst")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a-b.sock", "a-c.sock", "a-b.lock"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.EndBackends(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != "a-b.lock" {
		t.Errorf("left: %v, %v", entries, err)
	}
}
