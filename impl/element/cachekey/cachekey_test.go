package cachekey

import (
	"testing"

	"bst/impl/node"

	"github.com/google/go-cmp/cmp"
)

func TestAppend(t *testing.T) {
	parsed, err := node.Parse([]byte("b: [1, x, {}]\na: {z: true, y: ''}\n"), "a.yaml")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		value any
		want  string
	}{
		{"null", nil, `null`},
		{"bool", []any{true, false}, `[true,false]`},
		{"int", map[string]any{"build-uid": 1023, "n": int64(-1)}, `{"build-uid":1023,"n":-1}`},
		{"no strings", []string(nil), `[]`},
		{"no map", map[string]any{}, `{}`},
		{"lists of lists", [][]string{{"a", "b"}, {}}, `[["a","b"],[]]`},
		{"maps in a list", []map[string]any{{"url": "u"}}, `[{"url":"u"}]`},
		{"code point order", map[string]string{"é": "1", "z": "2", "Z": "3", "-": "4", "𝄞": "5", "￿": "6"},
			`{"-":"4","Z":"3","z":"2","\u00e9":"1","\uffff":"6","\ud834\udd1e":"5"}`},
		{"layout", map[string][]string{"/": {"base.bst"}, "/a": nil}, `{"/":["base.bst"],"/a":[]}`},
		{"escapes", "\"\\/\b\t\n\f\r", `"\"\\/\b\t\n\f\r"`},
		{"control", "\x00\x01\x1f\x7f", "\"\\u0000\\u0001\\u001f\x7f\""},
		{"html stays", "<&>'", `"<&>'"`},
		{"unicode", "naïve 漢 😀", `"na\u00efve \u6f22 \ud83d\ude00"`},
		{"last escape", "aé", `"a\u00e9"`},
		{"not UTF-8", "a\xffb", `"a\udcffb"`},
		{"node", parsed, `{"a":{"y":"","z":"true"},"b":["1","x",{}]}`},
		{"no node", (*node.Node)(nil), `null`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Append([]byte("."), tt.value)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff("."+tt.want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAppendRefuses(t *testing.T) {
	for _, value := range []any{1.5, struct{}{}, map[string]any{"a": []any{uint8(1)}}} {
		if got, err := Append(nil, value); err == nil {
			t.Errorf("%#v gave %s", value, got)
		}
	}
}

// The keys are facts of the reference: sources of its own test project.
func TestSum(t *testing.T) {
	for value, want := range map[string]string{
		"ac1a2f5882ecb0b68c0990ce5e1fbd431d5c07ce6b4b9038ae5161d281e86487": "6274a1f741c18e8c4bc5da3edfad274f39820f903d88175a3d153bb62c5bc3a2",
		"02dccd94076817b56a7e23443d04d5468b436d53b9b0fdfe847f3fa0c10cf9cc": "002017d26cf862d399464325e9ab3ed631e1d789b79df98d143f265e8d8f3c60",
	} {
		encoded, err := Append(nil, value)
		if got := Sum(encoded); err != nil || got != want {
			t.Errorf("the key of %q is %s, %v; want %s", value, got, err, want)
		}
	}
}

func FuzzAppendString(f *testing.F) {
	f.Add("plain")
	f.Add("é\x00\xff😀\"\\")
	f.Fuzz(func(t *testing.T, s string) {
		got := AppendString(nil, s)
		for _, c := range got {
			if c >= 0x80 || c < 0x20 {
				t.Fatalf("%q gave the byte %#x", s, c)
			}
		}
		if got[0] != '"' || got[len(got)-1] != '"' {
			t.Fatalf("%q gave %s", s, got)
		}
	})
}

func BenchmarkAppendString(b *testing.B) {
	s := "/buildstream/project/components/some-element.bst"
	b.SetBytes(int64(len(s)))
	var buf []byte
	for b.Loop() {
		buf = AppendString(buf[:0], s)
	}
}
