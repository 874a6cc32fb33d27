// Package plans holds the plans of this folder, so that one program that was copied
// to another machine has them.
package plans

import "embed"

// Files are the plans.
//
//go:embed *.yaml
var Files embed.FS
