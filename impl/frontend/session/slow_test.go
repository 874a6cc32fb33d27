package session

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"bst/impl/frontend"
	"bst/impl/stream"
	"bst/impl/term"
)

// console is a terminal that takes time for what is written to it; time is that
// of a synctest bubble, so that what is tested is exact and takes none.
type console struct {
	perByte, perWrite time.Duration

	mu     sync.Mutex // guards what follows
	text   bytes.Buffer
	times  []time.Time // when each write had arrived
	sizes  []int
	busy   time.Duration
	closed chan struct{} // no write ends while it is open; nil for none
}

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	stop := c.closed
	c.mu.Unlock()
	start := time.Now()
	if stop != nil {
		<-stop
	}
	time.Sleep(c.perWrite + time.Duration(len(p))*c.perByte)
	c.mu.Lock()
	defer c.mu.Unlock()
	if stop == nil {
		c.busy += time.Since(start)
	}
	c.text.Write(p)
	c.times = append(c.times, time.Now())
	c.sizes = append(c.sizes, len(p))
	return len(p), nil
}

func (c *console) seen() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// rapid emits n jobs, so many a second, each with a line of the full log.
func rapid(b backend, n, aSecond int) {
	b.emit(&stream.Started{}, running, &stream.Heading{Project: "p", SessionElements: n, TotalElements: n},
		&stream.PipelineShown{}, &stream.Queue{Action: "Build", Complete: "Built"})
	for i := range n {
		name := fmt.Sprintf("element-%d.bst", i)
		b.emit(&stream.JobStarted{Job: stream.JobID(i + 1), Action: "Build", Element: name, Log: name + ".log"},
			&stream.JobFinished{Job: stream.JobID(i + 1), Action: "Build", Element: name, Log: name + ".log", Took: time.Millisecond},
			&stream.Counts{Action: "Build", Processed: i + 1})
		time.Sleep(time.Second / time.Duration(aSecond))
	}
}

func onConsole(t *testing.T, c *console, o Options, script func(backend)) Result {
	t.Helper()
	if o.Model == nil {
		o.Model = newModel(t, frontend.Options{Session: "Build", Style: frontend.Digest})
	}
	o.Console = term.Emulated(strings.NewReader(""), c, 160, 50)
	o.Features.Status, o.Features.Shared = true, true
	result, _ := play(t, o, script)
	return result
}

// TestResizedUntold: a frame that is drawn after the terminal has another size,
// and before the signal that says so, is drawn anew: what is unchanged, too.
func TestResizedUntold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &console{}
		o := Options{Console: term.Emulated(strings.NewReader(""), c, 100, 40), Features: term.Features{Status: true, Shared: true},
			Model: newModel(t, frontend.Options{Session: "Build", Style: frontend.Digest})}
		const unchanged = "(Pushed:0 0 0)"
		drawn := func() int {
			c.mu.Lock()
			defer c.mu.Unlock()
			return strings.Count(c.text.String(), unchanged)
		}
		play(t, o, func(b backend) {
			b.expect("build")
			b.emit(&stream.Started{}, &stream.Heading{Project: "p"}, running,
				&stream.Queue{Action: "Build", Complete: "Built"}, &stream.Queue{Action: "Push", Complete: "Pushed"},
				&stream.JobStarted{Job: 1, Action: "Build", Element: "e.bst"})
			time.Sleep(5 * time.Second)
			if got := drawn(); got != 1 {
				t.Errorf("drawn %d times before the resize, want once", got)
			}
			o.Console.Resize(90, 20)
			time.Sleep(5 * time.Second)
			if got := drawn(); got != 2 {
				t.Errorf("drawn %d times after the resize, want twice", got)
			}
			b.emit(&stream.Finished{})
		})
	})
}

