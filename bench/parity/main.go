// Command parity compares the cache keys of bst with those that BuildStream
// 2.8 itself gave, element by element, and says where they differ.
//
//	parity --facts DIR --bst FILE [--sdk GIT --plugins GIT] [--buildstream GIT]
//
// The facts are a folder with the keys (its README says of what); the projects
// that they are of are laid out in a scratch folder from git directories.
// Nothing is fetched, and no project is part of this repository.
//
// It exits with 1 where a key differs or is missing that should be there.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
)

// settings are the command line's.
type settings struct {
	// facts is the folder of expected keys, bst the program.
	facts, bst string
	// sdk, plugins and buildstream are git directories, "" for none.
	sdk, plugins, buildstream string
	// scratch is where projects are laid out; keep leaves them there.
	scratch string
	keep    bool
	verbose bool
	out     io.Writer
}

func main() {
	s := settings{out: os.Stdout}
	flag.StringVar(&s.facts, "facts", "", "the `folder` of expected keys")
	flag.StringVar(&s.bst, "bst", "bin/bst", "the `program` to try")
	flag.StringVar(&s.sdk, "sdk", "", "git `directory` of Freedesktop SDK")
	flag.StringVar(&s.plugins, "plugins", "", "git `directory` of buildstream-plugins")
	flag.StringVar(&s.buildstream, "buildstream", "", "git `directory` of BuildStream")
	flag.StringVar(&s.scratch, "scratch", "", "`folder` to lay projects out in, a temporary one without")
	flag.BoolVar(&s.keep, "keep", false, "leave the scratch folder as it is afterwards")
	flag.BoolVar(&s.verbose, "v", false, "name the elements that match, too")
	flag.Parse()
	ok, err := run(context.Background(), s)
	if err != nil {
		fmt.Fprintln(os.Stderr, "parity:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// run compares what there are git directories for, and tells whether all is as
// it should be.
func run(ctx context.Context, s settings) (bool, error) {
	if s.facts == "" {
		return false, fmt.Errorf("the folder of expected keys is not set: make parity PARITY=DIR, and\n" +
			"  FREEDESKTOP_SDK_GIT=DIR BUILDSTREAM_PLUGINS_GIT=DIR for Freedesktop SDK\n" +
			"  BUILDSTREAM_GIT=DIR for the reference's own projects")
	}
	if s.scratch == "" {
		dir, err := os.MkdirTemp("", "parity-")
		if err != nil {
			return false, err
		}
		s.scratch = dir
		if !s.keep {
			defer os.RemoveAll(dir)
		}
	}
	all, compared := true, false
	for _, part := range []struct {
		name    string
		missing string
		compare func(context.Context, settings) (*tally, error)
	}{
		{"Freedesktop SDK", firstUnset("--sdk", s.sdk, "--plugins", s.plugins), compareSDK},
		{"BuildStream's own projects", firstUnset("--buildstream", s.buildstream), compareTrees},
	} {
		if part.missing != "" {
			fmt.Fprintf(s.out, "%s: left out, since %s is not set\n", part.name, part.missing)
			continue
		}
		t, err := part.compare(ctx, s)
		if err != nil {
			return false, fmt.Errorf("%s: %w", part.name, err)
		}
		fmt.Fprintf(s.out, "%s: %s\n", part.name, t)
		all, compared = all && t.good(), true
	}
	if !compared {
		return false, fmt.Errorf("there is nothing to compare")
	}
	return all, nil
}

// firstUnset names the first flag without a value; flags and values alternate.
func firstUnset(pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			return pairs[i]
		}
	}
	return ""
}

// tally counts how elements compare.
type tally struct {
	matched, differ, missing int
	// python are elements that need a Python plugin of their own project.
	python int
	// weakMatched and weakDiffer are of weak keys, as far as they are known.
	weakMatched, weakDiffer int
}

func (t *tally) good() bool { return t.differ == 0 && t.missing == 0 && t.weakDiffer == 0 }

func (t *tally) String() string {
	text := fmt.Sprintf("%d keys match, %d differ, %d are missing", t.matched, t.differ, t.missing)
	if t.weakMatched+t.weakDiffer > 0 {
		text += fmt.Sprintf("; %d weak keys match, %d differ", t.weakMatched, t.weakDiffer)
	}
	if t.python > 0 {
		text += fmt.Sprintf("; %d need a Python plugin of their own project, which is out of reach", t.python)
	}
	return text
}
