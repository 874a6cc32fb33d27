package fnmatch

import "testing"

func TestCompile(t *testing.T) {
	for _, tt := range []struct {
		pattern string
		yes, no []string
	}{
		{"v1.*", []string{"v1.", "v1.2/3"}, []string{"v1", "v10", "xv1.2"}},
		{"a?c", []string{"abc", "aäc"}, []string{"ac", "abbc"}},
		{"[0-9]x[!a]", []string{"1xb"}, []string{"1xa", "ax1"}},
		{"[]x]", []string{"]", "x"}, []string{"y"}},
		{"[^a]", []string{"^", "a"}, []string{"b"}},
		{"a[b", []string{"a[b"}, []string{"ab"}},
		{"[z-a]", []string{"[z-a]"}, []string{"z"}},
		{"ä+.", []string{"ä+."}, []string{"ää", "ä+x"}},
		{"a\\d", []string{"a\\d"}, []string{"a1"}},
	} {
		p := Compile(tt.pattern)
		for _, text := range tt.yes {
			if !p.MatchString(text) {
				t.Errorf("%q does not match %q", tt.pattern, text)
			}
		}
		for _, text := range tt.no {
			if p.MatchString(text) {
				t.Errorf("%q matches %q", tt.pattern, text)
			}
		}
	}
}

func FuzzCompile(f *testing.F) {
	f.Add("a[!b-c]*?")
	f.Fuzz(func(t *testing.T, pattern string) { Compile(pattern) })
}
