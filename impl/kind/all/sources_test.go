package all

import "testing"

// TestSources: each kind is there once, and can be made.
func TestSources(t *testing.T) {
	seen := map[string]bool{}
	for _, traits := range Sources() {
		if traits.Kind == "" || seen[traits.Kind] || traits.New() == nil {
			t.Errorf("%#v", traits)
		}
		seen[traits.Kind] = true
	}
}
