package anitya

import "testing"

func TestRender(t *testing.T) {
	for _, tt := range []struct {
		template, version, want string
		ok                      bool
	}{
		{"up:a-{version}.tar", "1.2.3.4", "up:a-1.2.3.4.tar", true},
		{"{major}.{minor}/{patch}", "1.2.3", "1.2/3", true},
		{"{major}/{{x}}", "1", "1/{x}", true},
		{"plain", "1", "plain", true},
		{"{minor}", "1", "", false},
		{"{other}", "1", "", false},
		{"{version", "1", "", false},
		{"}", "1", "", false},
	} {
		if got, ok := render(tt.template, tt.version); ok != tt.ok || ok && got != tt.want {
			t.Errorf("%q with %q: %q, %v", tt.template, tt.version, got, ok)
		}
	}
}

func FuzzRender(f *testing.F) {
	f.Add("a-{version}-{major}{{}}", "1.2")
	f.Fuzz(func(t *testing.T, template, version string) { render(template, version) })
}