// TestSlowTerminals: whatever the terminal costs, the work is not held up,
// drawing keeps to its share of the time, and little follows the work's end.
func TestSlowTerminals(t *testing.T) {
	for _, test := range []struct {
		name              string
		perByte, perWrite time.Duration
		style             frontend.Style
	}{
		{"fast", 10 * time.Nanosecond, 10 * time.Microsecond, frontend.Digest},
		{"conhost", 10 * time.Nanosecond, 20 * time.Millisecond, frontend.Digest},
		{"200 KB a second", time.Second / 200_000, 0, frontend.Digest},
		{"20 KB a second", time.Second / 20_000, 0, frontend.Digest},
		{"5 KB a second", time.Second / 5_000, 0, frontend.Digest},
		{"20 KB a second, every line", time.Second / 20_000, 0, frontend.Full},
		{"5 KB a second, every line", time.Second / 5_000, 0, frontend.Full},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir, spill := spillInto(t)
			synctest.Test(t, func(t *testing.T) {
				c := &console{perByte: test.perByte, perWrite: test.perWrite}
				start := time.Now()
				var worked, busy time.Duration
				before := 0
				onConsole(t, c, Options{Spill: spill, Model: newModel(t, frontend.Options{Session: "Build", Style: test.style})}, func(b backend) {
					b.expect("build")
					rapid(b, 20_000, 500)
					worked = time.Since(start)
					c.mu.Lock()
					before, busy = c.text.Len(), c.busy
					c.mu.Unlock()
					b.emit(&stream.Finished{At: worked})
				})
				if worked > 41*time.Second {
					t.Errorf("the work took %v", worked)
				}
				if limit := worked / 45; busy > limit {
					t.Errorf("drawing took %v of %v", busy, worked)
				}
				const screen = 160 * 50
				if after := c.text.Len() - before; test.perByte > time.Second/100_000 && after > screen+1000 {
					t.Errorf("%d bytes followed the work's end", after)
				}
				if took := time.Since(start) - worked; took > 5*time.Second {
					t.Errorf("the end took %v", took)
				}
				text := c.seen()
				if !strings.Contains(text, "SUCCESS Build") {
					t.Errorf("the end is not on the screen: %q", text[max(0, len(text)-500):])
				}
				if test.style == frontend.Digest && c.text.Len() > 60_000 {
					t.Errorf("%d bytes for 40 s", c.text.Len())
				}
				if test.style == frontend.Full && strings.Count(text, ".log\n") < 40_000 {
					kept, err := os.ReadDir(dir)
					if err != nil || len(kept) != 1 || !strings.Contains(text, kept[0].Name()) {
						t.Errorf("lines are missing, and what is kept is %v, %v", kept, err)
					}
				}
			})
		})
	}
}

// TestStoppedTerminal: ^S stops the terminal, not the work; nothing of the log
// is lost, and it follows when the terminal goes on.
func TestStoppedTerminal(t *testing.T) {
	_, spill := spillInto(t)
	synctest.Test(t, func(t *testing.T) {
		c := &console{perWrite: time.Millisecond, closed: make(chan struct{})}
		start := time.Now()
		onConsole(t, c, Options{Spill: spill, Model: newModel(t, frontend.Options{Session: "Build", Style: frontend.Full})}, func(b backend) {
			b.expect("build")
			rapid(b, 50_000, 1000)
			if worked := time.Since(start); worked > 51*time.Second {
				t.Errorf("the work took %v", worked)
			}
			if c.seen() != "" {
				t.Error("the terminal was not stopped")
			}
			c.mu.Lock()
			close(c.closed)
			c.closed = nil
			c.mu.Unlock()
			time.Sleep(30 * time.Second)
			b.emit(&stream.Finished{})
		})
		text := c.seen()
		if got := strings.Count(text, ".log\n"); got != 100_000 {
			t.Errorf("%d lines came, want 100,000", got)
		}
		if i, k := strings.Index(text, "element-7.bst.log"), strings.Index(text, "element-49999.bst.log"); i < 0 || k < i {
			t.Error("lines are in another order")
		}
	})
}

