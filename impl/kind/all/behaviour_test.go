package all

import (
	"context"
	"errors"
	"strings"
	"testing"

	"bst/impl/kind"
	"bst/impl/kind/kindtest"
	"bst/impl/kind/sourcetest"
	"bst/impl/stream"
)

// What the smallest kinds do besides their keys.

func elementKind(t *testing.T, name string) kind.Traits {
	t.Helper()
	for _, traits := range Elements() {
		if traits.Kind == name {
			return traits
		}
	}
	t.Fatalf("there is no element kind %s", name)
	return kind.Traits{}
}

func handles(names string) (list []kind.Handle) {
	for _, name := range strings.Fields(names) {
		list = append(list, kindtest.Handle(name))
	}
	return list
}

func reason(err error) string {
	var told *stream.Error
	if errors.As(err, &told) {
		return string(told.Domain) + "/" + told.Reason
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// A stack's dependencies are all of both types.
func TestStackPreflight(t *testing.T) {
	e := elementKind(t, "stack").New().(kind.Preflighter)
	const refused = "ELEMENT/stack-requires-build-and-run"
	for _, tt := range []struct{ build, runtime, want string }{
		{"", "", ""},
		{"a.bst b.bst", "b.bst a.bst", ""},
		{"a.bst", "", refused},
		{"", "a.bst", refused},
		{"a.bst", "b.bst", refused},
		{"a.bst b.bst", "a.bst", refused},
	} {
		if got := reason(e.Preflight(kind.Given{Build: handles(tt.build), Runtime: handles(tt.runtime)})); got != tt.want {
			t.Errorf("%q and %q: %q, want %q", tt.build, tt.runtime, got, tt.want)
		}
	}
}

// A stack's artifact is an empty directory, and a link has none.
func TestAssembleNothing(t *testing.T) {
	a := kindtest.New(t)
	collect, err := elementKind(t, "stack").New().Assemble(context.Background(), a)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := a.Tree.Sub(collect, false)
	if err != nil {
		t.Fatal(err)
	}
	if files := kindtest.Files(t, dir); len(files) > 0 {
		t.Errorf("a stack has %v", files)
	}
	for _, name := range []string{"link", "junction"} {
		if _, err := elementKind(t, name).New().Assemble(context.Background(), a); err == nil || err.Error() != "Cannot build "+name+" elements" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Sources whose programs are not there are never cached, and say so instead of
// leaving an element without them.
func TestUnfetchable(t *testing.T) {
	env := &sourcetest.Env{Dir: t.TempDir()}
	for name, config := range map[string]string{
		"bzr":    "url: x\ntrack: trunk\nref: '12'",
		"pip":    "packages: [a]\nref: a==1",
		"ostree": "url: x\ntrack: main\nref: abc",
	} {
		s := sourcetest.Must(t, sourceKind(t, name), env, config)
		w := sourcetest.NewWork(t)
		if !s.Resolved() || s.Cached(t.Context(), w) {
			t.Errorf("%s: resolved %v, cached %v", name, s.Resolved(), s.Cached(t.Context(), w))
		}
		const want = "SOURCE/fetch-not-implemented"
		if got := reason(s.Fetch(t.Context(), w)); got != want {
			t.Errorf("%s: fetching: %s", name, got)
		}
		if got := reason(s.Stage(t.Context(), w, t.TempDir())); got != want {
			t.Errorf("%s: staging: %s", name, got)
		}
	}
}
