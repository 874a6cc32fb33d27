package engine

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"bst/impl/element"
)

func brings(files ...string) func(string) bool {
	return func(f string) bool { return slices.Contains(files, f) }
}

func nobody(*element.Element, string) bool { return false }

var a, b = &element.Element{FullName: "a.bst"}, &element.Element{FullName: "b.bst"}

func TestOverlaps(t *testing.T) {
	for _, test := range []struct {
		name string
		run  func(o *overlaps) []warning
		want []warning
	}{{
		name: "no overlap, no warning",
		run: func(o *overlaps) []warning {
			s := o.begin("/", nobody)
			s.staged(a, brings("f"), nil, nil)
			s.staged(b, brings("g"), nil, nil)
			return o.end(s)
		},
	}, {
		name: "two elements bring the same file",
		run: func(o *overlaps) []warning {
			s := o.begin("", nobody)
			s.staged(a, brings("etc/f"), nil, nil)
			s.staged(b, brings("etc/f"), []string{"etc/f"}, nil)
			return o.end(s)
		},
		want: []warning{{"overlaps", "Non-whitelisted overlaps detected",
			"Staged files overwrite existing files in staging area: /\n" +
				"/etc/f: b.bst is not permitted to overlap other elements, order b.bst above a.bst \n"}},
	}, {
		name: "a whitelist lets it pass",
		run: func(o *overlaps) []warning {
			s := o.begin("/", func(e *element.Element, f string) bool { return e == b && f == "etc/f" })
			s.staged(a, brings("etc/f"), nil, nil)
			s.staged(b, brings("etc/f"), []string{"etc/f"}, nil)
			return o.end(s)
		},
	}, {
		name: "files that would replace a directory are named",
		run: func(o *overlaps) []warning {
			s := o.begin("/x", nobody)
			s.staged(a, brings("d/f"), nil, nil)
			s.staged(b, brings("d"), nil, []string{"d"})
			return o.end(s)
		},
		want: []warning{{"unstaged-files", "Not staging files which would have replaced non-empty directories",
			"Not staging files which would replace non-empty directories in staging area: /x\n\nFrom b.bst:\n  /x/d\n"}},
	}, {
		name: "a file of an earlier session at another place",
		run: func(o *overlaps) []warning {
			s := o.begin("/opt", nobody)
			s.staged(a, brings("f"), nil, nil)
			o.end(s)
			s = o.begin("/", nobody)
			s.staged(b, brings("opt/f"), []string{"opt/f"}, nil)
			return o.end(s)
		},
		want: []warning{{"overlaps", "Overlaps detected",
			"Detected file overlaps while staging elements into: /\n" +
				"/opt/f: b.bst overlaps files previously staged by a.bst in: /opt\n"}},
	}} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.run(new(overlaps)), cmpopts.EquateEmpty(), cmp.AllowUnexported(warning{})); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}
