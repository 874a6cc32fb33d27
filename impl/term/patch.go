package term

import "strconv"

// nearby is how many unchanged columns between two changed ones are written
// again rather than jumped over: a jump and the colour after it cost as much.
const nearby = 6

// column is one column of a line: a character and the SGR sequences that are in
// force there, "" for the terminal's own look.
type column struct {
	look string
	char byte
}

// patch appends what turns a line that is on the screen, at whose start the
// cursor is, into another, where that is less than writing the other whole. It
// does so only for lines of printable ASCII with SGR sequences: of others,
// terminals do not agree which column a character is in.
func patch(buf []byte, old, line string) ([]byte, bool) {
	was, ok := columns(old)
	if !ok {
		return buf, false
	}
	now, ok := columns(line)
	if !ok {
		return buf, false
	}
	start, at, look := len(buf), 0, ""
	common := min(len(was), len(now))
	for i := 0; i < len(now); {
		if i < common && was[i] == now[i] {
			i++
			continue
		}
		end := changedUntil(was, now, i)
		buf = moveRight(buf, i-at)
		for ; i < end; i++ {
			if now[i].look != look {
				if look != "" {
					buf = append(buf, "\x1b[m"...)
				}
				look = now[i].look
				buf = append(buf, look...)
			}
			buf = append(buf, now[i].char)
		}
		at = end
		if len(buf)-start > len(line) {
			return buf[:start], false
		}
	}
	if look != "" {
		buf = append(buf, "\x1b[m"...)
	}
	if len(now) < len(was) {
		buf = moveRight(buf, len(now)-at)
		buf = append(buf, eraseToEnd...)
	}
	return buf, len(buf)-start <= len(line)+len(eraseToEnd)
}

// changedUntil is where the change that begins at column i ends.
func changedUntil(was, now []column, i int) int {
	end := i + 1
	for k := end; k < len(now) && k-end <= nearby; k++ {
		if k >= len(was) || was[k] != now[k] {
			end = k + 1
		}
	}
	return end
}

func moveRight(buf []byte, n int) []byte {
	if n <= 0 {
		return buf
	}
	buf = append(buf, "\x1b["...)
	if n > 1 {
		buf = strconv.AppendInt(buf, int64(n), 10)
	}
	return append(buf, 'C')
}

// columns takes a line apart.
func columns(line string) ([]column, bool) {
	out := make([]column, 0, len(line))
	look := ""
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c >= ' ' && c < 0x7f:
			at := look
			if c == ' ' {
				at = "" // blanks look the same in every colour
			}
			out = append(out, column{at, c})
		case c == 0x1b && i+1 < len(line) && line[i+1] == '[':
			end := i + 2
			for end < len(line) && (line[end] >= '0' && line[end] <= '9' || line[end] == ';') {
				end++
			}
			if end == len(line) || line[end] != 'm' {
				return nil, false
			}
			switch parameters := line[i+2 : end]; {
			case parameters == "" || parameters == "0":
				look = ""
			case look == "" || len(parameters) > 1 && parameters[:2] == "0;":
				look = line[i : end+1]
			default:
				look += line[i : end+1]
			}
			i = end
		default:
			return nil, false
		}
	}
	return out, true
}
