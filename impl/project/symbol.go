package project

import (
	"strings"

	"bst/impl/node"
)

// checkSymbol refuses names that are no symbols: letters, digits, underscores
// and, where dashes says so, dashes; no digit first. purpose is what the name
// is for. at is where it stands.
func checkSymbol(name, purpose string, at *node.Node, dashes bool) error {
	valid := name != "" && (name[0] < '0' || name[0] > '9')
	for i := 0; i < len(name); i++ {
		c := name[i]
		valid = valid && (c == '_' || c == '-' && dashes || c >= '0' && c <= '9' ||
			c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z')
	}
	if valid {
		return nil
	}
	err := at.Errorf("INVALID_SYMBOL_NAME", "Invalid symbol name for %s: '%s'", purpose, name)
	err.Detail = "Symbol names must contain only alphanumeric characters, " +
		"may not start with a digit, and may contain underscores"
	if dashes {
		err.Detail += " or dashes"
	}
	return err
}

// validElementName says that a name consists of printable ASCII that every
// file system takes.
func validElementName(name string) bool {
	for i := 0; i < len(name); i++ {
		if name[i] <= 31 || name[i] >= 127 || strings.IndexByte(`<>"|?*`, name[i]) >= 0 {
			return false
		}
	}
	return true
}
