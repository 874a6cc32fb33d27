// Package wire carries the orders and events of package stream: it lists every
// type that crosses (list.go), refuses what cannot (check.go), encodes them
// (form.go, encode.go, decode.go, codec.go), and keeps them in order and within
// bounds on their way (queue.go, frame.go, local.go, serve.go, client.go).
//
// It knows that a session is one backend and one frontend and that an event is
// lossless or latest-wins. It does not know what any order or event means, how
// a backend is started, or what a terminal is.
package wire
