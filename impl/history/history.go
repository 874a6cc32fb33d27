// Package history remembers how long tasks took, for estimates of how long they
// will take again.
//
// It knows names and durations. It does not know what a task is, nor what is
// made of an estimate. What it keeps is a hint: it may be deleted at any time,
// and two sessions that end at once keep what either of them saw.
package history

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"bst/impl/patient"
)

const (
	// heading is the file's first line.
	heading = "bst durations 1"
	// most is how many tasks are remembered: those that ran last. It is more
	// than a session has but for all of Debian, and some 2 MB.
	most = 1 << 15
	// longestLine bounds what is read as one line, in bytes.
	longestLine = 4096
)

// Key names a task.
type Key struct{ Project, Element, Action string }

// History is how long tasks took. It is not safe for concurrent use.
type History struct {
	path string
	took map[Key]time.Duration
	// order has the keys of the file, the ones that ran last first.
	order []Key
	// fresh has the keys of this session, in the order in which they ended.
	fresh []Key
	seen  map[Key]bool
}

// Load reads a file. One that is not there is empty; so is one that another
// version wrote. Lines that are damaged are left out.
func Load(path string) (*History, error) {
	h := &History{path: path, took: make(map[Key]time.Duration), seen: make(map[Key]bool)}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return h, nil
	}
	if err != nil {
		return h, err
	}
	defer f.Close()
	return h, h.read(f)
}

func (h *History) read(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestLine)
	if !lines.Scan() || lines.Text() != heading {
		return lines.Err()
	}
	for lines.Scan() && len(h.order) < most {
		if key, took, ok := parse(lines.Text()); ok {
			if _, twice := h.took[key]; !twice {
				h.took[key] = took
				h.order = append(h.order, key)
			}
		}
	}
	return lines.Err()
}

// parse reads a line: milliseconds, action, project, element.
func parse(line string) (Key, time.Duration, bool) {
	fields := strings.Split(line, "\t")
	if len(fields) != 4 {
		return Key{}, 0, false
	}
	ms, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil || ms < 0 || ms > int64(365*24*time.Hour/time.Millisecond) {
		return Key{}, 0, false
	}
	return Key{Action: fields[1], Project: fields[2], Element: fields[3]}, time.Duration(ms) * time.Millisecond, true
}

// Expect is how long a task took, and whether that is known.
func (h *History) Expect(k Key) (time.Duration, bool) {
	took, ok := h.took[k]
	return took, ok
}

// Record takes in how long a task took just now. It counts as much as all the
// times before together: what a machine has to do changes, and so do elements.
func (h *History) Record(k Key, took time.Duration) {
	if strings.ContainsAny(k.Project+k.Action+k.Element, "\t\n") || len(k.Project)+len(k.Action)+len(k.Element) > longestLine/2 {
		return
	}
	if before, ok := h.took[k]; ok {
		took = (before + took) / 2
	}
	h.took[k] = took
	if !h.seen[k] {
		h.seen[k] = true
		h.fresh = append(h.fresh, k)
	}
}

// Save writes what was recorded, before what the file has by now. A reader sees
// the file as it was or as it will be.
func (h *History) Save() error {
	if len(h.fresh) == 0 {
		return nil
	}
	now, err := Load(h.path)
	if err != nil {
		now = h // it cannot be read: it is made anew
	}
	var b bytes.Buffer
	b.WriteString(heading + "\n")
	n := 0
	put := func(k Key, took time.Duration) {
		if n < most {
			fmt.Fprintf(&b, "%d\t%s\t%s\t%s\n", took.Milliseconds(), k.Action, k.Project, k.Element)
			n++
		}
	}
	for i := len(h.fresh) - 1; i >= 0; i-- {
		put(h.fresh[i], h.took[h.fresh[i]])
	}
	for _, k := range now.order {
		if !h.seen[k] {
			put(k, now.took[k])
		}
	}
	return patient.WriteFile(h.path, b.Bytes(), 0o600, patient.Unsynced)
}
