package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"reflect"
	"testing"
	"time"
)

// TestSchema: the constant is that of the list. Whoever changes a listed type
// changes it, so that builds with and without the change do not speak to each
// other.
func TestSchema(t *testing.T) {
	if got := listedSchema(); got != schema {
		t.Errorf("the listed types have another schema: write %q for schema in form.go", got)
	}
}

// listedSchema is what schema has to be.
func listedSchema() string {
	digest := sha256.New()
	for _, list := range [][]entry{orders, events} {
		for _, e := range list {
			fmt.Fprintf(digest, "%d ", e.number)
			describe(digest, e.typ)
		}
	}
	return hex.EncodeToString(digest.Sum(nil)[:8])
}

// describe writes all that an encoding depends on.
func describe(to hash.Hash, t reflect.Type) {
	switch {
	case t == reflect.TypeFor[time.Time]():
		fmt.Fprint(to, "time ")
	case t.Kind() == reflect.Struct:
		fmt.Fprintf(to, "%v %v{", t, sparse[t])
		for f := range fields(t) {
			fmt.Fprintf(to, "%s:%v ", f.Name, staysHome(f))
			if !staysHome(f) {
				describe(to, f.Type)
			}
		}
		fmt.Fprint(to, "}")
	case t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Array || t.Kind() == reflect.Map:
		fmt.Fprintf(to, "%v ", t.Kind())
		describe(to, t.Elem())
	default:
		fmt.Fprintf(to, "%v ", t.Kind())
	}
}
