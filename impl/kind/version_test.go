package kind

import "testing"

func TestGuessVersion(t *testing.T) {
	pattern := func(s string) *string { return &s }
	for _, tt := range []struct {
		text    string
		pattern *string
		want    string
	}{
		{"releases/1.2/pony-1.2.3.tgz", nil, "1.2.3"},
		{"pony-1.2.tgz", nil, "1.2"},
		{"pony", nil, ""},
		{"release-1_2_3-r2", pattern(`(\d+)_(\d+)(?:_(\d+))?(?:\-(r\d+))?`), "1.2.3.r2"},
		{"font-20120503.zip", pattern(`\d{8}`), "20120503"},
		{"pony-1.2", pattern(`(?<=x)1`), ""},
	} {
		if got := GuessVersion(tt.text, tt.pattern); got != tt.want {
			t.Errorf("%q: %q, not %q", tt.text, got, tt.want)
		}
	}
}

func FuzzGuessVersion(f *testing.F) {
	f.Add("pony-1.2.3", `(\d+)`)
	f.Fuzz(func(t *testing.T, text, pattern string) { GuessVersion(text, &pattern) })
}
