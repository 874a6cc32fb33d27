// Package collectinitialscripts is the element kind "collect_initial_scripts",
// which Freedesktop SDK and GNOME have in their projects: scripts that elements
// carry in their public data, to be run where an image is made of them.
package collectinitialscripts

import (
	"context"
	"fmt"
	"strings"

	"bst/impl/kind"
	"bst/impl/node"
)

// Traits are what the kind is.
func Traits() kind.Traits {
	return kind.Traits{
		Kind:              "collect_initial_scripts",
		RunCommands:       true,
		ForbidRuntimeDeps: true,
		ForbidSources:     true,
		Plugins: kind.Plugins{Files: []string{
			// Freedesktop SDK, oldest first; all do the same.
			"ff88c44d4427757f98a11bbc3da392c064ce5e68970b5ef2f169fd8a79b7b05b",
			"6ff229efbacf91c3ea2db19f31a5e1047f71bcc504cc315f5644905ca79c29aa",
			"9708ae691a495d6504ce3e4dd63469af20dbefc5e7aae7e313bc119ceed262da",
			"ae18eb36d04049695e10cb7c2de0acb384686778063a7532f32d027fab954368",
			"553b640d8867064783e7841c84fedfa5764ba208e7c908efbaa67fb7071721a4",
			"a098734ed59720d3b01aa7bc33b45dd14199d7f31c16f6fd10c8f0eaf9e428c4",
			"84a15f54fae65fe2fa900c4f4d625a996bfbd5fabd4a209c69da6086a829c670",
			"d182eb5a8e06fed4a2417de097ff8d87f72d4f011ba5535924a57416c9bc4b93",
			"ddf090978816bf3bd1ecff819b35f8e55dc0f3e75c192c6b4f077991f4686571",
			"eb49c4e4711589ef5d6078e935e3fd2d5855ac62ecb2de7a70dfd177abafbfbe",
			// GNOME.
			"54fca5845ce233e1f0d23fcc61271e77926fa8d4d2b087eb2ae1652740a1d892",
			"df987628d18fd52b4497be3795e8841f1ebebeb58267065efde7970f5aad493c",
			"502af4843e7f46f718d11595975a0dc4db43a6bcfe180dbb91893ace17611fd8",
			// COSMIC's copy of the first.
			"516f34d1bb236c1a552fa9839801fad1e4648e64fa8526bf0eec3d207ea12a43",
		}},
		New: func() kind.Element { return new(element) },
	}
}

type element struct {
	// path is the folder that gets the scripts.
	path string
}

func (e *element) Configure(config *node.Node, _ kind.Env) (err error) {
	if err := config.ValidateKeys("path"); err != nil {
		return err
	}
	e.path, err = config.NeedStr("path")
	return err
}

func (e *element) ConfigureDependencies([]kind.Dependency) error { return nil }

func (e *element) UniqueKey() any { return map[string]any{"path": e.path} }

// Assemble writes a script for each element that has one. Their names begin
// with a number: they are run in the order of staging.
func (e *element) Assemble(ctx context.Context, a kind.Assembly) (string, error) {
	count := 0
	for _, dep := range a.Dependencies(nil) {
		public, err := a.PublicOf(dep)
		if err != nil {
			return "", err
		}
		entry, err := public.GetMapping("initial-script")
		if err != nil {
			return "", err
		}
		if entry.Get("script") == nil {
			continue
		}
		script, err := entry.GetStr("script", "")
		if err != nil {
			return "", err
		}
		count++
		path := fmt.Sprintf("%s/%03d-%s", strings.Trim(e.path, "/"), count, fileName(dep.Name()))
		if err := kind.PutFile(ctx, a, path, []byte(script), true); err != nil {
			return "", err
		}
	}
	return "/", nil
}

// fileName is an element's name with all but ASCII letters and digits replaced.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' {
			return r
		}
		return '_'
	}, name)
}
