package testscripts

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// normaliser takes out of a text what differs between two runs of the same
// script, and nothing else. It is the one place where that is done. Widths are
// kept where the text stands in columns.
type normaliser struct {
	fixed *strings.Replacer

	mu   sync.Mutex        // guards what follows
	keys map[string]string // cache key, by its first eight digits, to its name
}

// newNormaliser knows a run's work folder, the program's version and the
// strategy's name.
func newNormaliser(work, version, strategy string) *normaliser {
	return &normaliser{
		keys: make(map[string]string),
		fixed: strings.NewReplacer(
			work, "$WORK",
			"BuildStream Version "+version, "BuildStream Version VERSION",
			"BuildStream "+version+" - ", "BuildStream VERSION - ",
			"(strategy "+strategy+")", "(strategy STRATEGY)",
			"Strategy:                "+strategy+"\n", "Strategy:                STRATEGY\n",
		),
	}
}

var (
	// A path, which on Windows has other separators.
	ownPath = regexp.MustCompile(`\$WORK[^\s'"]*|\S+\.log\b`)
	// A session's start, a log's first line.
	longDate = regexp.MustCompile(`\b[A-Z][a-z]+day, \d\d-\d\d-\d{4} at \d\d:\d\d:\d\d\b`)
	// A log file's name.
	stamp = regexp.MustCompile(`\.\d{8}-\d{6}\.log\b`)
	// Elapsed time and wall clock, with and without microseconds.
	clock      = regexp.MustCompile(`\b\d\d:\d\d:\d\d\b`)
	clockMicro = regexp.MustCompile(`\b\d\d:\d\d:\d\d\.\d{6}\b`)
	// Cache keys depend on the machine's architecture, and the sysroot of the
	// sandbox scripts on its programs.
	key = regexp.MustCompile(`\b[0-9a-f]{64}\b|\b[0-9a-f]{8}\b`)
	// A folder or file made to work in.
	temporary = regexp.MustCompile(`(/tmp/[A-Za-z_.]+-)\d+\b`)
	// A folder in one.
	within = regexp.MustCompile(`(/tmp/[A-Za-z_.]+-RANDOM/)\d+\b`)
	// The line that tells an activity's begin.
	digest   = regexp.MustCompile(`(?m)^\w+: .* cached$`)
	tookLong = regexp.MustCompile(`(?m)^\[00:00:00\].* SUCCESS .*(\.log|elements|cache)\n`)
	// A server's port is any that was free.
	port = regexp.MustCompile(`127\.0\.0\.1:\d+`)
	// How full the cache is: the blocks of a file depend on the file system.
	usage = regexp.MustCompile(`cache: [0-9.]+[KMGT]?( / [0-9.]+[KMGT]?(?: \(\d+%\))?)?`)
)

func (n *normaliser) normalise(text string) string {
	text = n.fixed.Replace(text)
	if filepath.Separator != '/' {
		text = ownPath.ReplaceAllStringFunc(text, filepath.ToSlash)
	}
	text = temporary.ReplaceAllString(text, "${1}RANDOM")
	text = within.ReplaceAllString(text, "${1}RANDOM")
	text = port.ReplaceAllString(text, "127.0.0.1:PORT")
	text = longDate.ReplaceAllString(text, "DATE")
	text = stamp.ReplaceAllString(text, ".YYYYMMDD-HHMMSS.log")
	text = clockMicro.ReplaceAllString(text, "00:00:00.000000")
	text = clock.ReplaceAllString(text, "00:00:00")
	text = usage.ReplaceAllString(text, "cache: USED")
	return key.ReplaceAllStringFunc(text, n.name)
}

// screen is for the text of a screen. The digest has a line for what takes long:
// on a machine that is busy enough, whether it is there is chance.
func (n *normaliser) screen(text string) string {
	text = n.normalise(text)
	if digest.MatchString(text) {
		text = tookLong.ReplaceAllString(text, "")
	}
	return text
}

