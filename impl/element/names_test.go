package element

import (
	"testing"

	"bst/impl/kind"
)

func TestNormalName(t *testing.T) {
	for name, want := range map[string]string{
		"a.bst": "a", "base/alpine.bst": "base-alpine", "a.b/c.bst": "a.b-c", ".hidden": ".hidden",
		"x/.bst": "x-", "noext": "noext", "a.tar.bst": "a.tar",
	} {
		if got := NormalName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestRegistryRefusesDuplicates(t *testing.T) {
	if _, err := NewRegistry([]kind.Traits{{Kind: "a"}, {Kind: "a"}}, nil); err == nil {
		t.Error("an element kind may come twice")
	}
	if _, err := NewRegistry(nil, []kind.SourceTraits{{Kind: "a"}, {Kind: "a"}}); err == nil {
		t.Error("a source kind may come twice")
	}
}
