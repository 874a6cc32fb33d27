package report

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// page writes Markdown and keeps its first error.
type page struct {
	w   io.Writer
	err error
}

func (p *page) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

// table is a table whose first columns are text and whose others are figures.
type table struct {
	header []string
	text   int // the number of text columns
	rows   [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// table writes t, or nothing where it has no rows.
func (p *page) table(t *table) {
	if p.err != nil || len(t.rows) == 0 {
		return
	}
	align := make([]tw.Align, len(t.header))
	for i := range align {
		align[i] = tw.AlignRight
		if i < t.text {
			align[i] = tw.AlignLeft
		}
	}
	// The locale must not change a byte: ambiguous widths are narrow, always.
	w := tablewriter.NewTable(p.w,
		tablewriter.WithRenderer(renderer.NewMarkdown()),
		tablewriter.WithEastAsian(tw.Off),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithHeaderAlignmentConfig(tw.CellAlignment{PerColumn: align}),
		tablewriter.WithRowAlignmentConfig(tw.CellAlignment{PerColumn: align}),
	)
	w.Header(escape(t.header))
	var errs []error
	for _, row := range t.rows {
		errs = append(errs, w.Append(escape(row)))
	}
	p.err = errors.Join(append(errs, w.Render())...)
	p.printf("\n")
}

// escape keeps a cell's bars from ending it.
func escape(cells []string) []string {
	out := make([]string, len(cells))
	for i, cell := range cells {
		if own, ok := strings.CutPrefix(cell, "\x00"); ok {
			out[i] = own
			continue
		}
		out[i] = strings.ReplaceAll(escapeText(cell), "|", `\|`)
	}
	return out
}

// escapeText keeps text that comes from elsewhere from being markup: raw files
// are sent in by others.
func escapeText(text string) string {
	return strings.NewReplacer("<", "&lt;", "](", `]\(`).Replace(text)
}

// partFacts writes a part's facts whose keys have none of the prefixes.
func (p *page) partFacts(part *Part, without ...string) {
	t := &table{header: []string{"fact", "as detected"}, text: 2}
	for _, f := range part.Facts {
		if !slices.ContainsFunc(without, func(prefix string) bool { return strings.HasPrefix(f.Key, prefix) }) {
			t.add(f.Key, f.Value)
		}
	}
	p.table(t)
}

// links writes a table whose first column is made of links of our own.
func (p *page) links(t *table) {
	for i := range t.rows {
		t.rows[i][0] = "\x00" + t.rows[i][0]
	}
	p.table(t)
}
