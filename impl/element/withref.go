package element

import (
	"bst/impl/cas"
	"bst/impl/element/cachekey"
	"bst/impl/node"
	"bst/impl/project"
)

// keptSource is what a source was made from.
type keptSource struct {
	loaded *project.Element
	// mapping is the source's own, includes and conditionals done: what stands in
	// it knows the file that it is from.
	mapping *node.Node
	// config is what the kind was configured with.
	config *node.Node
}

// Mapping is the source as the project's files have it: its nodes know where they
// stand. It is nil but with Options.KeepSources.
func (s *Source) Mapping() *node.Node {
	if s.kept == nil {
		return nil
	}
	return s.kept.mapping
}

// RefKeys are the keys of the source that hold its ref.
func (s *Source) RefKeys() []string { return refKeys(s.Traits) }

// StoredRef is where the ref belongs that is tracked, if the toplevel project
// keeps refs in project.refs: see project.RefPlace.
func (s *Source) StoredRef() (project.RefPlace, bool) {
	return s.Element.Project.Toplevel().PlaceOfRef(s.kept.loaded, s.Index)
}

// WithRef is the source with another ref, a mapping of its RefKeys. It needs
// Options.KeepSources.
func (s *Source) WithRef(ref *node.Node) (*Source, error) {
	with := *s
	kept := *s.kept
	kept.config = s.kept.config.Clone()
	for _, key := range s.RefKeys() {
		if value := ref.Get(key); value != nil {
			kept.config.Set(key, value)
		} else {
			kept.config.Delete(key)
		}
	}
	with.kept = &kept
	with.Impl = s.Traits.New()
	// The URLs are those that were checked before, or of what was tracked.
	env := &sourceEnv{source: &with, first: kept.loaded.FirstPass(), digests: new(cas.Digests)}
	if err := with.Impl.Configure(kept.config.Clone(), env); err != nil {
		return nil, err
	}
	with.Key, with.unique = "", nil
	if with.Resolved = with.Impl.Resolved(); !with.Resolved {
		return &with, nil
	}
	unique, err := with.Impl.UniqueKey()
	if err != nil {
		return nil, err
	}
	if with.unique, err = cachekey.Append(nil, unique); err != nil {
		return nil, err
	}
	with.Key = cachekey.Sum(with.unique)
	return &with, nil
}
