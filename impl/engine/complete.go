package engine

import (
	"bst/impl/artifact"
	"bst/impl/completion"
	"bst/impl/stream"
)

// complete obeys stream.Complete.
func (s *session) complete(o *stream.Complete) {
	words := completion.Elements(o.Directory, o.Word)
	if o.Artifacts {
		words = append(words, artifact.Complete(o.Settings.CacheDir, o.Word)...)
	}
	s.emit(&stream.Completed{Words: words})
}
