package engine

import (
	"errors"
	"fmt"

	"bst/impl/bug"
	"bst/impl/stream"
)

// asError turns any error into the form that crosses. A bug's stack goes to a
// file of its own: a person has no use for it on the screen, whoever mends the bug
// does.
func (s *session) asError(err error) *stream.Error {
	var found *bug.Error
	if !errors.As(err, &found) {
		return asError(err)
	}
	path, writeErr := found.Write(s.set.Settings.LogDir, "bst "+s.version)
	e := bugError(found, path)
	if writeErr != nil {
		e.Detail = fmt.Sprintf("%s\n(It could not be written to a file: %v)", found.Stack, writeErr)
	}
	return e
}

// bugError is what a person is told of a bug whose stack is in a file.
func bugError(e *bug.Error, path string) *stream.Error {
	return &stream.Error{Domain: stream.DomainStream, Reason: stream.ReasonUnhandled, Message: "Unhandled exception: " + e.Error(),
		Detail: "Where it happened is told in " + path + "\nPlease report it, with that file."}
}
