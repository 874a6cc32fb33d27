package patch

import "bst/impl/kind"

// SourceInfo tells the patch's place in the project.
func (s *source) SourceInfo() ([]kind.SourceInfo, error) {
	sum, err := s.checksum()
	return []kind.SourceInfo{{
		URL: s.path, Medium: kind.MediumLocal, VersionType: kind.VersionSHA256, Version: sum,
	}}, err
}
