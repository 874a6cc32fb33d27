package all

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bst/impl/kind"

	"github.com/google/go-cmp/cmp"
)

// docs/kinds.md names every kind that there is, and no other, and says which
// sources report where they come from.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile("../../../docs/kinds.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n## Elements\n")
	elements, rest, _ := strings.Cut(rest, "\n## Sources\n")
	sources, _, _ := strings.Cut(rest, "\n##") // other tables follow under headings below it

	var want []string
	for _, traits := range Elements() {
		want = append(want, traits.Kind)
	}
	compare(t, want, listed(elements, func([]string) string { return "" }))
	want = nil
	for _, traits := range Sources() {
		_, informs := traits.New().(kind.Informer)
		want = append(want, traits.Kind+map[bool]string{true: " yes", false: " no"}[informs])
	}
	compare(t, want, listed(sources, func(row []string) string { return " " + row[5] }))
}

func compare(t *testing.T, want, got []string) {
	t.Helper()
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("-code +docs/kinds.md", diff)
	}
}

var name = regexp.MustCompile(`[a-z0-9_]+`)

// listed are the kinds in a table's first column, with what more says of a row.
func listed(table string, more func(row []string) string) []string {
	var kinds []string
	for line := range strings.Lines(table) {
		row := strings.Split(line, "|")
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		if len(row) < 3 || row[1] == "Kind" || strings.HasPrefix(row[1], "-") {
			continue
		}
		for _, kindName := range name.FindAllString(row[1], -1) {
			kinds = append(kinds, kindName+more(row))
		}
	}
	return kinds
}
