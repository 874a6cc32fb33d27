// Package usage asks the operating system what this process and its children have
// used, for those who measure.
//
// It knows accounts of times and memory. It does not know what they were used for.
package usage

// Usage is an account.
type Usage struct {
	// User and System are processor time in nanoseconds.
	User   int64 `json:"user"`
	System int64 `json:"system"`
	// PeakRSS is resident memory at its most, in bytes; of children the largest
	// one's. 0 where it is not told.
	PeakRSS int64 `json:"peak-rss"`
}
