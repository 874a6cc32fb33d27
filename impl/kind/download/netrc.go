package download

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// netrc holds the logins of a .netrc file.
type netrc struct {
	hosts map[string]login
	// fallback is the "default" entry, nil where there is none.
	fallback *login
}

type login struct{ user, password string }

// find gives the login for a host.
func (n *netrc) find(host string) (login, bool) {
	if n == nil {
		return login{}, false
	}
	if l, ok := n.hosts[host]; ok {
		return l, true
	}
	if n.fallback != nil {
		return *n.fallback, true
	}
	return login{}, false
}

// maxNetrc bounds what is read of a .netrc file, in bytes.
const maxNetrc = 1 << 20

// loadNetrc reads the user's .netrc: nil where there is none or no home to look
// in. An error says what is wrong with one that is there.
func loadNetrc() (*netrc, error) {
	path := os.Getenv("NETRC")
	if path == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, nil
		}
		path = filepath.Join(home, ".netrc")
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil, nil
	}
	if info.Size() > maxNetrc {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, maxNetrc)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	n, err := parseNetrc(string(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return n, nil
}

// parseNetrc reads the format of ftp(1): words, apart from macro definitions,
// which end at an empty line, and comments.
func parseNetrc(text string) (*netrc, error) {
	n := &netrc{hosts: map[string]login{}}
	var (
		current *login
		host    string
	)
	finish := func() {
		switch {
		case current == nil:
		case host == "":
			n.fallback = current
		default:
			if _, ok := n.hosts[host]; !ok {
				n.hosts[host] = *current
			}
		}
		current = nil
	}
	t := tokens{rest: text, line: 1}
	for {
		word, ok := t.next()
		if !ok {
			finish()
			return n, nil
		}
		switch {
		case word == "machine":
			finish()
			if host, ok = t.next(); !ok || host == "" {
				return nil, fmt.Errorf("line %d: machine without a name", t.line)
			}
			current = &login{}
		case word == "default":
			finish()
			host, current = "", &login{}
		case word == "macdef":
			finish()
			t.skipMacro()
		case strings.HasPrefix(word, "#"):
			t.skipLine()
		case current != nil && (word == "login" || word == "user" || word == "password" || word == "account"):
			value, ok := t.next()
			if !ok {
				return nil, fmt.Errorf("line %d: %s without a value", t.line, word)
			}
			switch word {
			case "login", "user":
				current.user = value
			case "password":
				current.password = value
			}
		default:
			return nil, fmt.Errorf("line %d: bad word %q", t.line, word)
		}
	}
}

// tokens takes a text apart into words; one in double quotes may hold spaces,
// and a backslash takes the next character as it is.
type tokens struct {
	rest string
	line int
}

func (t *tokens) next() (string, bool) {
	i := 0
	for i < len(t.rest) && isSpace(t.rest[i]) {
		if t.rest[i] == '\n' {
			t.line++
		}
		i++
	}
	t.rest = t.rest[i:]
	if t.rest == "" {
		return "", false
	}
	var word strings.Builder
	quoted := t.rest[0] == '"'
	i = 0
	if quoted {
		i = 1
	}
	for i < len(t.rest) {
		c := t.rest[i]
		if quoted && c == '"' {
			i++
			break
		}
		if !quoted && isSpace(c) {
			break
		}
		if c == '\\' && i+1 < len(t.rest) {
			i++
			c = t.rest[i]
		}
		if c == '\n' {
			t.line++
		}
		word.WriteByte(c)
		i++
	}
	t.rest = t.rest[i:]
	return word.String(), true
}

func (t *tokens) skipLine() {
	_, t.rest, _ = strings.Cut(t.rest, "\n")
	t.line++
}

func (t *tokens) skipMacro() {
	macro, rest, _ := strings.Cut(t.rest, "\n\n")
	t.line += strings.Count(macro, "\n") + 2
	t.rest = rest
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
