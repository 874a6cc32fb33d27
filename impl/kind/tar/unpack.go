package tar

import (
	"context"
	"errors"

	"bst/impl/kind"
	"bst/impl/split"
	"bst/impl/stream"
)

// Unpack writes what is in an archive into a directory, for source kinds whose
// files are such. Of baseDir, a pattern, it takes the first folder that matches,
// as a tar source does; "" takes all.
func Unpack(ctx context.Context, kindName string, env kind.SourceEnv, w kind.SourceWork, file, baseDir, dir string) error {
	glob, err := split.Compile(rooted(baseDir))
	if err != nil {
		return err
	}
	s := &source{env: env, baseDir: baseDir, glob: glob}
	a, err := openArchive(ctx, env, w, file)
	if err == nil {
		defer a.close()
		err = s.stage(ctx, a, dir)
	}
	if err == nil || ctx.Err() != nil {
		return err
	}
	var known *stream.Error
	if errors.As(err, &known) {
		return known
	}
	e := kind.SourceErrorf(kindName, env, "", "Error staging source: %s", text(err))
	e.Cause = err.Error()
	return e
}
