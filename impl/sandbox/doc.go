// Package sandbox stages a root file system from directories of the store and
// runs commands in it under bubblewrap.
//
// It knows trees (hard-linked checkouts, kept and shared), overlay mounts,
// bubblewrap's arguments, and how to read back what commands changed. It does
// not know elements, artifacts or the scheduler, and it never writes to a file
// that the store owns.
//
// The shape: a Factory belongs to a session, a Root to one element. A Root's
// layers are checkouts that many Roots share as the read-only lower layers of an
// overlay; what commands write goes to the Root's own upper layer or to its
// marked directories, which are plain directories on the host. All mounts live
// in the mount namespace of a helper process, this executable started anew (see
// RunHelper), so that they vanish with it however it ends. docs/sandbox.md says
// why.
package sandbox
