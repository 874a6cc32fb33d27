package kind

import "strings"

// urlSchemes are what may stand before the first colon of a URL without being
// an alias.
var urlSchemes = []string{"http", "https", "ftp", "file", "git", "sftp", "ssh"}

// SplitAlias takes a URL apart at its alias, "" where it has none.
func SplitAlias(url string) (alias, rest string) {
	before, after, found := strings.Cut(url, ":")
	if !found {
		return "", url
	}
	for _, scheme := range urlSchemes {
		if strings.EqualFold(before, scheme) {
			return "", url
		}
	}
	return before, after
}

// FetchURLs gives the URLs to fetch from, in order. An alias that has the name
// of a scheme has no mirrors, but is translated all the same, as in the
// reference.
func FetchURLs(env SourceEnv, url string) []string {
	urls := env.URLs(url)
	if len(urls) == 1 && urls[0] == url {
		return []string{env.Translate(url)}
	}
	return urls
}

// URLDirectory is the name of the directory that keeps what was fetched from a
// URL: all but ASCII letters, digits and '%' become '_', one for each character.
func URLDirectory(url string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '%':
			return r
		}
		return '_'
	}, url)
}
