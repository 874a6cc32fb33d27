//go:build !linux

package workdir

// Memory is "": no other platform has such a folder everywhere.
func Memory() string { return "" }
