// Package seen tells whether the files that an answer was made from are still
// what they were.
//
// While the answer is made, a Record is told what is read and looked for. Close
// takes signatures of all of it, and the Snapshot compares them later. A
// signature is what the kernel says of a file: device, inode, size, mode, and
// the times of its last changes in nanoseconds. The time of the inode's change
// cannot be set by anybody, so that an edit of the same size that restores the
// time of modification is seen too.
//
// Signatures are taken after the reading, so that reading costs nothing more.
// What makes them speak for what was read: nothing may have changed since a
// little before the record began (the margin, as in git's index, where a change
// within the clock's granularity is called racy). Where something did, or the
// clock was set meanwhile, or a file system is not known to keep these times
// rightly, there is no snapshot, and the answer is good once only.
//
// It knows file systems. It does not know what the files mean, nor keeps any
// content.
package seen

import (
	"path/filepath"
	"sync"
	"time"
)

// Margin is how long before the record's begin the last change must lie: above
// the granularity of any file system's clock, FAT's two seconds among them.
const Margin = 2100 * time.Millisecond

// Record collects what an answer is made from. A nil Record takes notes and
// does nothing with them. It is safe for concurrent use.
type Record struct {
	start time.Time

	mu sync.Mutex // guards what follows
	// files were read, or looked for; trees were read with all that is below
	// them.
	files, trees map[string]struct{}
	// real are the paths without symbolic links that paths led to.
	real map[string]string
	// folders are those of files and trees as they were before these were read:
	// a folder that is put in another's place brings old times with it.
	folders map[string]identity
}

// identity says which file it is; the zero value is none.
type identity struct{ device, inode uint64 }

// NewRecord begins now.
func NewRecord() *Record {
	return &Record{
		start: time.Now(),
		files: make(map[string]struct{}), trees: make(map[string]struct{}),
		real: make(map[string]string), folders: make(map[string]identity),
	}
}

// File says that a file will be read, or looked for; or the names in a folder.
// All paths are absolute.
func (r *Record) File(path string) {
	if r != nil {
		r.note(r.files, path)
	}
}

// Tree says that a file, or a folder with all that is below it, will be read.
func (r *Record) Tree(path string) {
	if r != nil {
		r.note(r.trees, path)
	}
}

func (r *Record) note(in map[string]struct{}, path string) {
	dir := filepath.Dir(path)
	r.mu.Lock()
	defer r.mu.Unlock()
	in[path] = struct{}{}
	if _, known := r.folders[dir]; !known {
		r.folders[dir] = identify(dir)
	}
}

// Real says that it matters where a path leads: which of its components are
// symbolic links, and to what.
func (r *Record) Real(path string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.real[path]; !known {
		r.real[path] = resolve(path)
	}
}

// resolve gives the path without symbolic links, "" where there is none.
func resolve(path string) string {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	return real
}

// clockSet tells whether the wall clock was set since the record began: what it
// said of files before and after cannot be compared then.
func (r *Record) clockSet(now time.Time) bool {
	wall := now.Round(0).Sub(r.start.Round(0))
	return (now.Sub(r.start) - wall).Abs() > 100*time.Millisecond
}
