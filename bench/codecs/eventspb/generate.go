// Package eventspb is generated from events.proto, for the comparison of codecs
// alone. Text is bytes there: what crosses need not be UTF-8, which a proto3
// string must be. Generated code is committed, so that building needs neither
// protoc (3.21.12 was used) nor
// google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12.
package eventspb

//go:generate protoc --proto_path=../../.. --go_out=../../.. --go_opt=module=bst bench/codecs/eventspb/events.proto
