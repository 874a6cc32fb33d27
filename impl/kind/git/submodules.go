package git

import (
	"bst/impl/kind"
	"bst/impl/node"
)

// Submodules are what a source says of the submodules of its repository.
type Submodules struct {
	// checkout says whether submodules are staged, but for those in checkouts.
	checkout  bool
	checkouts map[string]bool
	// overrides are the submodules that the source lists, in order, with the
	// URL to take them from; nil for the repository's own.
	listed    []string
	overrides map[string]*string
}

// Configure reads "checkout-submodules" and "submodules".
func (m *Submodules) Configure(config *node.Node, env kind.SourceEnv) (err error) {
	if m.checkout, err = config.GetBool("checkout-submodules", true); err != nil {
		return err
	}
	modules, err := config.GetMapping("submodules")
	if err != nil || modules == nil {
		return err
	}
	m.listed = modules.Keys()
	m.overrides = make(map[string]*string, len(m.listed))
	m.checkouts = make(map[string]bool)
	for _, path := range m.listed {
		module, err := modules.GetMapping(path)
		if err != nil {
			return err
		}
		if m.overrides[path], err = optional(module, "url"); err != nil {
			return err
		}
		if url := m.overrides[path]; url != nil {
			env.Translate(*url)
		}
		if module.Get("checkout") == nil {
			continue
		}
		if m.checkouts[path], err = module.GetBool("checkout", false); err != nil {
			return err
		}
	}
	return nil
}

// AppendTo adds to a unique key what is not as by default.
func (m *Submodules) AppendTo(key []any) []any {
	if !m.checkout {
		key = append(key, map[string]any{"checkout_submodules": false})
	}
	if len(m.overrides) > 0 {
		urls := make(map[string]any, len(m.overrides))
		for path, url := range m.overrides {
			urls[path] = nil
			if url != nil {
				urls[path] = *url
			}
		}
		key = append(key, urls)
	}
	if len(m.checkouts) > 0 {
		checkouts := make(map[string]any, len(m.checkouts))
		for path, checkout := range m.checkouts {
			checkouts[path] = checkout
		}
		key = append(key, map[string]any{"submodule_checkout_overrides": checkouts})
	}
	return key
}

// ignores says that a submodule is not to be staged.
func (m *Submodules) ignores(path string) bool {
	if checkout, ok := m.checkouts[path]; ok {
		return !checkout
	}
	return !m.checkout
}
