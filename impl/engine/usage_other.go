//go:build !unix

package engine

import "bst/impl/stream"

// usage is not known here: the zero value says so.
func usage() stream.Usage { return stream.Usage{} }
