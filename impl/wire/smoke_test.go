package wire

import "testing"

func TestListedTypesCross(t *testing.T) {
	if err := Check(); err != nil {
		t.Fatal(err)
	}
	if _, err := plans(); err != nil {
		t.Fatal(err)
	}
}
