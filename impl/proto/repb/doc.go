// Package repb is generated from repb.proto and semver.proto: the calls of the
// Remote Execution API that keep objects on servers, with their messages. It needs
// gRPC; package reapi has what is kept on disk and does not.
// impl/proto/buildstream/v2 holds the command that generates it.
package repb
