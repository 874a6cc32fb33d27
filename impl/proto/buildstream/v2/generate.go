// Package buildstreamv2 is generated from artifact.proto and source.proto, the
// messages that BuildStream keeps in its cache and exchanges with servers.
//
// It knows their encoding alone; impl/artifact and impl/source give them
// meaning. Generated code is committed, so that building needs neither protoc
// (3.21.12 was used) nor
// google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12 nor
// google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2. The command generates all
// that is in impl/proto.
package buildstreamv2

//go:generate protoc --proto_path=../../../.. --proto_path=../../include --go_out=../../../.. --go_opt=module=bst --go-grpc_out=../../../.. --go-grpc_opt=module=bst impl/proto/reapi/reapi.proto impl/proto/repb/semver.proto impl/proto/repb/repb.proto impl/proto/assetpb/assetpb.proto impl/proto/bytestream/bytestream.proto impl/proto/buildstream/v2/artifact.proto impl/proto/buildstream/v2/source.proto
