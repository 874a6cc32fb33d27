// Package stopped holds a benchmark of a frontend that reads nothing: it is stopped
// for as long as the build takes. The backend's build goes on, and the events wait
// in its memory. What that costs is told beside a frontend that reads, from the
// same run.
//
//	go test -run '^$' -bench . -benchtime 6x ./bench/stopped
//	BST_STOPPED_STACK=rapid-10000 go test -run '^$' -bench pipe -benchtime 6x ./bench/stopped
//
// It knows bst as a program with processes and a cache. It has no code of its own.
package stopped
