package session

import (
	"bytes"
	"errors"
	"io"
	"os"
)

const (
	// maxHeld is how much of the log waits for the terminal in memory, in bytes.
	// What is more waits in a file.
	maxHeld = 1 << 20
	// maxUnspilled bounds it where no file can be written.
	maxUnspilled = 16 << 20
	// refill is how much is read back from the file at once.
	refill = 64 << 10
)

// backlog is the part of the log that waits for the terminal, in order. A
// terminal may be stopped for hours while the work goes on: the backlog's memory
// is bounded, and nothing of it is lost while there is room on the disk.
type backlog struct {
	// open makes the file, where it is needed.
	open func() (*os.File, error)

	head []byte // what comes next
	last int    // how many bytes the last frame took
	// file holds what follows head, from the offset read to the offset end, and
	// before that what has been read.
	file      *os.File
	read, end int64
	// failed is why there is no file. Then lines beyond maxUnspilled are lost.
	failed error
	lost   int
}

// add appends whole lines.
func (b *backlog) add(text []byte) {
	if len(text) == 0 {
		return
	}
	if b.file == nil && b.failed == nil && len(b.head)+len(text) > maxHeld {
		if b.file, b.failed = b.open(); b.failed == nil {
			// The file has all that waits, so that it can be kept: see cut.
			head := b.head
			b.head = nil
			b.add(head)
		}
	}
	switch {
	case b.file != nil:
		n, err := b.file.WriteAt(text, b.end)
		if err == nil {
			b.end += int64(n)
			return
		}
		b.failed = errors.Join(b.failed, err)
	case b.failed == nil || len(b.head)+len(text) <= maxUnspilled:
		if b.head == nil {
			// A frame takes about as much as the one before it.
			b.head = make([]byte, 0, max(b.last+b.last/4, len(text)))
		}
		b.head = append(b.head, text...)
		return
	}
	b.lost += bytes.Count(text, []byte{'\n'})
}

// empty says that nothing waits.
func (b *backlog) empty() bool { return len(b.head) == 0 && b.read == b.end }

// size is how many bytes wait.
func (b *backlog) size() int64 { return int64(len(b.head)) + b.end - b.read }

// take gives the next whole lines, of about n bytes and at least one.
func (b *backlog) take(n int) []byte {
	if len(b.head) == 0 {
		b.fill()
	}
	if len(b.head) == 0 {
		return nil
	}
	cut := len(b.head)
	if n < cut {
		if cut = bytes.LastIndexByte(b.head[:n], '\n') + 1; cut == 0 {
			cut = len(b.head)
			if i := bytes.IndexByte(b.head, '\n'); i >= 0 {
				cut = i + 1
			}
		}
	}
	lines := b.head[:cut:cut]
	b.last = cut
	if b.head = b.head[cut:]; len(b.head) == 0 {
		b.head = nil
	}
	return lines
}

// fill reads the next part of the file.
func (b *backlog) fill() {
	if b.read == b.end {
		return
	}
	part := make([]byte, min(refill, b.end-b.read))
	n, err := b.file.ReadAt(part, b.read)
	b.read += int64(n)
	b.head = part[:n]
	if err != nil && !(errors.Is(err, io.EOF) && n > 0) {
		b.failed, b.read = errors.Join(b.failed, err), b.end
	}
	if b.read < b.end && n > 0 && b.head[n-1] != '\n' {
		// The rest of the line is wanted with it.
		if cut := bytes.LastIndexByte(b.head, '\n') + 1; cut > 0 {
			b.read -= int64(n - cut)
			b.head = b.head[:cut]
		}
	}
	if b.read == b.end {
		// All was read: the next lines wait in memory again.
		b.failed = errors.Join(b.failed, b.drop())
	}
}

// drop closes the file and removes it.
func (b *backlog) drop() error {
	if b.file == nil {
		return nil
	}
	err := errors.Join(b.file.Close(), os.Remove(b.file.Name()))
	b.file, b.read, b.end = nil, 0, 0
	return err
}

// cut leaves the last lines, as many as are asked for and of at most so many
// bytes. All that waited is kept in a file: cut returns its name and how many
// lines were left out.
func (b *backlog) cut(lines, most int) (left int, name string, err error) {
	from := b.read - int64(len(b.head))
	if b.file == nil {
		if b.file, err = b.open(); err != nil {
			return 0, "", err
		}
		if _, err = b.file.WriteAt(b.head, 0); err != nil {
			return 0, b.file.Name(), errors.Join(err, b.drop())
		}
		from, b.end = 0, int64(len(b.head))
	}
	start := max(from, b.end-int64(most))
	last := make([]byte, b.end-start)
	if _, err := b.file.ReadAt(last, start); err != nil && !errors.Is(err, io.EOF) {
		return 0, b.file.Name(), err
	}
	if start > from { // the first line is not whole
		last = last[bytes.IndexByte(last, '\n')+1:]
	}
	at := len(last)
	for ; lines > 0 && at > 0; lines-- {
		at = bytes.LastIndexByte(last[:at-1], '\n') + 1
	}
	last = last[at:]
	if left, err = countLines(io.NewSectionReader(b.file, from, b.end-int64(len(last))-from)); err != nil {
		return 0, b.file.Name(), err
	}
	name = b.file.Name()
	err = b.file.Close()
	b.head, b.file, b.read, b.end = last, nil, 0, 0
	return left, name, err
}

func countLines(r io.Reader) (n int, err error) {
	part := make([]byte, refill)
	for {
		k, err := r.Read(part)
		n += bytes.Count(part[:k], []byte{'\n'})
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}
