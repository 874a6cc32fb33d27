package frontend

import (
	"fmt"
	"strings"
	"time"

	"github.com/rivo/uniseg"

	"bst/impl/stream"
)

// What bounds the status area, beside the screen.
const (
	// maxArea is how many lines it has at most: more is not read, and costs.
	maxArea = 16
	// settled is how long a task runs before it has a place of its own: names
	// that come and go ten times a second cannot be read.
	settled = time.Second
	// widestBar and narrowestBar are the progress bar's width, in columns.
	widestBar, narrowestBar = 24, 8
	// narrow is how many columns a line needs for names and what is beside them.
	narrow = 40
)

// cell writes into a line of bounded width: what does not fit is cut between
// characters, and cutMark tells so.
type cell struct {
	pen
	left int

	cut      bool
	markable bool // there is room for cutMark after the first markAt bytes
	markAt   int
	markLook style
}

// cutMark stands where text is missing: a number that is cut short would be
// another number.
const cutMark = "..."

func newCell(colors bool, columns int) cell {
	return cell{pen: pen{color: colors}, left: columns}
}

func (c *cell) write(s style, text string) {
	if c.cut || text == "" {
		return
	}
	w := width(text)
	if room := c.left - len(cutMark); !c.markable && room >= 0 && w > room {
		head := clip(text, room)
		c.put(s, head, width(head))
		c.markable, c.markAt, c.markLook = true, len(c.buf), c.cur
		text = text[len(head):]
		w = width(text)
	}
	if w > c.left {
		c.cut = true
		text = clip(text, c.left)
		w = width(text)
	}
	c.put(s, text, w)
}

func (c *cell) put(s style, text string, w int) {
	c.pen.write(s, text)
	c.left -= w
}

