package engine

import (
	"bst/impl/newproject"
	"bst/impl/stream"
)

// init obeys bst init.
func (s *session) init(o *stream.Init) error {
	p := newproject.Project{Directory: o.Directory, Name: o.Name, MinVersion: o.MinVersion, ElementPath: o.ElementPath, Force: o.Force}
	if err := p.Make(); err != nil {
		return err
	}
	s.emit(&stream.ProjectMade{Conf: p.Conf()})
	return nil
}
