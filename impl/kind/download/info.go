package download

import "bst/impl/kind"

// SourceInfo tells where the file comes from.
func (f *File) SourceInfo() ([]kind.SourceInfo, error) {
	version := kind.Versioning{Version: f.Version, Pattern: f.GuessPattern}
	return []kind.SourceInfo{{
		URL: f.Primary, Medium: kind.MediumRemote, VersionType: kind.VersionSHA256, Version: f.Sum,
		Guess: version.Guess(f.URL),
	}}, nil
}
