// Package term is the person's side of the machine: terminal, screen, keyboard,
// signals, and the processes that are lent the terminal.
//
// It knows bytes, sizes and process groups. It does not know what is drawn:
// package frontend renders text, this package puts it on a screen. What differs
// between systems lies in *_unix.go and *_windows.go.
package term
