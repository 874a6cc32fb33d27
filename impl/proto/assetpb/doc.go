// Package assetpb is generated from assetpb.proto: the calls of the Remote Asset
// API and their messages. impl/proto/buildstream/v2 holds the command that
// generates it.
package assetpb
