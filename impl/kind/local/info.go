package local

import "bst/impl/kind"

// SourceInfo tells the source's place in the project.
func (s *Tree) SourceInfo() ([]kind.SourceInfo, error) {
	digest, err := s.digest()
	return []kind.SourceInfo{{
		URL: s.path, Medium: kind.MediumLocal, VersionType: kind.VersionCASDigest, Version: digest.String(),
	}}, err
}
