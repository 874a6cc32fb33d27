package cas

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"os"

	"bst/impl/bug"
	"bst/impl/stream"
)

// PutExpected stores b under a digest that somebody else named. The error is
// ReasonCorrupt where b has another digest: then nothing is stored.
func (s *Store) PutExpected(d Digest, b []byte) error {
	if got := DigestBytes(b); got != d {
		return unexpectedError(d, got)
	}
	return s.putKnown(d, b)
}

// Incoming is an object that comes in pieces, from a server. It is written to the
// side, and becomes an object only if all of it came and has the digest that was
// expected. It is used by one goroutine.
type Incoming struct {
	s    *Store
	want Digest
	tmp  string
	file *os.File
	sum  hash.Hash
	n    int64
}

// Receive begins an object of that digest. Commit or Abort ends it.
func (s *Store) Receive(d Digest) (*Incoming, error) {
	if !d.Valid() {
		return nil, missingError(d, s.Path(d))
	}
	in := &Incoming{s: s, want: d, sum: sha256.New()}
	var err error
	in.tmp, err = s.createTemp(func(path string) (err error) {
		in.file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		return err
	})
	return in, err
}

// Len is how many bytes have come.
func (in *Incoming) Len() int64 { return in.n }

// Write takes the next piece. More bytes than expected are an error; after one
// there is nothing to do but Abort.
func (in *Incoming) Write(b []byte) (int, error) {
	if in.n+int64(len(b)) > in.want.Size {
		return 0, unexpectedError(in.want, Digest{Hash: "more", Size: in.n + int64(len(b))})
	}
	// To hash takes a third of the time of writing: both at once.
	hashed := func() int { return 0 }
	if len(b) >= hashAside {
		hashed = bug.Go(func() int {
			in.sum.Write(b)
			return len(b)
		})
	} else {
		in.sum.Write(b)
	}
	n, err := in.file.Write(b)
	hashed()
	in.n += int64(n)
	if err != nil {
		err = ioError("write to the cache", in.tmp, err)
	}
	return n, err
}

// hashAside is from how many bytes on a goroutine pays.
const hashAside = 64 << 10

// Commit makes an object of what came. After an error nothing is left.
func (in *Incoming) Commit() error {
	if got := newDigest(in.sum.Sum(nil), in.n); got != in.want {
		return in.fail(unexpectedError(in.want, got))
	}
	err := in.file.Close()
	in.file = nil
	if err == nil {
		err = sealObject(in.tmp, 0o644)
	}
	if err != nil {
		return in.fail(ioError("write to the cache", in.tmp, err))
	}
	tmp := in.tmp
	in.tmp = ""
	return in.s.commit(tmp, in.s.Path(in.want), in.n)
}

func (in *Incoming) fail(err error) error {
	in.Abort()
	return err
}

// Abort forgets what came. After Commit it does nothing.
func (in *Incoming) Abort() {
	if in.file != nil {
		in.file.Close()
		in.file = nil
	}
	if in.tmp != "" {
		os.Remove(in.tmp)
		in.tmp = ""
	}
}

var _ io.Writer = (*Incoming)(nil)

// unexpectedError: what came is not what it was said to be.
func unexpectedError(want, got Digest) error {
	e := corruptError(want, "", "").(*stream.Error)
	e.Message = fmt.Sprintf("What was received as the object %s is not: it has the digest %s", want, got)
	e.Detail = "It was not stored."
	return e
}
