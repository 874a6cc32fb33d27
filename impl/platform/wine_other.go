//go:build !windows

package platform

func isWine() bool { return false }

// WineVersion is what Wine says that it is; "" where it is not Wine.
func WineVersion() string { return "" }
