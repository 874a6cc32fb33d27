package early

import (
	"strings"
	"testing"
)

func TestWanted(t *testing.T) {
	for _, test := range []struct{ line, variable, want string }{
		{"bst --strategy pipe build a.bst", "", "pipe"},
		{"bst --strategy=socket+batched -C dir show a.bst", "", "socket+batched"},
		{"bst build a.bst", "pipe", "pipe"},
		{"bst --strategy inprocess build a.bst", "pipe", ""},
		{"bst --strategy pipe --strategy warm build", "", ""},
		{"bst --strategy warm build", "", ""},
		{"bst --strategy nothing build", "", ""},
		{"bst artifact log a.bst", "socket", "socket"},
		{"bst build a.bst", "", ""},
		{"bst --strategy pipe build --help", "", ""},
		{"bst -h build", "pipe", ""},
		{"bst --version", "pipe", ""},
		{"bst help build", "pipe", ""},
		{"bst completion bash", "pipe", ""},
		{"bst attach", "pipe", ""},
		{"bst __complete build", "pipe", ""},
		{"bst __backend pipe build", "pipe", ""},
		{"bst shell a.bst -- make --help", "pipe", "pipe"},
		{"bst shell a.bst -- make --strategy warm", "pipe", "pipe"},
		{"bst", "pipe", ""},
		{"bst --strategy", "pipe", ""},
		{"bst _ _", "pipe", ""},
		{"", "pipe", ""},
	} {
		if got := wanted(strings.Split(test.line, " "), test.variable); got != test.want {
			t.Errorf("%q with %q: %q, want %q", test.line, test.variable, got, test.want)
		}
	}
	if got := wanted(nil, "pipe"); got != "" {
		t.Errorf("no arguments: %q", got)
	}
}
