package frontend

import (
	"fmt"
	"strings"
	"time"

	"github.com/rivo/uniseg"
)

// cell writes into a line of bounded width: what does not fit is cut between
// characters.
type cell struct {
	pen
	left int
}

func (c *cell) write(s style, text string) {
	if c.left <= 0 {
		return
	}
	w := width(text)
	if w > c.left {
		text = clip(text, c.left)
		w = c.left
	}
	c.pen.write(s, text)
	c.left -= w
}

func (c *cell) line() string {
	c.end()
	return string(c.buf)
}

// clip cuts text to a number of columns, between grapheme clusters.
func clip(text string, columns int) string {
	used, end, state := 0, 0, -1
	rest := text
	for rest != "" {
		var cluster string
		var w int
		cluster, rest, w, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if used+w > columns {
			break
		}
		used += w
		end += len(cluster)
	}
	return text[:end]
}

// Status draws the status area: lines that are at most columns-1 wide and at
// most rows-1 many, without newlines. It is empty where nothing runs.
func (m *Model) Status(now time.Time, columns, rows int) []string {
	limit := rows - 1
	if m.finished != nil || (len(m.jobs) == 0 && len(m.stages) == 0) || limit < 1 || columns < 2 {
		return nil
	}
	elapsed := m.clock.elapsed(now)
	// A terminal may wrap early at its last column.
	columns--
	lines := make([]string, 0, 8)
	lines = append(lines, m.titleLine(elapsed, columns))
	if len(m.queues) > 0 && len(lines) < limit {
		lines = append(lines, m.queueLine(columns))
	}
	if m.cache != nil && len(lines) < limit-1 {
		lines = append(lines, m.cacheLine(columns))
	}
	return append(lines, m.jobLines(elapsed, columns, limit-len(lines))...)
}

func (m *Model) titleLine(elapsed time.Duration, columns int) string {
	text := func(c *cell) {
		timeCodeCell(c, elapsed)
		if m.heading == nil {
			return
		}
		c.write(content, " "+oneLine(m.heading.Project))
		c.write(format, " (")
		c.write(content, itoa(m.heading.SessionElements))
		c.write(format, "/")
		c.write(content, itoa(m.heading.TotalElements))
		c.write(format, ")")
	}
	return m.centered(text, columns, "=")
}

func (m *Model) queueLine(columns int) string {
	return m.centered(func(c *cell) {
		for i, q := range m.queues {
			if i > 0 {
				c.write(format, "→ ")
			}
			c.write(format, "(")
			c.write(content, q.complete)
			c.write(format, ":")
			c.write(success, itoa(q.processed))
			c.write(plain, " ")
			c.write(content, itoa(q.skipped))
			c.write(plain, " ")
			c.write(failure, itoa(q.failed))
			c.write(format, ")")
		}
	}, columns, " ")
}

func (m *Model) cacheLine(columns int) string {
	s := success
	usage := prettySize(m.cache.Used) + " / infinity"
	if m.cache.Quota > 0 {
		percent := m.cache.Used * 100 / m.cache.Quota
		usage = fmt.Sprintf("%s / %s (%d%%)", prettySize(m.cache.Used), prettySize(m.cache.Quota), percent)
		switch {
		case percent >= 95:
			s = failure
		case percent >= 80:
			s = content
		}
	}
	return m.centered(func(c *cell) {
		c.write(format, "~~~~~~ ")
		c.write(content, "cache")
		c.write(format, ": ")
		c.write(s, usage)
		c.write(format, " ~~~~~~")
	}, columns, " ")
}

// prettySize writes bytes as the reference does: 44.2G.
func prettySize(n int64) string {
	value, units := float64(n), []string{"", "K", "M", "G", "T"}
	i := 0
	for value >= 1024 && i < len(units)-1 {
		value /= 1024
		i++
	}
	text := fmt.Sprintf("%.1f", value)
	if i == 0 || value >= 100 {
		text = fmt.Sprintf("%.0f", value)
	}
	return strings.TrimSuffix(text, ".0") + units[i]
}

