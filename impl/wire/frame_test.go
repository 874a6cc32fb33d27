package wire

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"bst/impl/stream"
)

func frameOf(t testing.TB, payload []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := frameWriter{to: &out}
	w.begin()
	w.buf = append(w.buf, payload...)
	if err := w.end(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestFramesArrive(t *testing.T) {
	var all []byte
	sizes := []int{1, 2, softFrame - 1, softFrame, softFrame + 1, 5 * softFrame, 3, 1 << 20, 1}
	for _, n := range sizes {
		all = append(all, frameOf(t, bytes.Repeat([]byte{byte(n)}, n))...)
	}
	for name, from := range map[string]io.Reader{
		"at once":  bytes.NewReader(all),
		"in bytes": iotest.OneByteReader(bytes.NewReader(all)),
	} {
		r := frameReader{from: from}
		for _, n := range sizes {
			got, err := r.next(maxFrame)
			if err != nil {
				t.Fatal(name, err)
			}
			if !bytes.Equal(got, bytes.Repeat([]byte{byte(n)}, n)) {
				t.Errorf("%s: the frame of %d bytes is another", name, n)
			}
		}
		if _, err := r.next(maxFrame); err != io.EOF {
			t.Errorf("%s: error %v at the end", name, err)
		}
	}
}

func TestBrokenFrames(t *testing.T) {
	whole := frameOf(t, []byte("0123456789"))
	for n := 1; n < len(whole); n++ {
		if _, err := (&frameReader{from: bytes.NewReader(whole[:n])}).next(maxFrame); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut at %d: error %v", n, err)
		}
	}
	if _, err := (&frameReader{from: bytes.NewReader(make([]byte, 4))}).next(maxFrame); err == nil {
		t.Error("an empty frame was accepted")
	}
	// The claim of a length alone costs no memory.
	r := frameReader{from: bytes.NewReader([]byte{0, 255, 255, 255, 1})}
	if _, err := r.next(maxFrame); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
	if cap(r.buf) > 2*softFrame {
		t.Errorf("%d bytes were taken for a frame that never came", cap(r.buf))
	}
	var out bytes.Buffer
	w := frameWriter{to: &out}
	w.begin()
	w.buf = append(w.buf, make([]byte, maxFrame+1)...)
	if err := w.end(); err == nil || out.Len() > 0 {
		t.Errorf("a frame above the bound: error %v, %d bytes written", err, out.Len())
	}
}

func TestHello(t *testing.T) {
	ours := own()
	read := func(b []byte) error { return ours.read(&frameReader{from: bytes.NewReader(b)}) }
	if err := read(frameOf(t, ours.encode())); err != nil {
		t.Errorf("our own hello: %v", err)
	}
	other := ours
	other.protocol++
	other.build = "v9.9.9"
	var mismatch *MismatchError
	if err := read(frameOf(t, other.encode())); !errors.As(err, &mismatch) {
		t.Errorf("another version's hello: %v", err)
	} else if text := err.Error(); !strings.Contains(text, "v9.9.9") || !strings.Contains(text, ours.build) {
		t.Errorf("%q does not name both builds", text)
	}
	// A later version may say more.
	if err := read(frameOf(t, append(ours.encode(), "more\n"...))); err != nil {
		t.Errorf("a hello that says more: %v", err)
	}
	for _, text := range []string{"panic: runtime error", "Usage: bst [OPTIONS]", "\x00\x00\x00\x00", "\x00\x00\x00\x05hello"} {
		if err := read([]byte(text)); !errors.Is(err, errNoHello) {
			t.Errorf("%q: error %v", text, err)
		}
	}
	if err := read(nil); err != io.EOF {
		t.Errorf("nothing: error %v", err)
	}
}

// FuzzDecode: whatever arrives ends in values or an error, and values that
// arrived can be sent again.
func FuzzDecode(f *testing.F) {
	tab := testTables(f)
	add := func(values ...any) {
		var out bytes.Buffer
		w := frameWriter{to: &out}
		w.begin()
		for _, v := range values {
			if err := w.add(tab, v); err != nil {
				f.Fatal(err)
			}
		}
		if err := w.end(); err != nil {
			f.Fatal(err)
		}
		f.Add(out.Bytes())
	}
	add(mix()...)
	add(&stream.Show{Targets: []string{"a.bst"}, Session: stream.Session{Settings: stream.Settings{
		Options: map[string]string{"a": "b"}, Projects: map[string]stream.ProjectSettings{"p": {Options: map[string]string{"c": "d"}}},
	}}})
	add(&stream.Finished{Error: &stream.Error{Message: "m"}, Summary: &stream.Summary{Failures: []stream.ElementFailure{{Element: "e"}}}})
	f.Add([]byte{0, 0, 0, 2, 64, 0x9b})
	f.Fuzz(func(t *testing.T, data []byte) {
		r := frameReader{from: bytes.NewReader(data)}
		for {
			frame, err := r.next(maxFrame)
			if err != nil {
				return
			}
			_ = tab.readFrame(frame, func(value any, _ int) error {
				var again bytes.Buffer
				if err := appendTo(tab, &again, value); err != nil {
					t.Fatalf("%#v arrived and cannot be sent: %v", value, err)
				}
				return nil
			})
		}
	})
}
