// Package reapi is generated from reapi.proto: the messages of the Remote
// Execution API that are kept on disk, some of them in BuildStream's own.
// impl/proto/buildstream/v2 holds the command that generates it.
package reapi