func (c *cell) line() string {
	if c.cut && c.markable {
		c.buf, c.cur = c.buf[:c.markAt], c.markLook
		c.pen.write(c.cur, cutMark)
	}
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
// most rows-1 many, without newlines. It is empty where nothing runs, but for the
// moments between two tasks: else it would come and go with each. Where the first
// task is long in coming, as with tens of thousands of elements, it shows that the
// session lives.
//
// From the top: how far the session is; what failed; the counts of each queue
// and how full the cache is; what most work waits for; running tasks. Where the
// screen is low, what failed and one running task have the first claims.
func (m *Model) Status(now time.Time, columns, rows int) []string {
	limit := min(rows-1, maxArea)
	between := m.workFrom > 0 && len(m.queues) > 0 && m.state == stream.StateRunning
	elapsed := m.clock.elapsed(now)
	between = between || m.preparing() && elapsed-m.stageEnd >= settled
	if m.finished != nil || len(m.jobs) == 0 && len(m.stages) == 0 && !between || limit < 1 || columns < 2 {
		return nil
	}
	w := m.progress(elapsed)
	// A terminal may wrap early at its last column.
	columns--
	running := m.activities(elapsed)
	lines := make([]string, 0, 8)
	lines = append(lines, m.titleLine(elapsed, &w, columns))
	room := limit - 1
	if len(running) > 0 {
		room-- // of the lines below, running tasks have the first claim on one
	}
	if len(m.broken) > 0 && room > 0 {
		lines = append(lines, m.failedLine(columns))
		room--
	}
	if len(m.queues) > 0 && room > 0 {
		counts := m.queueLines(columns, room)
		lines = append(lines, counts...)
		room -= len(counts)
	}
	if c := w.critical; c != nil && !m.ending() && c.behind > 1 && elapsed-c.at >= settled && room > 0 && len(m.jobs) > 1 {
		lines = append(lines, m.criticalLine(c, columns))
	}
	return append(lines, m.jobLines(running, elapsed, columns, limit-len(lines))...)
}

// preparing says that all was loaded, and no task has begun.
func (m *Model) preparing() bool {
	return m.opts.Session != "" && m.anyStage && m.workFrom == 0 && m.finished == nil &&
		(m.state == stream.StateLoading || m.state == stream.StateRunning)
}

// titleLine tells how far the session is:
// 00:01:02 gnome [######------------------]  25% 100/400, about 00:03:10 left.
func (m *Model) titleLine(elapsed time.Duration, w *work, columns int) string {
	c := newCell(m.opts.Color, columns)
	timeCodeCell(&c, elapsed)
	if m.heading != nil {
		if name := oneLine(m.heading.Project); columns >= 50 && width(name) <= columns/4 {
			c.write(content, " "+name)
		}
		session, all := itoa(m.heading.SessionElements), itoa(m.heading.TotalElements)
		// The bar tells more where there is no room for both.
		if columns >= 70 && barFor(c.left-len(" (/)")-len(session)-len(all), w.total) >= narrowestBar {
			c.write(format, " (")
			c.write(content, session)
			c.write(format, "/")
			c.write(content, all)
			c.write(format, ")")
		}
	}
	if w.total > 0 {
		if bar := barFor(c.left, w.total); bar >= narrowestBar {
			full := min(w.done*bar/w.total, bar)
			c.write(format, " [")
			c.write(success, strings.Repeat("#", full))
			c.write(format, strings.Repeat("-", bar-full)+"]")
		}
		if columns >= 28 {
			number := itoa(w.percent())
			c.write(content, strings.Repeat(" ", 4-len(number))+number+"%")
		}
		done, total := itoa(w.done), itoa(w.total)
		c.write(content, strings.Repeat(" ", 1+len(total)-len(done))+done)
		c.write(format, "/")
		c.write(content, total)
	}
	if word := stateWord(m.state); word != "" {
		c.write(contentBold, " "+word)
	}
	if w.left > 0 && !m.ending() && c.left >= len(", about 00:00:00 left") {
		c.write(format, ", about ")
		timeCodeCell(&c, roughly(w.left))
		c.write(format, " left")
	}
	return c.line()
}

// barFor is how wide the progress bar is where so many columns are left for it
// and for what follows it.
func barFor(left, total int) int {
	return min(left-len(" []  99% 1/2, about 00:00:00 left")-2*len(itoa(total)), widestBar)
}

// ending says that no more is started: what is left of all the work tells nothing
// then.
func (m *Model) ending() bool {
	return m.state == stream.StateQuitting || m.state == stream.StateTerminating
}

// roughly rounds an estimate to what it can tell: one that ticks by single
// seconds pretends to know more, and costs a redrawing each second.
func roughly(d time.Duration) time.Duration {
	switch {
	case d > time.Hour:
		return d.Round(5 * time.Minute)
	case d > 10*time.Minute:
		return d.Round(time.Minute)
	case d > time.Minute:
		return d.Round(10 * time.Second)
	}
	return max(d.Round(5*time.Second), 5*time.Second)
}

func stateWord(s stream.SchedulerState) string {
	switch s {
	case stream.StateHeld:
		return "held"
	case stream.StateQuitting:
		return "finishing"
	case stream.StateTerminating:
		return "terminating"
	case stream.StateSuspended:
		return "suspended"
	}
	return ""
}

// queueLines tells the counts of each queue, in the reference's form, and how
// full the cache is, on as few lines as they fit on.
func (m *Model) queueLines(columns, limit int) []string {
	var lines []string
	c := newCell(m.opts.Color, columns)
	item := func(size int, write func()) {
		if c.left < columns && c.left < size+1 {
			if len(lines)+1 >= limit {
				return
			}
			lines = append(lines, c.line())
			c = newCell(m.opts.Color, columns)
		}
		if c.left < columns {
			c.write(plain, " ")
		}
		write()
	}
	for i := range m.queues {
		q := &m.queues[i]
		processed, skipped, failed := itoa(q.processed), itoa(q.skipped), itoa(q.failed)
		counts := len(processed) + len(skipped) + len(failed) + len("(:  )")
		name := oneLine(q.complete)
		if room := columns - counts; width(name) > room {
			name = clip(name, max(room-len(cutMark), 0)) + cutMark // the counts matter more
		}
		item(width(name)+counts, func() {
			c.write(format, "(")
			c.write(content, name)
			c.write(format, ":")
			c.write(success, processed)
			c.write(plain, " ")
			c.write(content, skipped)
			c.write(plain, " ")
			c.write(failure, failed)
			c.write(format, ")")
		})
	}
	if m.cache != nil {
		usage, s := cacheText(m.cache)
		item(len("(cache: )")+len(usage), func() {
			c.write(format, "(")
			c.write(content, "cache")
			c.write(format, ": ")
			c.write(s, usage)
			c.write(format, ")")
		})
	}
	return append(lines, c.line())
}

// cacheText is how full the cache is, and the colour for it: the reference's
// limits.
func cacheText(c *stream.CacheUsage) (string, style) {
	if c.Quota <= 0 {
		return prettySize(c.Used) + " / infinity", success
	}
	percent := c.Used * 100 / c.Quota
	s := success
	switch {
	case percent >= 95:
		s = failure
	case percent >= 80:
		s = content
	}
	return fmt.Sprintf("%s / %s (%d%%)", prettySize(c.Used), prettySize(c.Quota), percent), s
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

// failedLine names what failed, the latest first, so that it stays in sight
// while its lines scroll away.
func (m *Model) failedLine(columns int) string {
	c := newCell(m.opts.Color, columns)
	c.write(failureBold, itoa(len(m.broken))+" failed: ")
	for i := len(m.broken) - 1; i >= 0; i-- {
		name := oneLine(m.broken[i].action) + ":" + oneLine(m.broken[i].element)
		more := ""
		if i > 0 {
			more = " and " + itoa(i) + " more"
		}
		if i < len(m.broken)-1 {
			if width(name)+2+len(more) > c.left {
				c.write(failure, " and "+itoa(i+1)+" more")
				break
			}
			c.write(failure, ", ")
		}
		c.write(failure, name)
	}
	return c.line()
}

// criticalLine tells what most work waits for.
func (m *Model) criticalLine(j *job, columns int) string {
	c := newCell(m.opts.Color, columns)
	c.write(format, "critical path: ")
	c.write(content, oneLine(j.action)+":"+oneLine(j.element))
	c.write(format, ", then "+itoa(j.behind)+" more")
	if j.behindTime > 0 {
		c.write(format, " of about ")
		timeCodeCell(&c, roughly(j.behindTime))
	}
	return c.line()
}

// timeCodeCell is timeCode within a bounded line.
func timeCodeCell(c *cell, d time.Duration) {
	seconds := int(d / time.Second)
	c.write(content, zeroPadded(seconds/3600, 2)+":"+zeroPadded(seconds/60%60, 2)+":"+zeroPadded(seconds%60, 2))
}
