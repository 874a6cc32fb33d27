// Package crash holds tests of how sessions end that were not meant to: killed
// at random, asked to end while a job does not want to, or left by their
// terminal. Afterwards there is no process, no mount and no temporary folder,
// the store is sound, and what was finished is still there.
//
// It knows bst as a program with processes and a terminal, and the layout of its
// cache; nothing of how it works. It has no code of its own.
package crash
