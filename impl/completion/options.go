package completion

import (
	"path/filepath"
	"slices"
	"strings"

	"bst/impl/node"
	"bst/impl/project"
)

// Options gives the names of the project's options that begin with word, in the
// order of their declaration, each with its description behind a tab where it has
// one.
func Options(directory, word string) (words []string) {
	for _, o := range options(directory) {
		if !strings.HasPrefix(o.name, word) {
			continue
		}
		if d := strings.Join(strings.Fields(o.description), " "); d != "" {
			words = append(words, o.name+"\t"+d)
		} else {
			words = append(words, o.name)
		}
	}
	return words
}

// OptionValues gives what begins with word and may be the value of an option: of
// flags, of which there may be several, the one that is being typed, behind those
// that were; of a mask, elements.
func OptionValues(directory, option, word string) (words []string) {
	all := options(directory)
	i := slices.IndexFunc(all, func(o declared) bool { return o.name == option })
	if i < 0 {
		return nil
	}
	before, last := "", word
	values := all[i].values
	switch all[i].kind {
	case "bool":
		values = []string{"True", "False"}
	case "flags", "element-mask":
		if k := strings.LastIndexAny(word, ", "); k >= 0 {
			before, last = word[:k+1], word[k+1:]
		}
		if all[i].kind == "element-mask" {
			values = Elements(directory, last)
		}
	}
	for _, v := range values {
		if strings.HasPrefix(v, last) {
			words = append(words, before+v)
		}
	}
	return words
}

// declared is an option that project.conf declares.
type declared struct {
	name, kind, description string
	values                  []string
}

// mostFiles bounds the files that options are read from: project.conf, and what it
// includes of the project itself.
const mostFiles = 16

func options(directory string) (list []declared) {
	dir, _, err := project.Find(directory, nil)
	if err != nil {
		return nil
	}
	type file struct {
		name  string
		inner bool // it holds what is below options
	}
	files := []file{{name: "project.conf"}}
	include := func(n *node.Node, inner bool) {
		for _, name := range included(n) {
			if f := (file{name, inner}); !slices.Contains(files, f) {
				files = append(files, f)
			}
		}
	}
	for i := 0; i < len(files) && i < mostFiles; i++ {
		n, err := node.Load(filepath.Join(dir, filepath.FromSlash(files[i].name)), files[i].name)
		if err != nil {
			continue
		}
		include(n, files[i].inner)
		if !files[i].inner {
			if n = n.Get("options"); n == nil || n.Kind() != node.Mapping {
				continue
			}
			include(n, true)
		}
		for k, name := range n.Keys() {
			o := n.Items()[k]
			if o.Kind() != node.Mapping || slices.ContainsFunc(list, func(o declared) bool { return o.name == name }) {
				continue // of one that was included, what the includer says counts
			}
			d := declared{name: name, kind: o.Get("type").Text(), description: o.Get("description").Text()}
			d.values, _ = o.GetStrs("values") // none to offer
			list = append(list, d)
		}
	}
	return list
}

// included are the files of the project that a mapping includes.
func included(n *node.Node) (names []string) {
	list, err := n.GetStrs("(@)")
	if one, oneErr := n.GetStr("(@)", ""); err != nil && oneErr == nil {
		list = []string{one}
	}
	for _, name := range list {
		if filepath.IsLocal(name) && !strings.Contains(name, ":") {
			names = append(names, name)
		}
	}
	return names
}
