package registry

import "strings"

// challenged finds what is to be done for a token among the values of
// WWW-Authenticate (RFC 9110, section 11.6.1; RFC 6750, section 3). ok is false where
// a registry wants something else.
func challenged(values []string) (parameters map[string]string, ok bool) {
	for _, value := range values {
		scheme, rest, _ := strings.Cut(strings.TrimSpace(value), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			continue
		}
		parameters = make(map[string]string)
		for rest != "" {
			var name, text string
			name, rest, _ = strings.Cut(rest, "=")
			if rest, ok = strings.CutPrefix(rest, `"`); ok {
				text, rest = quoted(rest)
			} else {
				text, rest, _ = strings.Cut(rest, ",")
			}
			rest = strings.TrimLeft(rest, ", \t")
			parameters[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(text)
		}
		return parameters, true
	}
	return nil, false
}

// quoted reads up to the closing quotation mark.
func quoted(from string) (text, rest string) {
	var b strings.Builder
	for i := 0; i < len(from); i++ {
		switch c := from[i]; {
		case c == '"':
			return b.String(), from[i+1:]
		case c == '\\' && i+1 < len(from):
			i++
			b.WriteByte(from[i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}
