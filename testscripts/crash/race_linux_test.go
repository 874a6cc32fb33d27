//go:build race

package crash

// racing says that the race detector looks on, which makes a round take several
// times as long.
const racing = true
