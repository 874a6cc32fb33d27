package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

var errItems = errors.New("wire: a large value is not well-formed")

// countItems refuses CBOR whose first item consists of more than limit items,
// those in lists and maps counted. It knows the heads of items (RFC 8949,
// section 3) and nothing of what they mean; it takes no memory and, as each item
// counts, no longer than limit items take.
func countItems(data []byte, limit int) error {
	for items, open := 0, 1; open > 0; items++ {
		if items >= limit {
			return fmt.Errorf("wire: a value of more than %d parts", limit)
		}
		if len(data) == 0 {
			return errItems
		}
		major, n := data[0]>>5, uint64(data[0]&0x1f)
		data = data[1:]
		if n >= 24 {
			if n > 27 { // reserved, or of indefinite length
				return errItems
			}
			width := 1 << (n - 24)
			if len(data) < width {
				return errItems
			}
			var b [8]byte
			copy(b[8-width:], data)
			n, data = binary.BigEndian.Uint64(b[:]), data[width:]
		}
		open--
		switch major {
		case 2, 3: // strings
			if n > uint64(len(data)) {
				return errItems
			}
			data = data[n:]
		case 4: // lists
			if n > maxElements {
				return errItems
			}
			open += int(n)
		case 5: // maps
			if n > maxElements {
				return errItems
			}
			open += 2 * int(n)
		case 6: // tags
			return errItems
		}
	}
	return nil
}
