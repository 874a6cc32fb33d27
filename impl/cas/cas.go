// Package cas is the content-addressed store in BuildStream's local layout
// (<cachedir>/cas/objects/aa/rest), and virtual directories over it.
//
// It knows digests, REAPI Directory messages and files. It does not know
// artifacts, elements or sandboxes, and it talks to no server.
//
// # What is on disk
//
//	<dir>/objects/aa/rest   one file an object, named by its SHA-256
//	<dir>/exec/aa/rest      executable twins, see below
//	<dir>/tmp/<process>/    what is being written, and the process's lease, swept
//	                        when the process is dead
//	<dir>/expiring/hash     objects that are about to go
//	<dir>/account           how many bytes there are
//
// What a living process uses stays in the store, whoever takes out what is old:
// see lease.go and expire.go.
//
// Objects have mode 0644 and the time MTime: what a hard link to one shows is
// what the reference's staging shows. Whether a file is executable is said by
// the FileNode that names it, so the same content can be both. A hard link
// cannot be both: a link to an object made executable would make every other
// link, and the object, executable, and the next capture of an innocent tree
// would have another digest. So the first hard-linked checkout of an
// executable file makes a second inode with mode 0755, its twin, under exec/
// (sharing blocks where the filesystem can), and later checkouts link to that.
//
// # What is promised
//
// An object appears whole or not at all, is never rewritten, and any number of
// processes may use one store at once. That holds for the death of a process
// at any instruction. It does not hold for a power cut: objects are not
// synced to disk one by one, because that costs milliseconds each; an object
// that a power cut has damaged is found by its size or its digest when it is
// read (Get, directories, copies), and reported with its path.
//
// # What it costs
//
// Storing a small object takes some 55 µs on ext4, all of it the kernel's
// (BenchmarkPutBytes): making an inode, writing, setting its time, renaming.
// Storing one deletes nothing. That matters: for minutes after an inode was
// deleted ext4 does not use it again, and looks at all such before it finds a
// free one, so that after thousands of deletions in a block group each new file
// there takes half a millisecond. Benchmarks on a filesystem in such a state,
// /tmp on a busy machine for one, measure that.
package cas

import (
	"bst/impl/rawfile"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// Digest is REAPI's Digest. The zero Digest names nothing.
type Digest struct {
	// Hash is the SHA-256, 64 lower-case hexadecimal digits.
	Hash string
	// Size in bytes.
	Size int64
}

// MTime is the modification time of every object and of everything that a
// checkout makes: 2011-11-11 11:11:11 UTC, the reference's
// BST_ARBITRARY_TIMESTAMP.
var MTime = time.Unix(1321009871, 0)

// EmptyDigest is the digest of no bytes, which is also that of an empty
// directory.
var EmptyDigest = Digest{Hash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}

// String gives "hash/size", the form that REAPI resource names use.
func (d Digest) String() string { return d.Hash + "/" + strconv.FormatInt(d.Size, 10) }

// IsZero says that d names nothing.
func (d Digest) IsZero() bool { return d == Digest{} }

// Valid says whether d can name an object. A digest that came from outside may
// hold anything, so everything that makes a path of one asks this first.
func (d Digest) Valid() bool {
	if len(d.Hash) != 2*sha256.Size || d.Size < 0 {
		return false
	}
	for i := 0; i < len(d.Hash); i++ {
		if !lowerHex[d.Hash[i]] {
			return false
		}
	}
	return true
}

var lowerHex = func() (t [256]bool) {
	for _, c := range "0123456789abcdef" {
		t[c] = true
	}
	return t
}()

// DigestBytes is the digest of b.
func DigestBytes(b []byte) Digest {
	sum := sha256.Sum256(b)
	return newDigest(sum[:], int64(len(b)))
}

// sumFile reads the file and gives its digest, or the operating system's error.
func sumFile(path string) (Digest, error) {
	f, err := rawfile.Open(path, true)
	if err != nil {
		return Digest{}, err
	}
	defer f.Close()
	sum, size, err := rawfile.Sum(f)
	if err != nil {
		return Digest{}, err
	}
	return newDigest(sum[:], size), nil
}

func newDigest(sum []byte, size int64) Digest {
	return Digest{Hash: hex.EncodeToString(sum), Size: size}
}
