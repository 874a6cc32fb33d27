package project

import "testing"

func TestCanonicalArch(t *testing.T) {
	for name, want := range map[string]string{
		"x86_64": "x86-64", "AMD64": "x86-64", "i686": "x86-32", "arm": "aarch32", "ppc64le": "power-isa-le", "vax": "",
	} {
		if got, known := CanonicalArch(name); got != want || known != (want != "") {
			t.Errorf("%s: %q (known: %v), want %q", name, got, known, want)
		}
	}
	if HostArch() == "" || hostOS() == "" {
		t.Errorf("the host is %q, %q", hostOS(), HostArch())
	}
}
