//go:build !windows

package platform

func isWine() bool { return false }
