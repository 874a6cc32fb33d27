package strategytest

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"bst/impl/stream"
)

// player is a backend that plays a script.
type player func(ctx context.Context, w *wish, orders <-chan stream.Order, emit func(...stream.Event))

// wish is what the work order says.
type wish struct {
	dir     string
	numbers []int
}

// number is the i-th argument, or 0.
func (w *wish) number(i int) int {
	if i < len(w.numbers) {
		return w.numbers[i]
	}
	return 0
}

func (p player) Run(ctx context.Context, orders <-chan stream.Order, emit func(...stream.Event)) {
	first, ok := <-orders
	if !ok {
		return
	}
	show := first.(*stream.Show)
	w := &wish{dir: show.Targets[0]}
	for _, text := range show.Except {
		n, err := strconv.Atoi(text)
		if err != nil {
			panic(err)
		}
		w.numbers = append(w.numbers, n)
	}
	emit(&stream.Started{Time: time.Now(), Version: "script", PID: os.Getpid()})
	p(ctx, w, orders, emit)
}

func script(name string) stream.Backend {
	p, ok := scripts()[name]
	if !ok {
		panic("no script is called " + name)
	}
	return p
}

// untilClosed waits for the frontend's end and leaves a mark.
func untilClosed(w *wish, orders <-chan stream.Order) {
	for range orders {
	}
	mark(w.dir, "closed")
}

func scripts() map[string]player {
	return map[string]player{
		// flood emits number(0) messages with number(1) bytes of detail, one by
		// one, and ends.
		"flood": func(_ context.Context, w *wish, _ <-chan stream.Order, emit func(...stream.Event)) {
			detail := strings.Repeat("x", w.number(1))
			for i := range w.number(0) {
				emit(&stream.Message{Type: stream.TypeStatus, Text: "message", Detail: detail, Job: stream.JobID(i)})
			}
			emit(&stream.Finished{})
		},
		// tasks emits what number(0) builds emit, and ends: the benchmarks' mix.
		"tasks": func(_ context.Context, w *wish, _ <-chan stream.Order, emit func(...stream.Event)) {
			key := stream.Key{Full: strings.Repeat("0123456789abcdef", 4), Strict: true}
			const name, log = "components/gnome-shell.bst", "gnome/components-gnome-shell/d7a1f0c3-build.20261123-024208.log"
			now := time.Now()
			for i := range w.number(0) {
				job, at := stream.JobID(i+1), stream.Elapsed(i)*time.Millisecond
				emit(&stream.JobStarted{Job: job, Action: "Build", Element: name, Key: key, Time: now, At: at, Log: log})
				emit(&stream.Message{Type: stream.TypeStatus, Time: now, Action: "Build", Element: name, Key: key, Text: "Staging", Job: job})
				emit(&stream.JobFinished{Job: job, Action: "Build", Element: name, Key: key, Time: now, At: at, Took: at, Log: log},
					&stream.Counts{Action: "Build", Processed: i + 1})
			}
			emit(&stream.Finished{})
		},
		// asleep emits number(0) messages and as many progresses, says that it
		// could, and waits for the frontend's end.
		"asleep": func(_ context.Context, w *wish, orders <-chan stream.Order, emit func(...stream.Event)) {
			for i := range w.number(0) {
				emit(&stream.Message{Text: "message", Job: stream.JobID(i)}, &stream.JobProgress{Job: 1, Current: i})
			}
			mark(w.dir, "emitted")
			untilClosed(w, orders)
		},
		// progress emits number(0) values of one progress, says that it could,
		// and ends.
		"progress": func(_ context.Context, w *wish, orders <-chan stream.Order, emit func(...stream.Event)) {
			for i := range w.number(0) {
				emit(&stream.JobProgress{Job: 1, Current: i + 1})
			}
			mark(w.dir, "emitted")
			emit(&stream.Finished{})
		},
		// echo answers every Retry with a message, and Terminate with the end.
		"echo": func(_ context.Context, w *wish, orders <-chan stream.Order, emit func(...stream.Event)) {
			for o := range orders {
				switch o := o.(type) {
				case *stream.Retry:
					emit(&stream.Message{Text: "retry", Job: o.Job})
				case *stream.Terminate:
					emit(&stream.Finished{Terminated: true})
					return
				}
			}
			mark(w.dir, "closed")
		},
		// wait does nothing until the frontend's end.
		"wait": func(_ context.Context, w *wish, orders <-chan stream.Order, emit func(...stream.Event)) {
			untilClosed(w, orders)
		},
		// finished emits its end, goes on, and returns when the frontend ends.
		"finished": func(_ context.Context, w *wish, orders <-chan stream.Order, emit func(...stream.Event)) {
			emit(&stream.Finished{}, &stream.Message{Text: "too late"})
			emit(&stream.Message{Text: "much too late"})
			untilClosed(w, orders)
		},
		// noisy prints on standard output and error, as a stray debug line does.
		"noisy": func(_ context.Context, w *wish, _ <-chan stream.Order, emit func(...stream.Event)) {
			for i := range 1000 {
				fmt.Println("noise on standard output", i)
				fmt.Fprintln(os.Stderr, "noise on standard error", i)
				emit(&stream.Message{Text: "message", Job: stream.JobID(i)})
			}
			emit(&stream.Finished{})
		},

		// The next go away without a Finished.
		"return": func(context.Context, *wish, <-chan stream.Order, func(...stream.Event)) {},
		"panic":  func(context.Context, *wish, <-chan stream.Order, func(...stream.Event)) { panic("script panics") },
		// These take the whole process along.
		"goroutine-panic": func(_ context.Context, _ *wish, orders <-chan stream.Order, _ func(...stream.Event)) {
			go func() { panic("script panics") }()
			for range orders {
			}
		},
		"exit": func(context.Context, *wish, <-chan stream.Order, func(...stream.Event)) {
			fmt.Fprintln(os.Stderr, "script exits")
			os.Exit(3)
		},
		"kill": func(_ context.Context, _ *wish, orders <-chan stream.Order, _ func(...stream.Event)) {
			fmt.Fprintln(os.Stderr, "script is killed")
			self, err := os.FindProcess(os.Getpid())
			if err == nil {
				err = self.Kill()
			}
			if err != nil {
				panic(err)
			}
			runtime.Goexit()
		},
	}
}
