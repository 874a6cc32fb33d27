package kind

import (
	"context"
	"errors"
	"strings"

	"bst/impl/stream"
)

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

// TrackURLs gives the URLs to track by, in order.
func TrackURLs(env SourceEnv, url string) []string {
	urls := env.TrackURLs(url)
	if len(urls) == 1 && urls[0] == url {
		return []string{env.Translate(url)}
	}
	return urls
}

// FetchFrom tries each URL to fetch from until one has what is wanted. Where none has,
// the error is the last one's, and says what all said.
func FetchFrom(ctx context.Context, kindName string, env SourceEnv, url string, try func(url string) error) error {
	urls := FetchURLs(env, url)
	if len(urls) == 0 {
		return NoURLs(kindName, env, url)
	}
	return anyOf(ctx, urls, try)
}

// TrackFrom asks each URL for a newer ref until one answers. Its errors are as
// FetchFrom's.
func TrackFrom(ctx context.Context, kindName string, env SourceEnv, url string, ask func(url string) error) error {
	urls := TrackURLs(env, url)
	if len(urls) == 0 {
		e := SourceErrorf(kindName, env, "missing-source-alias-target", "No tracking URI found for '%s'", url)
		e.Detail = "'track.source' in the user configuration says which URLs to track by, and none that it allows has this alias.\n" +
			"Add a mirror to 'projects.<name>.mirrors' there, or let track.source be 'aliases'."
		return e
	}
	return anyOf(ctx, urls, ask)
}

// anyOf tries URLs until one works. Trying again may help if it may with any of them.
func anyOf(ctx context.Context, urls []string, try func(url string) error) error {
	var last error
	var failed []string
	again := false
	for _, url := range urls {
		if last = try(url); last == nil || ctx.Err() != nil {
			return last
		}
		failed = append(failed, last.Error())
		var e *stream.Error
		again = again || errors.As(last, &e) && e.Temporary
	}
	var e *stream.Error
	if !errors.As(last, &e) {
		return last
	}
	told := *e
	told.Temporary = again
	if len(failed) > 1 {
		told.Detail = strings.TrimSpace(strings.Join(failed, "\n") + "\n" + told.Detail)
	}
	return &told
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

// NoURLs is the error where FetchURLs gives none: the user's fetch.source leaves
// nothing to fetch from.
func NoURLs(kindName string, env SourceEnv, url string) error {
	e := SourceErrorf(kindName, env, "missing-source-alias-target", "No fetch URI found for '%s'", url)
	e.Detail = "'fetch.source' in the user configuration says which URLs to fetch from, and no mirror that it allows has this alias.\n" +
		"Add one to 'projects.<name>.mirrors' there, or let fetch.source be 'all'."
	return e
}
