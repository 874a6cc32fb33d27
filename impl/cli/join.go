package cli

import (
	"context"
	"io"
	"runtime/debug"

	"bst/impl/engine"
	"bst/impl/sandbox"
	"bst/impl/stream"
	"bst/strategies"
	"bst/strategies/pipe"
)

// join puts the real parts together.
func join() parts {
	newBackend := func() stream.Backend {
		// A session is short and most of what it loads lives until its end, so that
		// collecting often finds little: a third of the processor time of loading
		// 63,436 elements. The limit keeps a large graph from paying with memory.
		// A frontend alone has little to collect, and keeps the runtime's values.
		debug.SetGCPercent(400)
		debug.SetMemoryLimit(768 << 20)
		return engine.New(engine.Config{Version: Version})
	}
	return parts{
		lookup: func(name string) (stream.Open, error) {
			s, err := strategies.Lookup(name)
			return s.Open, err
		},
		strategies: func() []strategy {
			var list []strategy
			for _, s := range strategies.All() {
				list = append(list, strategy{s.Name, s.Doc})
			}
			return list
		},
		fallback:   strategies.Default,
		newBackend: newBackend,
		serve: func(ctx context.Context, in io.Reader, out io.Writer) error {
			return pipe.Serve(ctx, in, out, newBackend())
		},
		sandbox: sandbox.RunHelper,
	}
}