// centered draws text in the middle of a line, between rows of fill.
func (m *Model) centered(text func(*cell), columns int, fill string) string {
	measure := cell{left: 1 << 20}
	text(&measure)
	side := max(columns-(1<<20-measure.left)-2, 0) / 2
	c := cell{pen: pen{color: m.opts.Color}, left: columns}
	if fill == " " {
		c.write(plain, strings.Repeat(" ", min(side+1, columns)))
		text(&c)
		return c.line()
	}
	if side > 0 {
		c.write(format, strings.Repeat(fill, side)+" ")
	}
	text(&c)
	if side > 0 {
		c.write(format, " "+strings.Repeat(fill, side))
	}
	return c.line()
}

// activity is a running job or step, as it is drawn.
type activity struct {
	at                   time.Duration
	label, name, measure string
}

func (a *activity) size() int {
	n := len("[00:00:00][]") + width(a.label)
	if a.name != "" {
		n += 1 + width(a.name)
	}
	if a.measure != "" {
		n += 1 + len(a.measure)
	}
	return n
}

func (m *Model) activities() []activity {
	list := make([]activity, 0, len(m.stages)+len(m.jobs))
	for i := range m.stages {
		s := &m.stages[i]
		list = append(list, activity{at: s.at, label: oneLine(s.name), measure: progress(s.current, s.total)})
	}
	for _, j := range m.jobs {
		list = append(list, activity{at: j.at, label: oneLine(j.action), name: oneLine(j.element), measure: progress(j.current, j.total)})
	}
	return list
}

func progress(current, total int) string {
	switch {
	case total > 0:
		return itoa(current) + "/" + itoa(total)
	case current > 0:
		return itoa(current)
	}
	return ""
}

// jobLines draws the activities in as many columns as fit. Those for which the
// screen has no room are counted on the last line.
func (m *Model) jobLines(elapsed time.Duration, columns, limit int) []string {
	list := m.activities()
	if limit < 1 || len(list) == 0 {
		return nil
	}
	sizes := make([]int, len(list))
	for i := range list {
		sizes[i] = list[i].size()
	}
	across, widths := columnsThatFit(sizes, columns)
	rows := (len(list) + across - 1) / across
	hidden := 0
	if rows > limit {
		rows = limit
		if limit > 1 {
			rows--
		}
		hidden = len(list) - rows*across
	}
	lines := make([]string, 0, rows+1)
	for r := range rows {
		c := cell{pen: pen{color: m.opts.Color}, left: columns}
		for i := r * across; i < min((r+1)*across, len(list)); i++ {
			column := i - r*across
			if column > 0 {
				c.write(plain, " ")
			}
			a := &list[i]
			c.write(format, "[")
			timeCodeCell(&c, max(elapsed-a.at, 0))
			c.write(format, "][")
			c.write(content, a.label)
			if a.name != "" {
				c.write(format, ":")
				c.write(content, a.name)
			}
			if a.measure != "" {
				c.write(format, ":")
				c.write(content, a.measure)
			}
			if pad := widths[column] - sizes[i]; pad > 0 && across > 1 {
				c.write(plain, strings.Repeat(" ", pad))
			}
			c.write(format, "]")
		}
		lines = append(lines, c.line())
	}
	if hidden > 0 && limit > 1 {
		c := cell{pen: pen{color: m.opts.Color}, left: columns}
		c.write(format, "and "+itoa(hidden)+" more")
		lines = append(lines, c.line())
	}
	return lines
}

// columnsThatFit finds the largest number of columns whose widths, with a blank
// between them, stay within the line.
func columnsThatFit(sizes []int, limit int) (int, []int) {
	smallest := sizes[0]
	for _, s := range sizes {
		smallest = min(smallest, s)
	}
	for n := min(len(sizes), limit/smallest+1); n > 1; n-- {
		widths := make([]int, n)
		for i, s := range sizes {
			widths[i%n] = max(widths[i%n], s)
		}
		total := n - 1
		for _, w := range widths {
			total += w
		}
		if total <= limit {
			return n, widths
		}
	}
	return 1, []int{0}
}

// timeCodeCell is timeCode within a bounded line.
func timeCodeCell(c *cell, d time.Duration) {
	seconds := int(d / time.Second)
	for i, n := range [...]int{seconds / 3600, seconds / 60 % 60, seconds % 60} {
		if i > 0 {
			c.write(format, ":")
		}
		c.write(content, zeroPadded(n, 2))
	}
}
