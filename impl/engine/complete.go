package engine

import (
	"bst/impl/artifact"
	"bst/impl/completion"
	"bst/impl/stream"
)

// complete obeys stream.Complete.
func (s *session) complete(o *stream.Complete) {
	var words []string
	switch {
	case o.Options && o.Option != "":
		words = completion.OptionValues(o.Directory, o.Option, o.Word)
	case o.Options:
		words = completion.Options(o.Directory, o.Word)
	default:
		words = completion.Elements(o.Directory, o.Word)
		if o.Artifacts {
			words = append(words, artifact.Complete(o.Settings.CacheDir, o.Word)...)
		}
	}
	s.emit(&stream.Completed{Words: words})
}
