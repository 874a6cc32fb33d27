package cli

import (
	"context"
	"io"

	"bst/impl/engine"
	"bst/impl/sandbox"
	"bst/impl/stream"
	"bst/strategies"
	"bst/strategies/pipe"
)

// join puts the real parts together.
func join() parts {
	newBackend := func() stream.Backend { return engine.New(engine.Config{Version: Version}) }
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
