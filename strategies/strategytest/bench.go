package strategytest

import (
	"runtime/debug"
	"strconv"
	"testing"

	"bst/impl/stream"
)

// Bench runs the suite's benchmarks on a strategy.
func Bench(b *testing.B, s Subject) {
	b.Run("Events", func(b *testing.B) { benchEvents(b, s) })
	b.Run("RoundTrip", func(b *testing.B) { benchRoundTrip(b, s) })
	b.Run("FirstEvent", func(b *testing.B) { benchFirstEvent(b, s) })
}

// growth is what bst lets both ends' heaps grow by before it collects, in percent:
// impl/cli/memory.go.
const growth = 400

// benchEvents carries 100,000 events of a build's mix as fast as they come, between
// processes that collect as bst's do.
func benchEvents(b *testing.B, s Subject) {
	b.Setenv("GOGC", strconv.Itoa(growth)) // of a backend
	defer debug.SetGCPercent(debug.SetGCPercent(growth))
	const tasks, perTask = 33_334, 3 // and Counts, of which some are replaced
	dir := b.TempDir()
	b.ReportAllocs()
	var events int
	before := cpu()
	for b.Loop() {
		c := open(b, s, "tasks", dir, tasks)
		// As a frontend does, which keeps no event.
		came := 0
		for {
			batch, err := c.st.Recv(b.Context())
			if err != nil {
				break
			}
			came += len(batch)
		}
		if came < tasks*perTask {
			b.Fatalf("%d events came", came)
		}
		events += tasks * perTask
		if err := c.st.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
	b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(events), "cpu-ns/event")
}

// benchRoundTrip sends an order and waits for its event: nothing to gather.
func benchRoundTrip(b *testing.B, s Subject) {
	c := open(b, s, "echo", b.TempDir())
	c.recv()
	b.ReportAllocs()
	for b.Loop() {
		c.send(&stream.Retry{Job: 1})
		c.recv()
	}
}

// benchFirstEvent opens a session, waits for its first event, and closes it.
func benchFirstEvent(b *testing.B, s Subject) {
	dir := b.TempDir()
	b.ReportAllocs()
	for b.Loop() {
		c := open(b, s, "wait", dir)
		c.recv()
		b.StopTimer()
		if err := c.st.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
