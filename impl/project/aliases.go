package project

import (
	"fmt"
	"slices"
	"strings"

	"bst/impl/stream"
)

// Aliases stand for the beginnings of URLs: "alias:rest". A junction may hand
// a subproject's aliases to those of the project that it is in.

// TranslateURL replaces the alias of a URL by what it stands for. A URL
// without an alias of the project comes back as it is. first asks for what
// junctions see. The error is SOURCE/missing-alias-mapping.
func (p *Project) TranslateURL(url string, first bool) (string, error) {
	alias, rest, ok := strings.Cut(url, ":")
	if !ok {
		return url, nil
	}
	base := p.alias(alias, first)
	if base == "" {
		return url, nil
	}
	if p.junction != nil {
		if parent := p.junction.parentAlias(alias); parent != "" {
			return p.Parent.TranslateURL(parent+":"+rest, first)
		}
		if p.Parent.disallowSubprojectURIs {
			return "", missingAlias(alias)
		}
	}
	return base + rest, nil
}

// AliasURLs are the URLs to try for "alias:rest", in order: the default mirror's,
// the other mirrors', the alias' own; fetch.source may leave out some, or all.
// Nil for no alias of the project.
func (p *Project) AliasURLs(alias, rest string, first bool) []string {
	return p.aliasURLs(alias, rest, first, p.session.options.FetchSource)
}

// TrackURLs are the URLs to track "alias:rest" by, in order: the last of what
// AliasURLs would give first, as far as track.source allows them. Nil for no
// alias of the project.
func (p *Project) TrackURLs(alias, rest string, first bool) []string {
	policy := p.session.options.TrackSource
	if policy == "" {
		policy = "aliases"
	}
	urls := p.aliasURLs(alias, rest, first, policy)
	slices.Reverse(urls)
	return urls
}

func (p *Project) aliasURLs(alias, rest string, first bool, policy string) []string {
	own := p.alias(alias, first)
	if own == "" {
		return nil
	}
	if p.junction != nil {
		if parent := p.junction.parentAlias(alias); parent != "" {
			return p.Parent.aliasURLs(parent, rest, first, policy)
		}
		if p.Parent.disallowSubprojectURIs {
			return nil
		}
	}
	pass := p.pass(first)
	urls := []string{}
	// As it is documented: the reference takes the project's mirrors for the
	// user's, and the user's for none.
	if policy != "aliases" && (policy != "user" || pass.ownMirrors) {
		for _, mirror := range pass.mirrors {
			list := mirror.urls(alias, rest)
			if mirror.Name == pass.defaultMirror {
				urls = append(list, urls...)
			} else {
				urls = append(urls, list...)
			}
		}
	}
	if policy == "" || policy == "all" || policy == "aliases" {
		urls = append(urls, own+rest)
	}
	return urls
}

// CheckAlias says whether source, which uses an alias, may: where the alias
// stands for one of the including project, that one counts. Errors are
// SOURCE/invalid-source-alias and SOURCE/missing-alias-mapping.
func (p *Project) CheckAlias(alias, source string, first bool) (bool, error) {
	if p.junction == nil {
		return p.HasAlias(alias, first), nil
	}
	parent := p.junction.parentAlias(alias)
	if parent == "" {
		if p.Parent.disallowSubprojectURIs {
			err := missingAlias(alias)
			err.Message = source + ": " + err.Message
			return false, err
		}
		return p.HasAlias(alias, first), nil
	}
	ok, err := p.Parent.CheckAlias(parent, source, first)
	if err != nil || ok {
		return ok, err
	}
	junction := p.junction.Element
	return false, &stream.Error{Domain: stream.DomainSource, Reason: "invalid-source-alias",
		Message: fmt.Sprintf("junction element at %s: Mapped alias '%s' for subproject alias '%s' is invalid in the parent project",
			junction.Provenance(), parent, alias)}
}

// HasAlias says whether alias is one of the project's: only then is "alias:rest"
// a URL with an alias.
func (p *Project) HasAlias(alias string, first bool) bool { return p.alias(alias, first) != "" }

// Mirrors are the source mirrors in order, the first pass' for junctions.
func (p *Project) Mirrors(first bool) []Mirror { return p.pass(first).mirrors }

func (p *Project) alias(alias string, first bool) string {
	return p.pass(first).aliases.Get(alias).Text()
}

// parentAlias is the alias of the including project that stands for one of the
// subproject, "" for none.
func (j *Junction) parentAlias(alias string) string {
	if parent := j.aliases.Get(alias); parent != nil {
		return parent.Text()
	}
	if j.mapAliases {
		return alias
	}
	return ""
}

func missingAlias(alias string) *stream.Error {
	return &stream.Error{Domain: stream.DomainSource, Reason: "missing-alias-mapping",
		Message: "Parent project did not provide a mapping for alias '" + alias +
			"' and disallowed usage of unmapped aliases"}
}
