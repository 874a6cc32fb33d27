package report

import (
	"fmt"
	"io"
	"strings"

	"bst/bench/harness"
	"bst/bench/spawn"
	"bst/impl/platform"
)

// control is the strategy that starts nothing.
const control = "inprocess"

// writeSpawn writes the report on what it takes to begin a session.
func (s *Set) writeSpawn(w io.Writer) error {
	parts := s.Spawn
	p := &page{w: w}
	p.printf("# Spawning the scheduler\n\n"+partIntro, "spawn")
	p.printf(`The question is of 2019: what is needed to support spawning the scheduler as a process of
its own, instead of forking it. Then the whole state of the program would have had to be
pickled. Here a backend is this program started anew, and all that it is told is one order.

## What is handed over

| | in the frontend | in the backend |
|---|---|---|
| Go's runtime, the packages' initialisers | in the frontend: of all packages, those of the backend too | of all packages; on Linux at the same time as in the frontend |
| command line | parsed, to know command and strategy; on Linux looked through for both before that | a fixed word |
| user configuration | read, to know the strategy; settings go into the order, by value | not read |
| terminal, signals | probed, taken | none there |
| project, includes, junctions, plugins | — | loaded |
| graph, keys | — | resolved |
| caches, store, sandboxes, scheduler | — | opened, made when needed |
| events of one kind and another | — | sent as they happen |

So no object of the loader, the graph or the scheduler has a serialised form; what crosses is
listed in impl/wire and nothing else can (wire.Check). That is the answer to "what can be
initialised after the point of spawning": all that the frontend does not need itself.

Where a backend for one command is wanted by --strategy or BST_STRATEGY, Linux spawns it
before the frontend is ready itself (impl/cli/early): what both need is initialised in both at
the same time, where there are two processors, and not twice in a row. A strategy that the user
configuration names is known later, and its backend starts when it is.

## What it would take to move the rest

- The initialisers of packages that only the backend needs: a program of its own for the
  frontend, or initialisers that wait for their first use. Both gain processor time, as much as
  the tables below give as initialisers, in the frontend. Those of libraries (gRPC, Protocol
  Buffers, OCI registries, versions of Python packages) do not wait, and a program in two files
  is more to install. Not done.
- The user configuration: it could be read in the backend if it could not choose the strategy
  and the form of the log lines. It would be read in both, then. Nothing to gain.
- The environment: it is handed over whole, as to any child, since programs that build need it.
- The spawn itself: a backend that is there already (strategy socket, warm).

`)
	for _, part := range parts {
		p.spawn(part)
	}
	p.partGaps(parts, "spawn", map[string]string{
		platform.Windows: " with `--terminal none`; what Wine gives is not to be taken for it",
	})
	p.printf("- a frame, apart from the first byte that the terminal gets: what is drawn first is a frame or a line\n")
	p.printf("- what a warm backend saves: its first start is measured here\n")
	return p.err
}

func (p *page) spawn(part *Part) {
	p.printf("## %s: platform %s\n\nRaw: [raw/parts/%[1]s.txt](raw/parts/%[1]s.txt)\n\n", part.Name, part.Fact("platform"))
	p.partFacts(part, "init-", "elements-")
	p.initialisers(part)
	base := harness.BaseUnit
	for _, stack := range part.axis("stack") {
		p.printf("### %s: %s (%s elements)\n\nTimes from the start of the program:\n\n", part.Name, stack, part.Fact("elements-"+stack))
		times := &table{header: []string{"command", "strategy", "order given", "backend begins", "first event", "first element", "first byte drawn", "end", "first event, to " + control}, text: 2}
		sizes := &table{header: []string{"command", "strategy", "order", "hello, each way", "environment", "events", "their bytes"}, text: 2}
		for _, command := range part.axis("command") {
			for _, strategy := range part.axis("strategy") {
				keys := map[string]string{"stack": stack, "strategy": strategy, "command": command}
				of := func(unit string) series { return part.series(base(unit), keys) }
				first := of(spawn.UnitFirst)
				other := part.series(base(spawn.UnitFirst), map[string]string{"stack": stack, "strategy": control, "command": command})
				added := "—"
				if strategy != control && len(other) > 0 {
					added = millis(first.minus(other))
				}
				times.add(command, strategy, millis(of(spawn.UnitOrder)), millis(of(spawn.UnitStarted)), millis(first),
					millis(of(spawn.UnitLoaded)), millis(of(spawn.UnitDrawn)), millis(of(spawn.UnitWall)), added)
				sizes.add(command, strategy, plain(of(spawn.UnitOrderBytes)), plain(of(spawn.UnitHello)), plain(of(spawn.UnitEnviron)),
					plain(of(spawn.UnitEvents)), plain(of(spawn.UnitEventBytes)))
			}
		}
		p.table(times)
		p.printf("Bytes that are handed over, and events that come back; 0 where they stay in one process:\n\n")
		p.table(sizes)
	}
}

func (p *page) initialisers(part *Part) {
	p.printf("Initialisers, run before main in every process: of %s packages, %s, %s. The longest:\n\n",
		part.Fact("init-packages"), part.Fact("init-time"), part.Fact("init-memory"))
	t := &table{header: []string{"package", "time", "memory"}, text: 1}
	for i := 1; ; i++ {
		fields := strings.Split(part.Fact(fmt.Sprintf("init-%d", i)), ", ")
		if len(fields) != 3 {
			break
		}
		t.add(fields...)
	}
	p.table(t)
}

func millis(s series) string { return scaled(s, 1e3, " ms") }
