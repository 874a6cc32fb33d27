package cas

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"bst/impl/stream"
)

// Reasons of this package's errors, which are *stream.Error of the domains CAS
// (the store) and VIRTUAL_FS (virtual directories).
const (
	// ReasonMissing: an object is not in the store.
	ReasonMissing = "missing-object"
	// ReasonCorrupt: an object's content does not have the size or the hash
	// that its name promises, or it is no Directory message where one is due.
	ReasonCorrupt = "corrupt-object"
	// ReasonNoSpace: the filesystem or the user's quota is full.
	ReasonNoSpace = "no-space"
	// ReasonNotWritable: the place is read-only or belongs to somebody else.
	ReasonNotWritable = "not-writable"
	// ReasonNotFound and ReasonNotDirectory are the reference's, for paths in
	// virtual directories.
	ReasonNotFound     = "directory-not-found"
	ReasonNotDirectory = "not-a-directory"
)

// IsMissing says whether err, or what it wraps, is a missing object.
func IsMissing(err error) bool {
	var e *stream.Error
	return errors.As(err, &e) && e.Domain == stream.DomainCAS && e.Reason == ReasonMissing
}

// IsNotFound says whether err is about a path that a virtual directory does
// not hold.
func IsNotFound(err error) bool {
	var e *stream.Error
	return errors.As(err, &e) && e.Domain == stream.DomainVirtualFS && e.Reason == ReasonNotFound
}

// missingError: the object d is not at path.
func missingError(d Digest, path string) error {
	return &stream.Error{
		Domain:  stream.DomainCAS,
		Reason:  ReasonMissing,
		Message: fmt.Sprintf("Object %s is missing from the cache: %s", d, path),
		Detail:  "What needs it must be built, fetched or pulled again; `bst artifact delete` forgets an artifact that is incomplete.",
	}
}

// corruptError: what lies at path is not d.
func corruptError(d Digest, path, why string) error {
	return &stream.Error{
		Domain:  stream.DomainCAS,
		Reason:  ReasonCorrupt,
		Message: fmt.Sprintf("Object %s in the cache is corrupt: %s: %s", d, path, why),
		Detail:  "Remove that file; what needs it must then be built, fetched or pulled again.",
	}
}

// readError says what could not be read, of files outside the store.
func readError(path string, err error) error { return outsideError("read", path, err) }

// ioError makes the error of an operation on a file of the store one that a
// person can act on: "Failed to VERB 'PATH': ...". One that is so already stays
// as it is.
func ioError(verb, path string, err error) error {
	return actionable(verb, path, err,
		"Free some space on that filesystem, or give the cache another place or a smaller size: `cachedir` and `cache: quota` in buildstream.conf.",
		"The user who runs bst must be able to read and write there; `cachedir` in buildstream.conf gives the cache another place.")
}

// outsideError is ioError for files that are not the store's: what is captured,
// and where it is checked out.
func outsideError(verb, path string, err error) error {
	denied := "The user who runs bst must be able to write there."
	if verb == "read" {
		denied = "The user who runs bst must be able to read it."
	}
	return actionable(verb, path, err, "Free some space on that filesystem, or use a place on another one.", denied)
}

func actionable(verb, path string, err error, full, denied string) error {
	var known *stream.Error
	if errors.As(err, &known) {
		return err
	}
	e := &stream.Error{Domain: stream.DomainCAS, Cause: err.Error()}
	text := err.Error()
	// The path is named once, so the error number alone is printed.
	var errno syscall.Errno
	if errors.As(err, &errno) {
		text = errno.Error()
	}
	e.Message = fmt.Sprintf("Failed to %s '%s': %s", verb, path, text)
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		e.Reason, e.Detail = ReasonNoSpace, full
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		e.Detail = denied
		if verb != "read" {
			e.Reason = ReasonNotWritable
		}
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		e.Detail = "Too many files are open: raise `ulimit -n`, or run fewer builders and fetchers."
	case errors.Is(err, syscall.ENAMETOOLONG):
		e.Detail = "The path is longer than this filesystem allows: use a shorter folder."
	}
	return e
}

// vfsError is an error about a path in a virtual directory.
func vfsError(reason, format string, args ...any) error {
	return &stream.Error{Domain: stream.DomainVirtualFS, Reason: reason, Message: fmt.Sprintf(format, args...)}
}
