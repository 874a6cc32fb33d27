package element

import "bst/impl/kind"

var _ kind.Described = Handle{}

// FullName has the junctions before the name.
func (h Handle) FullName() string { return h.Element.FullName }

// NormalName is the name as directories are called by it.
func (h Handle) NormalName() string { return h.Element.NormalName }

// ProjectName is the name of the element's project.
func (h Handle) ProjectName() string { return h.Element.Project.Name }

// ElementKind is the name in "kind:".
func (h Handle) ElementKind() string { return h.Element.Kind }

// Runtime are the direct dependencies that the element needs at run time.
func (h Handle) Runtime() []kind.Handle { return handles(h.Element.Runtime) }

// Sources are the element's sources.
func (h Handle) Sources() []kind.DescribedSource {
	list := make([]kind.DescribedSource, len(h.Element.Sources))
	for i, s := range h.Element.Sources {
		list[i] = describedSource{s}
	}
	return list
}

type describedSource struct{ s *Source }

func (d describedSource) Kind() string { return d.s.Kind }

func (d describedSource) Info() ([]kind.SourceInfo, bool) {
	infos, err := d.s.Info()
	return infos, err == nil && infos != nil
}

// Info is what the source reports of where it comes from, nil where its kind
// does not. What the project says of the source is put to each that has nothing
// of its own. Of a source without a ref the version is "None", as in the
// reference.
func (s *Source) Info() ([]kind.SourceInfo, error) {
	informer, ok := s.Impl.(kind.Informer)
	if !ok {
		return nil, nil
	}
	infos, err := informer.SourceInfo()
	for i := range infos {
		infos[i].Kind = s.Kind
		if !s.Resolved && infos[i].Version == "" {
			infos[i].Version = "None"
		}
		if infos[i].Provenance == nil {
			infos[i].Provenance = s.Attributes
		}
	}
	return infos, err
}