// name gives a key a name of its length: keys that are equal in one script,
// in full or in brief, stay equal.
func (n *normaliser) name(key string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	brief := key[:8]
	name, ok := n.keys[brief]
	if !ok {
		name = fmt.Sprintf("key%05d", len(n.keys)+1)
		n.keys[brief] = name
	}
	return name + strings.Repeat(".", len(key)-len(brief))
}

func TestNormalise(t *testing.T) {
	n := newNormaliser("/tmp/go-test-script12/build_stack", "2.8.1", "pipe")
	const full, other = "9a00f3bbd2ee3811c5b175c2b6c970d4fa54e0fa7c774978ce601e47164670d0", "369965e59b8b50dfff6f65af159d5155f1566834bfcde62d01339d3c78705d59"
	const full1, other1 = "key00001........................................................", "key00002........................................................"
	for text, want := range map[string]string{
		"":                                       "",
		"nothing to do, 100%\n":                  "nothing to do, 100%\n",
		"[00:01:59][9a00f3bb][ a":                "[00:00:00][key00001][ a",
		"[--:--:--][        ][ a":                "[--:--:--][        ][ a",
		"[00:00:00.123456] x":                    "[00:00:00.000000] x",
		"   cached " + full + " a.bst":           "   cached " + full1 + " a.bst",
		"t/a/9a00f3bb-build.20261123-031123.log": "t/a/key00001-build.YYYYMMDD-HHMMSS.log",
		"    Session Start: Monday, 23-11-2026 at 03:11:23\n":  "    Session Start: DATE\n",
		"BuildStream Version 2.8.1\n":                          "BuildStream Version VERSION\n",
		"BuildStream 2.8.1 - Monday, 23-11-2026 at 03:11:23\n": "BuildStream VERSION - DATE\n",
		"Cache: /tmp/go-test-script12/build_stack/x":           "Cache: $WORK/x",
		"~~~~~~ cache: 44.2G / 64G (69%) ~~~~~~":               "~~~~~~ cache: USED ~~~~~~",
		"min-version: 2.8.1, 12345678901, deadbeefs":           "min-version: 2.8.1, 12345678901, deadbeefs",
		"the backend (strategy pipe) went away":                "the backend (strategy STRATEGY) went away",
		"in $WORK/cache/tmp/sources-892096937/outside":         "in $WORK/cache/tmp/sources-RANDOM/outside",
		"to $WORK/cache/tmp/sources-892096937/205348398/x":     "to $WORK/cache/tmp/sources-RANDOM/RANDOM/x",
		"pipe fittings": "pipe fittings",
	} {
		// The keys' names depend on the order: name them first.
		n.name(full)
		if diff := cmp.Diff(want, n.normalise(text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	if diff := cmp.Diff(full1+" "+other1+" key00001", n.normalise(full+" "+other+" "+full[:8])); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	for text, want := range map[string]string{
		"[00:00:02][        ][ main: x ] SUCCESS Loading elements\nBuild: p, 1 element, all cached\n[00:00:07][        ][ main: x ] SUCCESS Build\n": "Build: p, 1 element, all cached\n[00:00:00][        ][ main: x ] SUCCESS Build\n",
		"Build: p, 2 elements, 1 of them cached\n[00:00:03][        ][ build: x ] SUCCESS p/x/y.log\n":                                               "Build: p, 2 elements, 1 of them cached\n",
		"[00:00:02][        ][ main: x ] SUCCESS Loading elements\n":                                                                                 "[00:00:00][        ][ main: x ] SUCCESS Loading elements\n",
	} {
		if diff := cmp.Diff(want, n.screen(text)); diff != "" {
			t.Errorf("screen %q (-want +got):\n%s", text, diff)
		}
	}
	// What is normal stays as it is.
	again := n.normalise("[00:00:07][9a00f3bb] t/a/369965e5-build.20261123-031123.log " + full)
	if diff := cmp.Diff(again, n.normalise(again)); diff != "" {
		t.Errorf("a second time (-first +second):\n%s", diff)
	}
}
