package frontend

import (
	"strings"
	"time"
)

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
		n += 1 + width(a.measure)
	}
	return n
}

// fit drops what matters least where an activity is wider than the line: what a
// job does or how far it is, on a narrow screen also which action it is. A step has
// no more than its name and a count.
func (a *activity) fit(columns int) {
	if a.name == "" || a.size() <= columns {
		return
	}
	a.measure = ""
	if columns < narrow && a.size() > columns {
		a.label, a.name = a.name, ""
	}
}

// activities are the steps that are under way and the jobs that have run for a
// while, the oldest first.
func (m *Model) activities(elapsed time.Duration) []activity {
	list := make([]activity, 0, len(m.stages)+len(m.jobs))
	for i := range m.stages {
		s := &m.stages[i]
		list = append(list, activity{at: s.at, label: oneLine(s.name), measure: progress(s.current, s.total, itoa)})
	}
	for _, j := range m.jobs {
		if elapsed-j.at >= settled {
			a := activity{at: j.at, label: oneLine(j.action), name: oneLine(j.element), measure: progress(j.current, j.total, j.unit())}
			if a.measure == "" {
				a.measure = oneLine(j.step)
			}
			list = append(list, a)
		}
	}
	return list
}

// progress is how much of something there is, as write writes numbers.
func progress(current, total int, write func(int) string) string {
	switch {
	case total > 0:
		return write(current) + "/" + write(total)
	case current > 0:
		return write(current)
	}
	return ""
}

// unit writes what a job counts.
func (j *job) unit() func(int) string {
	if j.bytes {
		return func(n int) string { return prettySize(int64(n)) }
	}
	return itoa
}

// jobLines draws the activities in as many columns as fit. Those for which the
// screen has no room are counted on the last line.
func (m *Model) jobLines(list []activity, elapsed time.Duration, columns, limit int) []string {
	if limit < 1 || len(list) == 0 {
		return nil
	}
	if limit == 1 && len(list) > 1 {
		// There is no line for the number of those that are not shown.
		if line, ok := m.oneJobLine(list, elapsed, columns); ok {
			return []string{line}
		}
	}
	sizes := make([]int, len(list))
	for i := range list {
		list[i].fit(columns)
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
		c := newCell(m.opts.Color, columns)
		for i := r * across; i < min((r+1)*across, len(list)); i++ {
			column := i - r*across
			if column > 0 {
				c.write(plain, " ")
			}
			list[i].write(&c, elapsed)
			if pad := widths[column] - sizes[i]; pad > 0 && column < across-1 && i < len(list)-1 {
				c.write(plain, strings.Repeat(" ", pad))
			}
		}
		lines = append(lines, c.line())
	}
	if hidden > 0 && limit > 1 {
		c := newCell(m.opts.Color, columns)
		c.write(format, "and "+itoa(hidden)+" more")
		lines = append(lines, c.line())
	}
	return lines
}

// oneJobLine draws the oldest activity, and says how many more there are. ok is
// false where the line is too narrow for both, or all fit.
func (m *Model) oneJobLine(list []activity, elapsed time.Duration, columns int) (line string, ok bool) {
	all := len(list) - 1
	for i := range list {
		all += list[i].size()
	}
	more := " and " + itoa(len(list)-1) + " more"
	if all <= columns || columns < narrow {
		return "", false
	}
	c := newCell(m.opts.Color, columns-len(more))
	list[0].fit(c.left)
	list[0].write(&c, elapsed)
	line = c.line()
	c = newCell(m.opts.Color, len(more))
	c.write(format, more)
	return line + c.line(), true
}

func (a *activity) write(c *cell, elapsed time.Duration) {
	c.write(format, "[")
	timeCodeCell(c, max(elapsed-a.at, 0))
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
	c.write(format, "]")
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
