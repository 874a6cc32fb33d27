// Package completion finds the elements that begin with what a person has typed.
//
// It is asked while somebody waits for a key's echo, so it loads no project: it
// reads the element path off project.conf, lists one folder, and follows a
// junction only into what lies on the disk already. It knows where things lie and
// nothing of what they mean; a word that it offers may still be refused.
package completion

import (
	"os"
	"path/filepath"
	"sort"
	"strings"

	"bst/impl/node"
	"bst/impl/project"
)

const (
	// most bounds the words that are offered.
	most = 5000
	// mostRead bounds the elements that are read to see whether they are junctions.
	mostRead = 16
	// deepest bounds the junctions in one name.
	deepest = 16
	suffix  = ".bst"
)

// place is a project on the disk.
type place struct {
	top string // the toplevel project's directory
	dir string // of its project.conf
	// junction is the full name of the junction that leads here.
	junction string
}

// Elements gives the names that begin with word, sorted: elements, folders of
// them with a slash, and junctions with a colon, behind which a name can go on.
// directory is where the project is looked for, upwards. Where something is
// missing or wrong, there is nothing to offer.
func Elements(directory, word string) []string {
	dir, _, err := project.Find(directory, nil)
	if err != nil {
		return nil
	}
	at := place{top: dir, dir: dir}
	parts := strings.Split(word, ":")
	if len(parts) > deepest {
		return nil
	}
	for _, name := range parts[:len(parts)-1] {
		next, ok := at.cross(name)
		if !ok {
			return nil
		}
		at = next
	}
	prefix := strings.Join(parts[:len(parts)-1], ":")
	if prefix != "" {
		prefix += ":"
	}
	words := at.list(parts[len(parts)-1])
	for i := range words {
		words[i] = prefix + words[i]
	}
	sort.Strings(words)
	return words
}

// elements is the folder of the place's elements; "" where there is none.
func (p place) elements() string {
	conf := filepath.Join(p.dir, "project.conf")
	n, err := node.Load(conf, conf)
	if err != nil {
		return ""
	}
	path, err := n.GetStr("element-path", ".")
	if err != nil || !filepath.IsLocal(path) {
		return ""
	}
	return filepath.Join(p.dir, filepath.FromSlash(path))
}

// list gives what begins with word in the folder that the word is in.
func (p place) list(word string) []string {
	folder, begin := "", word
	if i := strings.LastIndexByte(word, '/'); i >= 0 {
		folder, begin = word[:i+1], word[i+1:]
	}
	root := p.elements()
	if root == "" || folder != "" && !filepath.IsLocal(folder) {
		return nil
	}
	entries, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(folder)))
	if err != nil {
		return nil
	}
	var words, files []string
	for _, e := range entries {
		name := e.Name()
		switch {
		case !strings.HasPrefix(name, begin), strings.HasPrefix(name, "."), len(words) == most:
		case isDir(filepath.Join(root, filepath.FromSlash(folder), name), e):
			words = append(words, folder+name+"/")
		case strings.HasSuffix(name, suffix):
			words, files = append(words, folder+name), append(files, folder+name)
		}
	}
	if len(files) <= mostRead {
		for _, name := range files {
			if n := p.read(name); n != nil && kind(n) == "junction" {
				words = append(words, name+":")
			}
		}
	}
	return words
}

// isDir follows symbolic links.
func isDir(path string, e os.DirEntry) bool {
	if e.Type()&os.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// read reads an element; nil where it cannot be.
func (p place) read(name string) *node.Node {
	root := p.elements()
	if root == "" || !filepath.IsLocal(name) {
		return nil
	}
	path := filepath.Join(root, filepath.FromSlash(name))
	n, err := node.Load(path, path)
	if err != nil {
		return nil
	}
	return n
}

func kind(n *node.Node) string {
	k, err := n.GetStr("kind", "")
	if err != nil {
		return ""
	}
	return k
}

// cross gives the project behind a junction, or a link to one.
func (p place) cross(name string) (place, bool) {
	for range deepest {
		n := p.read(name)
		if n == nil {
			return place{}, false
		}
		config, err := n.GetMapping("config")
		if err != nil {
			return place{}, false
		}
		switch kind(n) {
		case "junction":
			return p.behind(name, n, config)
		case "link":
			if config == nil {
				return place{}, false
			}
			target, err := config.GetStr("target", "")
			if err != nil || strings.Contains(target, ":") {
				return place{}, false
			}
			name = target
		default:
			return place{}, false
		}
	}
	return place{}, false
}

// behind gives the project that a junction leads to, where it is on the disk.
func (p place) behind(name string, n, config *node.Node) (place, bool) {
	next := place{top: p.top, junction: name}
	if p.junction != "" {
		next.junction = p.junction + ":" + name
	}
	sub := ""
	if config != nil {
		var err error
		if sub, err = config.GetStr("path", ""); err != nil || sub != "" && !filepath.IsLocal(sub) {
			return place{}, false
		}
	}
	root := p.local(n)
	if root == "" {
		root = newest(filepath.Join(p.top, ".bst", "staged-junctions", filepath.FromSlash(next.junction)))
	}
	if root == "" {
		return place{}, false
	}
	next.dir = filepath.Join(root, filepath.FromSlash(sub))
	return next, true
}

// local is the folder of a junction whose one source is local.
func (p place) local(n *node.Node) string {
	list := n.Get("sources")
	if list == nil || list.Kind() != node.Sequence || list.Len() != 1 {
		return ""
	}
	source := list.Items()[0]
	if source.Kind() != node.Mapping || kind(source) != "local" {
		return ""
	}
	path, err := source.GetStr("path", "")
	if err != nil || !filepath.IsLocal(path) {
		return ""
	}
	return filepath.Join(p.dir, filepath.FromSlash(path))
}

// newest is the folder that was changed last.
func newest(dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	found, when := "", int64(-1)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && e.IsDir() && !strings.HasPrefix(e.Name(), ".") && info.ModTime().UnixNano() > when {
			found, when = filepath.Join(dir, e.Name()), info.ModTime().UnixNano()
		}
	}
	return found
}
