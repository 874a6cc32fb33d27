// Package reapi is generated from reapi.proto: the few messages of the Remote
// Execution API that lie in BuildStream's own. impl/proto/buildstream/v2 holds
// the command that generates it.
package reapi
