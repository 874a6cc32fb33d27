package session

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"bst/impl/frontend"
	"bst/impl/stream"
	"bst/impl/term"
	"bst/impl/wire"
)

// tasks is a backend that says of n tasks what an engine says of tasks that do
// nothing, as fast as it can.
type tasks int

func (n tasks) Run(_ context.Context, orders <-chan stream.Order, emit func(...stream.Event)) {
	<-orders
	now := time.Now()
	emit(&stream.Started{Time: now}, running, &stream.Heading{Project: "p", SessionElements: int(n), TotalElements: int(n)},
		&stream.PipelineShown{}, &stream.Queue{Action: "Build", Complete: "Built"})
	key := stream.Key{Full: strings.Repeat("0123456789abcdef", 4), Strict: true}
	for i := range int(n) {
		id, name := stream.JobID(i+1), "element-"+strconv.Itoa(i)+".bst"
		emit(&stream.JobStarted{Job: id, Action: "Build", Element: name, Key: key, Time: now, Log: name})
		emit(&stream.Message{Job: id, Type: stream.TypeStart, Action: "Build", Element: name, Key: key, Time: now, Text: "Caching artifact"})
		emit(&stream.Message{Job: id, Type: stream.TypeSuccess, Action: "Build", Element: name, Key: key, Time: now, Text: "Caching artifact"})
		emit(&stream.JobFinished{Job: id, Action: "Build", Element: name, Key: key, Time: now, Log: name})
		emit(&stream.Counts{Action: "Build", Processed: i + 1})
	}
	emit(&stream.Finished{})
}

// BenchmarkEvent is what an event costs from the backend's goroutine to the
// screen's writes, in one process: making it, queue, model, frames.
func BenchmarkEvent(b *testing.B) {
	for _, style := range []frontend.Style{frontend.Digest, frontend.Full} {
		b.Run(frontend.Styles[style], func(b *testing.B) {
			const n = 40_000
			b.ReportAllocs()
			for b.Loop() {
				message, err := frontend.ParseMessageFormat("[%{elapsed}][%{key}][%{element}] %{action} %{message}")
				if err != nil {
					b.Fatal(err)
				}
				console := term.Emulated(strings.NewReader(""), &console{}, 160, 50)
				result := Run(context.Background(), wire.Start(context.Background(), "inprocess", tasks(n), nil), Options{
					Order: &stream.Build{}, Console: console, Features: term.Features{Status: true, Shared: true},
					Model: frontend.New(frontend.Options{Session: "Build", Style: style, Color: true, KeyLength: 8, MessageFormat: message}),
				})
				if result.Status != 0 {
					b.Fatalf("%+v", result)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(5*n), "ns/event")
		})
	}
}
