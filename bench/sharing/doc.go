// Package sharing holds a benchmark of caches that are shared: bst pushes all
// artifacts of a stack to a bst-artifact-server on this machine, and pulls them into
// an empty cache.
//
//	go test -run '^$' -bench . -benchtime 1x -count 6 ./bench/sharing
//	BST_SHARING_STACK=rapid-1000 go test -run '^$' -bench pull ./bench/sharing
//
// It knows bst as a program with a cache, and the server as another. It has no code
// of its own.
package sharing
