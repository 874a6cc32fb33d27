package download

import "testing"

// A project that names its own files by %{project-root} is the same on every system.
func TestDrive(t *testing.T) {
	for address, want := range map[string]string{
		`file://C:\project/files/a`: "file:///C:/project/files/a",
		"file://C:/project/a":       "file:///C:/project/a",
		"file:///C:/project/a":      "file:///C:/project/a",
		"file://localhost/a":        "file://localhost/a",
		"https://C:/a":              "https://C:/a",
	} {
		if got := withDrive(address); got != want {
			t.Errorf("%s became %s, want %s", address, got, want)
		}
	}
}
