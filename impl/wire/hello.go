package wire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"sync"
)

// protocol is the version of frames and hellos. What the values look like is
// the schema's to tell.
const protocol = 3

// hello is the first frame in each direction. It is text, and its first line's
// form never changes, so that any two versions can tell that they differ.
type hello struct {
	protocol int
	// schema is a digest of every listed type: where it is equal, each end can
	// decode what the other encodes.
	schema string
	// build says which bst it is.
	build string
}

const helloForm = "bst-wire %d %s\n"

func (h hello) encode() []byte {
	return []byte(fmt.Sprintf(helloForm, h.protocol, h.schema) + h.build + "\n")
}

var errNoHello = errors.New("the other end does not speak bst's protocol")

func decodeHello(b []byte) (hello, error) {
	var h hello
	first, rest, ok := strings.Cut(string(b), "\n")
	if !ok {
		return h, errNoHello
	}
	if _, err := fmt.Sscanf(first+"\n", helloForm, &h.protocol, &h.schema); err != nil {
		return h, errNoHello
	}
	h.build, _, _ = strings.Cut(rest, "\n")
	return h, nil
}

// MismatchError says that the two ends are of different builds.
type MismatchError struct{ Ours, Theirs string }

func (e *MismatchError) Error() string {
	return "the other end is another build of bst (" + e.Theirs + ") than this one (" + e.Ours +
		"); was bst replaced while it ran? Start it again"
}

func (h hello) compare(theirs hello) error {
	if h == theirs {
		return nil
	}
	describe := func(h hello) string {
		return fmt.Sprintf("%s, protocol %d, schema %s", h.build, h.protocol, h.schema)
	}
	return &MismatchError{Ours: describe(h), Theirs: describe(theirs)}
}

// readHello reads the other end's hello and compares it.
func (h hello) read(from *frameReader) error {
	b, err := from.next(maxHello)
	var not *notFrameError
	switch {
	case errors.As(err, &not) || errors.Is(err, errEmptyFrame):
		return fmt.Errorf("%w: %w", errNoHello, err)
	case err != nil:
		return err
	}
	theirs, err := decodeHello(b)
	if err != nil {
		return err
	}
	return h.compare(theirs)
}

// PeekHello compares the hello that comes with this build's, and leaves it to be
// read. An error says that the other end is not to be spoken to.
func PeekHello(in *bufio.Reader) error {
	header, err := in.Peek(frameHeader)
	if err != nil {
		return err
	}
	n := int(binary.BigEndian.Uint32(header))
	if n > maxHello {
		return errNoHello
	}
	frame, err := in.Peek(frameHeader + n)
	if err != nil {
		return err
	}
	return own().read(&frameReader{from: bytes.NewReader(frame)})
}

func (h hello) write(to io.Writer) error {
	w := frameWriter{to: to}
	w.begin()
	w.buf = append(w.buf, h.encode()...)
	return w.end()
}

// build identifies this program, as far as the Go tool recorded it.
var build = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown build"
	}
	text := info.Main.Version
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			text += " " + s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			text += " modified"
		}
	}
	return text
})

// own is this program's.
func own() hello { return hello{protocol, schema, build()} }

// Identity says what a peer must be equal in to be spoken to: protocol, schema
// and build.
func Identity() string { return string(own().encode()) }
