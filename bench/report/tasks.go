package report

import (
	"fmt"
	"slices"
	"strings"
)

// perTask is what a task that does nothing costs, of us and of other tools, where
// both were measured on the same stack and terminal: builds of stacks of rapid tasks.
func (p *page) perTask(s *Set) {
	t := &table{header: []string{"file", "platform", "stack", "terminal", "tool", "strategy", "wall, a task", "processor, a task", "written, a task"}, text: 6}
	for _, f := range s.Files {
		for _, stack := range axis(f, func(a Axes) string { return a.Stack }) {
			n := float64(f.elements(stack))
			all := slices.DeleteFunc(cases(f, stack), func(a Axes) bool {
				return a.Command != "build" || a.Settings != "" || perEvent(a)
			})
			other := func(a Axes) bool { return f.Peer(a.Tool) }
			if !strings.HasPrefix(stack, "rapid-") || n == 0 || !slices.ContainsFunc(all, other) {
				continue
			}
			slices.SortStableFunc(all, func(a, b Axes) int { return strings.Compare(terminalKey(a.Terminal), terminalKey(b.Terminal)) })
			for _, a := range all {
				each := func(unit, per string) string {
					shares := series{}
					for round, v := range f.series(a, unit) {
						shares[round] = v / n
					}
					return format(per, shares)
				}
				t.add(f.Name, f.Platform(), stack, a.Terminal, a.Tool, a.Strategy, each(wall, perEventTime), each(cpu, perEventTime), each(written, perEventBytes))
			}
		}
	}
	if len(t.rows) == 0 {
		return
	}
	p.printf("## What does a task cost that does nothing?\n\nBuilds of stacks whose tasks do nothing, by the number of tasks; start and loading of the\ntools are in it.\n\n")
	p.table(t)
}

// Units of shares: a time that is told in microseconds, bytes that may be fewer
// than one.
const (
	perEventTime  = "sec/event"
	perEventBytes = "shares of bytes"
)

// shareOfBytes writes bytes of which there may be fewer than one.
func shareOfBytes(v float64) string { return fmt.Sprintf("%s B", digits(v)) }
