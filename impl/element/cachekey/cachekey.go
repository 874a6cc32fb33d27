// Package cachekey encodes values as the reference hashes them: JSON as
// Python's ujson writes it with sorted keys, ASCII only, without white space
// and with slashes as they are.
//
// It knows bytes and hashes. It does not know what a key is made of.
package cachekey

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"bst/impl/node"
)

// Sum is the key of a value that Append has encoded: its SHA-256, 64 hexadecimal
// digits.
func Sum(encoded []byte) string {
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:])
}

// Append encodes a value after dst: nil, bool, int, string, *node.Node, and
// maps by string and slices of these.
func Append(dst []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case int:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(dst, v, 10), nil
	case string:
		return AppendString(dst, v), nil
	case []string:
		return AppendStrings(dst, v), nil
	case []any:
		return appendSlice(dst, v)
	case [][]string:
		return appendSlice(dst, v)
	case []map[string]any:
		return appendSlice(dst, v)
	case map[string]any:
		return appendMap(dst, v)
	case map[string]string:
		return appendMap(dst, v)
	case map[string][]string:
		return appendMap(dst, v)
	case *node.Node:
		return AppendNode(dst, v), nil
	}
	return dst, fmt.Errorf("a cache key cannot hold a %T", value)
}

func appendSlice[T any](dst []byte, list []T) ([]byte, error) {
	dst = append(dst, '[')
	for i, item := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = Append(dst, item); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func appendMap[T any](dst []byte, m map[string]T) ([]byte, error) {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	dst = append(dst, '{')
	for i, key := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(AppendString(dst, key), ':')
		var err error
		if dst, err = Append(dst, m[key]); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// AppendStrings encodes a list of strings.
func AppendStrings(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendString(dst, s)
	}
	return append(dst, ']')
}

// AppendNode encodes a node. Its scalars are strings, or null.
func AppendNode(dst []byte, n *node.Node) []byte {
	if n == nil {
		return append(dst, "null"...)
	}
	switch n.Kind() {
	case node.Scalar:
		if n.IsNone() {
			return append(dst, "null"...)
		}
		return AppendString(dst, n.Text())
	case node.Sequence:
		dst = append(dst, '[')
		for i, item := range n.Items() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendNode(dst, item)
		}
		return append(dst, ']')
	}
	keys := slices.Clone(n.Keys())
	slices.Sort(keys)
	dst = append(dst, '{')
	for i, key := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(AppendString(dst, key), ':')
		dst = AppendNode(dst, n.Get(key))
	}
	return append(dst, '}')
}

// AppendString encodes a string: what is not ASCII as \uXXXX in UTF-16, control
// characters as \b \t \n \f \r or \u00XX. Slash, < > & and DEL stand as they
// are. A byte that is not UTF-8 becomes the surrogate by which Python reads it.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if escape := ascii[c]; escape != "" {
				dst = append(append(dst, s[start:i]...), escape...)
				start = i + 1
			}
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = appendUnit(dst, 0xdc00+rune(c))
		case r >= 0x10000:
			dst = appendUnit(dst, 0xd800+(r-0x10000)>>10)
			dst = appendUnit(dst, 0xdc00+(r-0x10000)&0x3ff)
		default:
			dst = appendUnit(dst, r)
		}
		i += size
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

const digits = "0123456789abcdef"

// appendUnit writes one UTF-16 code unit.
func appendUnit(dst []byte, u rune) []byte {
	return append(dst, '\\', 'u', digits[u>>12&15], digits[u>>8&15], digits[u>>4&15], digits[u&15])
}

// ascii holds the escapes of ASCII characters, "" for those that stand as they
// are.
var ascii = func() (table [utf8.RuneSelf]string) {
	for c := range 0x20 {
		table[c] = string(appendUnit(nil, rune(c)))
	}
	table['\b'], table['\t'], table['\n'], table['\f'], table['\r'] = `\b`, `\t`, `\n`, `\f`, `\r`
	table['"'], table['\\'] = `\"`, `\\`
	return table
}()
