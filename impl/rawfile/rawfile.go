// Package rawfile reads whole files, many of them and mostly small: without
// os.File a read takes half as many system calls and leaves nothing to collect.
//
// It knows descriptors and bytes. It does not know what a file is for.
package rawfile

import (
	"crypto/sha256"
	"io"
	"sync"
)

// Append appends a file's content to buffer, up to limit bytes: io.ErrShortBuffer
// says that there may be more. A named pipe without a writer is an empty file.
func Append(path string, buffer []byte, limit int) ([]byte, error) {
	f, err := Open(path, true)
	if err != nil {
		return buffer, err
	}
	defer f.Close()
	for len(buffer) < limit {
		if len(buffer) == cap(buffer) {
			buffer = append(buffer, 0)[:len(buffer)]
		}
		n, err := f.Read(buffer[len(buffer):min(cap(buffer), limit)])
		buffer = buffer[:len(buffer)+n]
		if err == io.EOF {
			return buffer, nil
		}
		if err != nil {
			return buffer, err
		}
	}
	return buffer, io.ErrShortBuffer
}

const bufferSize = 64 << 10

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// Sum is the SHA-256 of what is left in f, and its length in bytes.
func Sum(f io.Reader) ([sha256.Size]byte, int64, error) {
	buffer := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buffer)
	n, err := io.ReadFull(f, buffer[:])
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return sha256.Sum256(buffer[:n]), int64(n), nil
	}
	hash := sha256.New()
	size := int64(0)
	for {
		hash.Write(buffer[:n]) // a hash takes everything
		size += int64(n)
		switch {
		case err == io.EOF:
			return [sha256.Size]byte(hash.Sum(nil)), size, nil
		case err != nil:
			return [sha256.Size]byte{}, size, err
		}
		n, err = f.Read(buffer[:])
	}
}
