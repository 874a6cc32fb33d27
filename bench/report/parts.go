package report

import (
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// Part is the record of one part's benchmark: of the codecs (bench/codecs) or of
// beginning a session (bench/spawn).
type Part struct {
	*File
	Results []Result
}

// Result is one line of it.
type Result struct {
	// Keys are the parts of its name, as in codec=json.
	Keys   map[string]string
	Round  int
	Values map[string]float64 // by unit, in base units
}

// kind is what the report on it is called: the file's name up to a dash.
func (p *Part) kind() string {
	kind, _, _ := strings.Cut(p.Name, "-")
	return kind
}

// goKind is the kind of records of `go test -bench`, which know no rounds.
const goKind = "go"

func readPart(name string, content []byte) (*Part, error) {
	p := &Part{File: newFile(name)}
	times := map[string]int{}
	err := p.scan(name, content, func(bench benchfmt.Name, round int, values map[string]float64) error {
		if p.kind() == goKind {
			// Each time that a benchmark was run is a round. The number of
			// processors is no part of its name.
			base, parts := bench.Parts()
			full := string(base)
			for _, part := range parts {
				if !strings.HasPrefix(string(part), "-") {
					full += string(part)
				}
			}
			times[full]++
			p.Results = append(p.Results, Result{Keys: map[string]string{"benchmark": full}, Round: times[full], Values: values})
			return nil
		}
		if round == 0 {
			return errBeforeRound
		}
		_, keys, err := keyValues(bench)
		p.Results = append(p.Results, Result{Keys: keys, Round: round, Values: values})
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(p.Results) == 0 {
		return nil, errNothing
	}
	return p, nil
}

// axis are the values of a key that occur, sorted.
func (p *Part) axis(key string) []string {
	var found []string
	for _, r := range p.Results {
		if v := r.Keys[key]; !slices.Contains(found, v) {
			found = append(found, v)
		}
	}
	slices.Sort(found)
	return found
}

// series are the values of the results with these keys, by round.
func (p *Part) series(unit string, keys map[string]string) series {
	s := series{}
	for _, r := range p.Results {
		if v, ok := r.Values[unit]; ok && within(r.Keys, keys) {
			s[r.Round] = v
		}
	}
	return s
}

func within(keys, wanted map[string]string) bool {
	for k, v := range wanted {
		if keys[k] != v {
			return false
		}
	}
	return true
}

// partGaps begins the list of what was not measured with the platforms that no part
// is from: each with the command that measures it, and what else is to be said of it.
func (p *page) partGaps(parts []*Part, kind string, besides map[string]string) {
	p.printf("## What was not measured\n\n")
	for _, name := range platforms {
		if !slices.ContainsFunc(parts, func(part *Part) bool { return part.Platform() == name }) {
			p.printf("- platform %[1]s. There, run: `bst-bench %[2]s -o reports/raw/parts/%[2]s-%[1]s.txt`%[3]s\n", name, kind, besides[name])
		}
	}
}

const partIntro = `Generated from raw/parts/%s*.txt by ` + "`bst-bench report`" + `; do not edit. A figure is the
median of its rounds with its 95 %% interval in brackets, where there are six rounds or
more; a ratio is worked out in each round and then summed up.

`
