// Package bytestream is generated from bytestream.proto: the calls that read and
// write an object in pieces. impl/proto/buildstream/v2 holds the command that
// generates it.
package bytestream
