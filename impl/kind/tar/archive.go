package tar

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"bst/impl/kind"
	"bst/impl/kind/host"
	"bst/impl/patient"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// archive is a tar archive on disk without compression, so that it can be read
// twice: which folder is the base is known only once all names are.
//
// Unpacking to the side costs less than unpacking twice: the xz layer is read
// at tens of megabytes a second, a file in the page cache at thousands.
type archive struct {
	file *os.File
	size int64
	// limit bounds the bytes that are unpacked from it.
	limit int64
	// scratch is an empty directory to work in.
	scratch string
	// broken is the error that ended the decompression, if it did. Whatever
	// comes after the end of the archive proper is of no interest, so it counts
	// only where members are missing.
	broken error
}

// Bounds against archives that are made to fill the disk. Sources that people
// build from unpack to ten times their size; these leave two powers of ten.
const (
	freeBytes  = 4 << 30
	ratio      = 1000
	maxMembers = 4 << 20
)

var errTooLarge = errors.New("the archive unpacks to more bytes than bst accepts of one of its size")

// openArchive takes the compression off, which it knows by the first bytes.
func openArchive(ctx context.Context, env kind.SourceEnv, w kind.SourceWork, path string) (a *archive, err error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil || a.file != in {
			in.Close()
		}
	}()
	info, err := in.Stat()
	if err != nil {
		return nil, err
	}
	scratch, err := w.TempDir()
	if err != nil {
		return nil, err
	}
	a = &archive{file: in, size: info.Size(), limit: freeBytes + ratio*info.Size(), scratch: scratch}

	buffered := bufio.NewReaderSize(in, 64<<10)
	magic, err := buffered.Peek(6)
	if err != nil && err != io.EOF {
		return nil, err
	}
	var content io.Reader
	switch {
	case bytes.HasPrefix(magic, []byte("\x1f\x8b")):
		content, err = gzip.NewReader(buffered)
	case bytes.HasPrefix(magic, []byte("BZh")):
		content = bzip2.NewReader(buffered)
	case bytes.HasPrefix(magic, []byte("\xfd7zXZ\x00")):
		// The program is five times as fast as the library.
		if program, err := exec.LookPath("xz"); err == nil {
			return a, a.unpack(ctx, w, program, path)
		}
		content, err = xz.NewReader(buffered)
	case bytes.HasPrefix(magic, []byte("\x28\xb5\x2f\xfd")):
		var d *zstd.Decoder
		if d, err = zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(512<<20)); err == nil {
			defer d.Close()
			content = d
		}
	case bytes.HasPrefix(magic, []byte("\x5d\x00\x00")):
		content, err = lzma.NewReader(buffered)
	case bytes.HasPrefix(magic, []byte("LZIP")):
		// There is no library, here as in the reference.
		program, err := host.Find("tar", env, "lzip")
		if err != nil {
			return nil, err
		}
		return a, a.unpack(ctx, w, program, path)
	default:
		return a, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot decompress it: %w", err)
	}
	out, err := a.spool()
	if err != nil {
		return nil, err
	}
	_, err = io.CopyBuffer(out, &interruptible{ctx: ctx, r: content}, make([]byte, 256<<10))
	if err := a.spooled(ctx, out, err); err != nil {
		return nil, err
	}
	return a, nil
}

// unpack leaves the decompression to a program.
func (a *archive) unpack(ctx context.Context, w kind.SourceWork, program, path string) error {
	out, err := a.spool()
	if err != nil {
		return err
	}
	result, err := host.Run(ctx, w, host.Command{Argv: []string{program, "-d", "-c", path}, Stdout: out})
	if err == nil && result.Status != 0 {
		err = errors.New(strings.TrimSpace(result.Tail))
	}
	return a.spooled(ctx, out, err)
}

// spool makes the file for the content, of which nothing is left whatever happens.
func (a *archive) spool() (*bounded, error) {
	file, err := patient.Nameless(filepath.Join(a.scratch, "archive"))
	if err != nil {
		return nil, err
	}
	return &bounded{file: file, left: a.limit}, nil
}

// spooled makes what was written the archive's content.
func (a *archive) spooled(ctx context.Context, out *bounded, err error) error {
	if out.err != nil {
		err = out.err // A program only knows that nobody listens any more.
	}
	var local *os.PathError
	if ctx.Err() != nil || errors.Is(err, errTooLarge) || errors.As(err, &local) {
		out.file.Close()
		return err
	}
	a.broken = err
	a.file.Close()
	a.file = out.file
	a.size, err = out.file.Seek(0, io.SeekCurrent)
	return err
}

func (a *archive) close() { a.file.Close() }

// members reads the archive from its start and gives each member to f.
func (a *archive) members(ctx context.Context, f func(h *tar.Header, content io.Reader) error) error {
	// No buffer: the tar reader seeks over content that is not asked for, and
	// what is asked for is read in large pieces.
	section := io.NewSectionReader(a.file, 0, a.size)
	r := tar.NewReader(section)
	for count := 0; ; count++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := r.Next()
		if err != nil && errors.Is(err, tar.ErrInsecurePath) {
			err = nil // Names are judged where they are used.
		}
		if err == io.EOF {
			return a.ended(section)
		}
		if err != nil {
			return a.unreadable(err)
		}
		if count == maxMembers {
			return fmt.Errorf("the archive has more than %d members", maxMembers)
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		if err := f(h, &faults{a, r}); err != nil {
			return err
		}
	}
}

// ended tells the end of the archive from the place where its decompression
// broke off: the end is marked by two blocks of zeros.
func (a *archive) ended(section *io.SectionReader) error {
	if a.broken == nil {
		return nil
	}
	at, err := section.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	mark := make([]byte, 1024)
	if _, err := a.file.ReadAt(mark, at-int64(len(mark))); err != nil || len(bytes.Trim(mark, "\x00")) > 0 {
		return a.unreadable(io.ErrUnexpectedEOF)
	}
	return nil
}

// unreadable prefers the cause to the symptom.
func (a *archive) unreadable(err error) error {
	if a.broken != nil {
		return fmt.Errorf("cannot decompress it: %w", a.broken)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the archive is truncated")
	}
	if errors.Is(err, tar.ErrHeader) {
		return errors.New("it is not a tar archive, or it is damaged")
	}
	return err
}

// faults names the causes of a member's read errors.
type faults struct {
	a *archive
	r io.Reader
}

func (f *faults) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && err != io.EOF {
		err = f.a.unreadable(err)
	}
	return n, err
}

// bounded is a file that may grow so far.
type bounded struct {
	file *os.File
	left int64
	// err is the first error.
	err error
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.left -= int64(len(p)); b.left < 0 {
		b.err = errTooLarge
		return 0, b.err
	}
	n, err := b.file.Write(p)
	b.err = err
	return n, err
}

// interruptible ends a long read when ctx does.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i *interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.r.Read(p)
}
