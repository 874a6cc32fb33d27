package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"bst/impl/engine"
	"bst/impl/sandbox"
	"bst/impl/stream"
	"bst/strategies"
)

// join puts the real parts together.
func join() parts {
	begin := sync.OnceFunc(collectLate) // once in a process that serves several sessions
	newBackend := func(memory *engine.Memory) stream.Backend {
		begin()
		if memory != nil {
			collect()
		}
		return engine.New(engine.Config{Version: Version, Memory: memory, Loaded: collectLess})
	}
	return parts{
		lookup: func(name string) (way, error) {
			s, err := strategies.Lookup(name)
			return wayOf(s), err
		},
		strategies: func() []strategy {
			var list []strategy
			for _, s := range strategies.All() {
				list = append(list, strategy{s.Name, s.Doc})
			}
			return list
		},
		stays: func(name string) (staying, bool) {
			all := strategies.All()
			i := slices.IndexFunc(all, func(s strategies.Strategy) bool { return s.Stays() && s.Name == name })
			if i < 0 {
				i = slices.IndexFunc(all, strategies.Strategy.Stays)
			}
			if i < 0 {
				return staying{}, false
			}
			return staying{wayOf(all[i]), all[i].Find}, true
		},
		fallback: func(platform, terminal string) fallback {
			c := strategies.Choose(platform, terminal)
			return fallback{c.Strategy, c.Why}
		},
		newBackend: func() stream.Backend { return newBackend(nil) },
		serve: func(ctx context.Context, name string, args []string, in io.Reader, out io.Writer) error {
			s, err := strategies.Lookup(name)
			if err != nil {
				return err
			}
			if s.Serve == nil {
				return fmt.Errorf("strategy %s starts no process", s.Name)
			}
			return s.Serve(ctx, stream.Served{In: in, Out: out, Args: args,
				NewBackend: func() stream.Backend { return newBackend(nil) },
				Keep: func() func() stream.Backend {
					memory := engine.NewMemory()
					return func() stream.Backend { return newBackend(memory) }
				},
			})
		},
		sandbox: sandbox.RunHelper,
	}
}

func wayOf(s strategies.Strategy) way { return way{s.Name, s.Open, s.Serve != nil} }
