package gencargolock

import (
	"context"
	"testing"

	"bst/impl/kind/sourcetest"

	"github.com/google/go-cmp/cmp"
)

func TestStage(t *testing.T) {
	dir, w := t.TempDir(), sourcetest.NewWork(t)
	if err := sourcetest.Must(t, Traits(), &sourcetest.Env{}, "ref: IyBsb2NrCg==").Stage(context.Background(), w, dir); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"Cargo.lock": "# lock\n"}, sourcetest.Files(t, dir)); diff != "" {
		t.Error(diff)
	}
	if err := sourcetest.Must(t, Traits(), &sourcetest.Env{}, "ref: '*'").Stage(context.Background(), w, dir); err == nil {
		t.Error("what is not base64 is staged")
	}
}
