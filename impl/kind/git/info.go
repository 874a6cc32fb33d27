package git

import (
	"regexp"
	"strings"
	"sync"

	"bst/impl/kind"
	"bst/impl/stream"
)

// SourceInfo tells the commit, and guesses its version by the tag that the ref
// may start with.
func (s *source) SourceInfo() ([]kind.SourceInfo, error) {
	// As the reference has it: the URL stays as the project writes it.
	info := Info(s.url, s.ref, kind.Versioning{Version: s.version, Pattern: s.guess})
	return []kind.SourceInfo{info}, nil
}

// Info describes a commit. A ref in the form of `git describe --long` names a
// tag, and how many commits come after it.
func Info(url, ref string, version kind.Versioning) kind.SourceInfo {
	info := kind.SourceInfo{
		URL: url, Medium: kind.MediumGit, VersionType: kind.VersionCommit, Version: stripTag(ref), Ref: ref,
	}
	if version.Version != nil {
		info.Guess = *version.Version
	}
	i := strings.LastIndex(ref, "-g")
	if i < 0 {
		return info
	}
	tag, offset := ref[:i], ""
	if dash := strings.LastIndexByte(tag, '-'); dash >= 0 {
		tag, offset = tag[:dash], tag[dash+1:]
	}
	if offset != "" && offset != "0" {
		info.Extra = []stream.Pair{{Name: "commit-offset", Value: offset}}
	}
	if version.Version == nil {
		info.Guess = kind.GuessVersion(tag, version.Pattern)
	}
	return info
}

// TaggedInfo is Info as git_repo and go_module report it: with the tag, and the
// offset whatever it is.
func TaggedInfo(url, ref string, version kind.Versioning) kind.SourceInfo {
	info := Info(url, ref, version)
	info.Extra = nil
	if m := taggedRef().FindStringSubmatch(ref); m != nil {
		info.Extra = []stream.Pair{{Name: "tag-name", Value: m[1]}, {Name: "commit-offset", Value: m[2]}}
	}
	return info
}

// OffsetInfo is TaggedInfo without the tag, as git_tag and git_module have it.
func OffsetInfo(url, ref string, version kind.Versioning) kind.SourceInfo {
	info := TaggedInfo(url, ref, version)
	if len(info.Extra) > 0 {
		info.Extra = info.Extra[1:]
	}
	return info
}

var taggedRef = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(.+)-([0-9]+)-g[0-9a-f]{40}`) })
