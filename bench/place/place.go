// Package place makes the surroundings of a run that is measured: a folder with a
// user configuration, a home and all that is stored, and an environment that leads
// there.
//
// It knows the user configuration of BuildStream, and which strategies leave a
// backend behind that could disturb what is measured next. It does not know what is
// run, nor how.
package place

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"bst/bench/stacks"
	"bst/strategies"
)

// Place is a folder that a run keeps everything in.
type Place struct {
	// Dir is the folder, Home the user's home in it, Config the user configuration.
	Dir, Home, Config string
}

// Make makes a place in a folder, which may be one already, for a tool that reads
// projects of a format. It has that many builders; 0 is what the tool does by itself.
func Make(dir string, format stacks.Format, builders int) (Place, error) {
	p := Place{Dir: dir, Home: filepath.Join(dir, "home"), Config: filepath.Join(dir, "buildstream.conf")}
	if err := os.MkdirAll(p.Home, 0o700); err != nil {
		return p, err
	}
	var conf strings.Builder
	at := func(key, sub string) { fmt.Fprintf(&conf, "%s: %q\n", key, filepath.ToSlash(filepath.Join(dir, sub))) }
	at("logdir", "logs")
	at("sourcedir", "sources")
	if format == stacks.BuildStream16 {
		at("builddir", "build")
		at("artifactdir", "artifacts")
	} else {
		at("cachedir", "")
		at("workspacedir", "workspaces")
		// A disk that is nearly full is no reason not to build.
		conf.WriteString("cache:\n  reserved-disk-space: 0\n")
	}
	if builders > 0 {
		fmt.Fprintf(&conf, "scheduler:\n  builders: %d\n", builders)
	}
	return p, os.WriteFile(p.Config, []byte(conf.String()), 0o600)
}

// idle says how long a backend that stays does so (docs/strategies.md): longer
// than it waits for its turn in a round, and not for ever where somebody kills what
// measures.
const idle = "BST_WARM_IDLE=1h"

// Environ is the whole environment of a run there, with more at its end.
func (p Place) Environ(more ...string) []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + p.Home, "XDG_CACHE_HOME=" + p.Home, "XDG_CONFIG_HOME=" + p.Home,
		"TERM=xterm-256color", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "TMPDIR=" + p.Home, idle,
	}
	if runtime.GOOS == "windows" {
		env = append(env, "SYSTEMROOT="+os.Getenv("SYSTEMROOT"), "USERPROFILE="+p.Home, "LOCALAPPDATA="+p.Home, "TMP="+p.Home)
	}
	return append(env, more...)
}

// Stays says whether a strategy's backend is there when its session has ended.
func Stays(strategy string) bool {
	s, err := strategies.Lookup(strategy)
	return err == nil && s.Stays() // a strategy of nobody's leaves nothing
}

// settle is what a backend that stays is given: before its first session, for it
// does not trust that it read all of a file that was changed less than two seconds
// ago, and the time of an inode's change cannot be set back; and after each, for it
// tidies its memory then, or ends, which others would pay for.
const settle = 2500 * time.Millisecond

// Settled waits, where a strategy's backend stays, until that has nothing to do. The
// error says that ctx has ended.
func Settled(ctx context.Context, strategy string) error {
	if !Stays(strategy) {
		return nil
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(settle):
		return nil
	}
}

// EndBackends ends the backends that stay in the place: each does so within two
// seconds of its socket's end.
func (p Place) EndBackends() error {
	sockets, err := filepath.Glob(filepath.Join(p.Home, "bst", "*.sock"))
	for _, path := range sockets {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}
