//go:build race

package testscripts

// racing says that the race detector looks on, which makes a script take several
// times as long.
const racing = true