// TestDelay: on a fast terminal what happens is soon drawn.
func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &console{perWrite: time.Millisecond}
		var delays []time.Duration
		onConsole(t, c, Options{}, func(b backend) {
			b.expect("build")
			b.emit(&stream.Started{}, running, &stream.Heading{Project: "p", SessionElements: 1000, TotalElements: 1000},
				&stream.PipelineShown{}, &stream.Queue{Action: "Build", Complete: "Built"}, &stream.JobStarted{Job: 1, Action: "Build"})
			for i := range 1000 {
				at := time.Now()
				b.emit(&stream.Counts{Action: "Build", Processed: i + 1})
				c.mu.Lock()
				before := len(c.times)
				c.mu.Unlock()
				time.Sleep(time.Duration(17+i*7%31) * time.Millisecond)
				c.mu.Lock()
				if len(c.times) > before {
					delays = append(delays, c.times[before].Sub(at))
				}
				c.mu.Unlock()
			}
			b.emit(&stream.Finished{})
		})
		worst := time.Duration(0)
		for _, d := range delays {
			worst = max(worst, d)
		}
		if len(delays) < 100 || worst > 2*usualInterval {
			t.Errorf("%d frames, the slowest %v after what it shows", len(delays), worst)
		}
		for i := 1; i < len(c.times); i++ {
			if gap := c.times[i].Sub(c.times[i-1]); gap < usualInterval/2 && i < len(c.times)-2 {
				t.Errorf("two frames within %v", gap)
			}
		}
	})
}

// TestInterruptAtFullRate: ^C is acknowledged at once while events arrive as
// fast as they can.
func TestInterruptAtFullRate(t *testing.T) {
	for _, interactive := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			c := &console{perWrite: time.Millisecond}
			signals := make(chan term.Signal, 1)
			var pressed, acknowledged time.Time
			onConsole(t, c, Options{Signals: signals, Interactive: interactive}, func(b backend) {
				b.expect("build")
				b.emit(&stream.Started{}, running, &stream.JobStarted{Job: 1, Action: "Build"})
				batch := make([]stream.Event, 10_000)
				for i := range batch {
					batch[i] = &stream.Counts{Action: "Build", Processed: i}
				}
				for i := range 40 {
					b.emit(batch...)
					time.Sleep(10 * time.Millisecond)
					if i == 20 {
						pressed = time.Now()
						signals <- term.Interrupt
					}
					if text := c.seen(); acknowledged.IsZero() && (strings.Contains(text, "User interrupted with ^C") || strings.Contains(text, "terminating")) {
						acknowledged = time.Now()
					}
				}
				if interactive {
					b.expect("hold")
				}
				b.expect("terminate")
				b.emit(&stream.Finished{Terminated: true, Error: &stream.Error{Domain: stream.DomainStream}})
			})
			if took := acknowledged.Sub(pressed); acknowledged.IsZero() || took > 100*time.Millisecond {
				t.Errorf("interactive %v: acknowledged after %v", interactive, took)
			}
		})
	}
}

// TestQuestionComesLast: all that a person needs to know stands above a question,
// or, on a terminal too slow for it, its end does.
func TestQuestionComesLast(t *testing.T) {
	for _, perByte := range []time.Duration{time.Nanosecond, time.Second / 5000} {
		_, spill := spillInto(t)
		synctest.Test(t, func(t *testing.T) {
			c := &console{perByte: perByte}
			model := newModel(t, frontend.Options{Session: "Build", Style: frontend.Full})
			onConsole(t, c, Options{Spill: spill, Interactive: true, Model: model}, func(b backend) {
				b.expect("build")
				b.emit(&stream.Started{}, running)
				for i := range 1000 {
					b.emit(&stream.Message{Type: stream.TypeInfo, Text: fmt.Sprintf("line %d %s", i, strings.Repeat("x", 90))})
				}
				b.emit(failed(1, true))
				b.expect("terminate") // there is nobody who answers
				b.emit(&stream.Finished{Terminated: true, Error: &stream.Error{Domain: stream.DomainStream}})
			})
			text := c.seen()
			why, question := strings.Index(text, "FAILURE it broke"), strings.Index(text, "Choice:")
			if why < 0 || question < why {
				t.Errorf("the failure is at %d, the question at %d", why, question)
			}
			whole := strings.Count(text, "line ") == 1000
			if slow := perByte > time.Microsecond; whole == slow || slow && !strings.Contains(text, "lines are not shown") {
				t.Errorf("%v a byte: whole %v", perByte, whole)
			}
		})
	}
}
