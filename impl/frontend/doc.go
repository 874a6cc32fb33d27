// Package frontend turns a session's events into what a person sees: log
// lines, heading, status area, summaries, errors and menus.
//
// It is pure. It applies events to a Model and renders text; it opens nothing,
// writes nothing and reads no clock: the time is passed in. It knows the
// contract (impl/stream) and nothing of engines, projects or terminals.
// impl/frontend/session joins a Model with a stream and a terminal.
//
// The text is BuildStream's: its message format, its colours, its wording. Two
// things differ, on purpose. Escape sequences are written only where the
// appearance changes, not around every word, so that a line costs about half
// the bytes; and the status area never wraps and is never taller than the
// screen.
package frontend
