package platform

import (
	"slices"
	"testing"
)

func TestTerminal(t *testing.T) {
	for _, c := range []struct {
		platform string
		there    bool
		env      map[string]string
		want     string
	}{
		{Linux, false, map[string]string{"SSH_TTY": "/dev/pts/1"}, NoTerminal},
		{Linux, true, nil, FastTerminal},
		{Linux, true, map[string]string{"SSH_TTY": "/dev/pts/1"}, SlowTerminal},
		{Linux, true, map[string]string{"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, SlowTerminal},
		{GVisor, true, nil, FastTerminal},
		{WSL1, true, nil, SlowTerminal},
		{WSL2, true, nil, SlowTerminal},
		{WSL2, false, nil, NoTerminal},
		{Windows, true, map[string]string{"WT_SESSION": "1"}, SlowTerminal},
		{Wine, true, nil, SlowTerminal},
	} {
		got := Terminal(c.platform, c.there, func(name string) string { return c.env[name] })
		if got != c.want || !slices.Contains(Terminals, got) {
			t.Errorf("%s, %v, %v: %s, want %s", c.platform, c.there, c.env, got, c.want)
		}
	}
}
