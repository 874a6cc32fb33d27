package source

import (
	"errors"
	"io/fs"
	"syscall"

	"bst/impl/cas"
	"bst/impl/reffile"
	"bst/impl/stream"

	"google.golang.org/protobuf/encoding/protowire"
)

// A ref is a file with the reference's Source message (its source.proto): it
// holds a version, which has never been other than 0, and the digest of a
// directory.
const (
	sourceFiles = 2
	digestHash  = 1
	digestSize  = 2
)

// maxRef is far more than a Source message has, in bytes.
const maxRef = 4 << 10

func encodeSource(files cas.Digest) []byte {
	var d []byte
	d = protowire.AppendTag(d, digestHash, protowire.BytesType)
	d = protowire.AppendString(d, files.Hash)
	if files.Size != 0 {
		d = protowire.AppendTag(d, digestSize, protowire.VarintType)
		d = protowire.AppendVarint(d, uint64(files.Size))
	}
	b := protowire.AppendTag(nil, sourceFiles, protowire.BytesType)
	return protowire.AppendBytes(b, d)
}

var errRef = errors.New("it is not a Source message with a digest")

func decodeSource(b []byte) (cas.Digest, error) {
	var d cas.Digest
	err := fields(b, func(number protowire.Number, bytes []byte, _ uint64) error {
		if number != sourceFiles {
			return nil
		}
		return fields(bytes, func(number protowire.Number, bytes []byte, n uint64) error {
			switch number {
			case digestHash:
				d.Hash = string(bytes)
			case digestSize:
				d.Size = int64(n)
			}
			return nil
		})
	})
	if err == nil && !d.Valid() {
		err = errRef
	}
	return d, err
}

// fields gives each field of a message to f: its bytes, or its number.
func fields(b []byte, f func(number protowire.Number, bytes []byte, n uint64) error) error {
	for len(b) > 0 {
		number, t, size := protowire.ConsumeTag(b)
		if size < 0 {
			return errRef
		}
		b = b[size:]
		var bytes []byte
		var n uint64
		switch t {
		case protowire.BytesType:
			bytes, size = protowire.ConsumeBytes(b)
		case protowire.VarintType:
			n, size = protowire.ConsumeVarint(b)
		default:
			size = protowire.ConsumeFieldValue(number, t, b)
		}
		if size < 0 {
			return errRef
		}
		b = b[size:]
		if err := f(number, bytes, n); err != nil {
			return err
		}
	}
	return nil
}

// readRef notes that the ref is used.
func (c *Cache) readRef(path string) (cas.Digest, error) {
	b, err := reffile.Use(path, maxRef)
	if err != nil {
		return cas.Digest{}, err
	}
	return decodeSource(b)
}

func (c *Cache) writeRef(path string, d cas.Digest) error {
	if err := reffile.Write(path, encodeSource(d)); err != nil {
		return fault("Cannot write to the source cache", err)
	}
	return nil
}

// fault makes the error of a disk that does not do what it should.
func fault(what string, err error) *stream.Error {
	text := err.Error()
	var path *fs.PathError
	if errors.As(err, &path) {
		text = path.Path + ": " + path.Err.Error()
	}
	e := &stream.Error{Domain: stream.DomainSourceCacheErr, Message: what + ": " + text, Cause: err.Error()}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		e.Reason = cas.ReasonNoSpace
		e.Detail = "Free some space on that file system, or set `cachedir` and `sourcedir` in buildstream.conf to another one."
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		e.Reason = cas.ReasonNotWritable
		e.Detail = "The user who runs bst must be able to write there; `cachedir` and `sourcedir` in buildstream.conf give other places."
	}
	return e
}
