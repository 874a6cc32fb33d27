//go:build !linux

package sandbox

import (
	"context"
	"fmt"
	"os"
	"runtime"

	"bst/impl/cas"
)

// Where there is no bubblewrap, projects that run no commands still build: all
// of this package's methods exist and say what is missing.

type Factory struct{}

func New(Config) (*Factory, error) { return &Factory{}, nil }

func (*Factory) Available() error {
	return failure(ReasonUnavailable,
		"This platform does not support local builds: bubblewrap runs on Linux, and this is "+runtime.GOOS,
		"Run bst on Linux, in a Linux virtual machine, or in WSL 2.", nil)
}

func (f *Factory) Stage(context.Context, []cas.Digest, *cas.Dir) (*Root, error) {
	return nil, f.Available()
}
func (*Factory) Suspend()                           {}
func (*Factory) Resume()                            {}
func (*Factory) Close() error                       { return nil }
func (*Factory) Prune(context.Context, int64) error { return nil }
func (f *Factory) Staging(context.Context) (how, why string, err error) {
	return "", "", f.Available()
}

// Root is never made here.
type Root struct{ factory Factory }

func (r *Root) Writable(string, cas.Digest) error { return r.factory.Available() }
func (*Root) KeepTimes()                          {}
func (r *Root) Run(context.Context, Spec) (int, error) {
	return 0, r.factory.Available()
}
func (r *Root) RunBatch(context.Context, Spec, []BatchCommand, func(int)) (failed, status int, err error) {
	return -1, 0, r.factory.Available()
}
func (r *Root) Recipe(Spec) (argv, env []string, dir string, err error) {
	return nil, nil, "", r.factory.Available()
}
func (r *Root) CaptureDir(context.Context, string) (cas.Digest, error) {
	return cas.Digest{}, r.factory.Available()
}
func (r *Root) CaptureRoot(context.Context) (*cas.Dir, error) { return nil, r.factory.Available() }
func (*Root) Suspend()                                        {}
func (*Root) Resume()                                         {}
func (*Root) Close() error                                    { return nil }

// RunHelper has nothing to help with.
func RunHelper([]string) int {
	fmt.Fprintln(os.Stderr, "bst: "+HelperWord+" works on Linux only")
	return 125
}

// KeptTrees gives none.
func KeptTrees(string, func(KeptTree) error) error { return nil }
