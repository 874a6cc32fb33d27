//go:build !windows

package patient

func again(f func() error) error { return f() }
