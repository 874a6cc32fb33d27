package inner

import (
	"errors"
	"os"
	"strconv"
	"unicode/utf8"
)

// Recipe is what the process does. It crosses as a file.
type Recipe struct {
	// Work is the folder that relative paths of the host start at.
	Work string
	// OwnMounts says that the process was born in mount and pid namespaces.
	OwnMounts bool
	// Overlay are the options of an overlay that is mounted on Target, a path
	// below Work; "" for none.
	Overlay, Target string
	// Batch says that BatchFD is the command's.
	Batch bool
	// Program is bubblewrap's path, Args are its arguments, its own name included.
	Program string
	Args    []string
}

// magic begins a recipe's file, so that another file is not taken for one.
const magic = "bst sandbox 1"

// Write stores the recipe in a file, readable by its owner alone. None of its texts
// may have a byte of value zero: neither paths nor arguments can.
func (r *Recipe) Write(path string) error {
	flag := func(b bool) string {
		if b {
			return "1"
		}
		return "0"
	}
	parts := append([]string{magic, r.Work, flag(r.OwnMounts), r.Overlay, r.Target, flag(r.Batch), r.Program, strconv.Itoa(len(r.Args))}, r.Args...)
	n := 0
	for _, p := range parts {
		for i := range len(p) {
			if p[i] == 0 {
				return errors.New("a path, an argument or a variable of the command has a byte of value zero")
			}
		}
		n += len(p) + 1
	}
	b := make([]byte, 0, n)
	for _, p := range parts {
		b = append(append(b, p...), 0)
	}
	return os.WriteFile(path, b, 0o600)
}

func read(path string) (*Recipe, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var parts []string // each ends with a zero
	for from, at := 0, 0; at < len(b); at++ {
		if b[at] == 0 {
			parts = append(parts, string(b[from:at]))
			from = at + 1
		}
	}
	const fixed = 8
	if len(parts) <= fixed || parts[0] != magic || parts[fixed-1] != strconv.Itoa(len(parts)-fixed) || b[len(b)-1] != 0 {
		return nil, errors.New(path + " is not the whole recipe of a sandbox")
	}
	return &Recipe{
		Work: parts[1], OwnMounts: parts[2] == "1", Overlay: parts[3], Target: parts[4], Batch: parts[5] == "1",
		Program: parts[6], Args: parts[fixed:],
	}, nil
}

// report is a line for StatusFD. (encoding/json would be most of what this process
// initialises.)
func report(mount bool, text string) []byte {
	b := []byte(`{"bst-error":"`)
	const hex = "0123456789abcdef"
	for _, c := range text { // what is not UTF-8 becomes U+FFFD
		switch {
		case c < ' ' || c == '"' || c == '\\' || c == 0x7f:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		default:
			b = utf8.AppendRune(b, c)
		}
	}
	b = append(b, `","bst-mount":`...)
	if mount {
		return append(b, "true}\n"...)
	}
	return append(b, "false}\n"...)
}
