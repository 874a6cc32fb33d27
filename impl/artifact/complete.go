package artifact

import (
	"os"
	"path/filepath"
	"strings"

	"bst/impl/reffile"
)

// mostCompleted bounds the names that are offered.
const mostCompleted = 5000

// Complete gives the names of artifacts in <cachedir>/artifacts/refs that begin
// with word, a folder at a time: what can go on ends with a slash. Where there
// is nothing to read there is nothing to offer.
func Complete(cacheDir, word string) []string {
	folder, begin := "", word
	if i := strings.LastIndexByte(word, '/'); i >= 0 {
		folder, begin = word[:i+1], word[i+1:]
	}
	if folder != "" && !filepath.IsLocal(folder) {
		return nil
	}
	entries, err := os.ReadDir(filepath.Join(cacheDir, "artifacts", "refs", filepath.FromSlash(folder)))
	if err != nil {
		return nil
	}
	var words []string
	for _, e := range entries {
		switch name := e.Name(); {
		case !strings.HasPrefix(name, begin), reffile.Hidden(name), len(words) == mostCompleted:
		case e.IsDir():
			words = append(words, folder+name+"/")
		case e.Type().IsRegular():
			words = append(words, folder+name)
		}
	}
	return words
}
