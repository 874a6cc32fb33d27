package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ulikunitz/xz"
)

// maxLine bounds a line of the facts, in bytes: pre-images are long.
const maxLine = 16 << 20

// readPairs reads lines of a name and a key with a space between.
func readPairs(r io.Reader) (names []string, keys map[string]string, err error) {
	keys = map[string]string{}
	err = eachLine(r, func(line string) error {
		i := strings.LastIndexByte(line, ' ')
		if i < 0 {
			return fmt.Errorf("no key in the line %q", line)
		}
		name, key := line[:i], line[i+1:]
		if _, twice := keys[name]; !twice {
			names = append(names, name)
		}
		keys[name] = key
		return nil
	})
	return names, keys, err
}

// tree is a project of several, and the keys of its elements.
type tree struct {
	dir      string
	elements []keyed
}

// keyed is an element and its key. The facts have some twice, once for each
// link that led to it.
type keyed struct{ name, key string }

// readTrees reads lines of a folder, an element and its key with tabs between.
func readTrees(r io.Reader) ([]*tree, error) {
	var trees []*tree
	byDir := map[string]*tree{}
	err := eachLine(r, func(line string) error {
		fields := strings.Split(line, "\t")
		if len(fields) != 3 {
			return fmt.Errorf("no folder, element and key in the line %q", line)
		}
		t := byDir[fields[0]]
		if t == nil {
			t = &tree{dir: fields[0]}
			byDir[t.dir] = t
			trees = append(trees, t)
		}
		t.elements = append(t.elements, keyed{fields[1], fields[2]})
		return nil
	})
	return trees, err
}

// readPreimages reads what was hashed for keys, of those that are wanted.
func readPreimages(path string, wanted func(key string) bool) (map[string]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := xz.NewReader(bufio.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	texts := map[string]string{}
	err = eachLine(content, func(line string) error {
		key, text, ok := strings.Cut(line, "\t")
		if ok && wanted(key) {
			texts[key] = text
		}
		return nil
	})
	return texts, err
}

func eachLine(r io.Reader, f func(string) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	for lines.Scan() {
		if lines.Text() == "" {
			continue
		}
		if err := f(lines.Text()); err != nil {
			return err
		}
	}
	return lines.Err()
}
