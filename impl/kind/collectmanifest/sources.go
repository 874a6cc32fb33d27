package collectmanifest

import (
	"path"
	"regexp"
	"strings"
	"sync"

	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/stream"
)

// This file puts what sources report in the words of flatpak-builder's
// manifests, and finds products and versions in it.

// exporters are the source kinds of the community's package that write their own
// part of a manifest: the older way to say where sources come from.
var exporters = map[string]bool{
	"cargo2": true, "cpan": true, "git_repo": true, "git_tag": true, "go_module": true, "patch_queue": true, "pypi": true,
}

// describe gives the product and version of an element: as its public data
// says, and guessed where that is silent.
func describe(a kind.Assembly, h kind.Described, public *node.Node) (*node.Node, error) {
	declared, err := public.GetMapping("cpe")
	if err != nil {
		return nil, err
	}
	cpe := kind.Texts()
	var pattern *string
	for _, key := range declared.Keys() {
		if key != "version-match" {
			cpe.Set(key, declared.Get(key).Clone())
		} else if pattern, err = optional(declared, key); err != nil {
			return nil, err
		}
	}
	if cpe.Get("product") == nil {
		cpe.Set("product", node.NewVerbatim(path.Base(strings.TrimSuffix(h.Name(), path.Ext(h.Name())))))
	}
	if cpe.Get("version") != nil || len(h.Sources()) == 0 {
		return cpe, nil
	}
	version, err := guess(h, pattern)
	switch {
	case err != nil:
		return nil, failure("%s: the version-match of %s cannot be used: %s", a.Name(), h.Name(), err)
	case version != "":
		cpe.Set("version", node.NewVerbatim(version))
	case pattern != nil:
		return nil, failure("%s: %s: version match string \"%s\" did not match anything.", a.Name(), h.Name(), *pattern)
	default:
		a.Message(stream.TypeWarning, "Missing version to "+h.Name()+".", "")
	}
	return cpe, nil
}

var usual = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\d+\.\d+(?:\.\d+)?`) })

// guess looks for a version in the names of files and in refs. The groups of the
// pattern are the version's parts.
func guess(h kind.Described, pattern *string) (string, error) {
	match := usual()
	if pattern != nil {
		var err error
		if match, err = regexp.Compile(*pattern); err != nil {
			return "", err
		}
	}
	for _, s := range h.Sources() {
		git := strings.HasPrefix(s.Kind(), "git")
		if !git && !exporters[s.Kind()] && s.Kind() != "tar" && s.Kind() != "zip" {
			continue
		}
		infos, _ := s.Info()
		for _, info := range infos {
			var text string
			switch info.Medium {
			case kind.MediumGit:
				text = ref(info)
			case kind.MediumRemote:
				text = basename(info.URL)
			default:
				continue
			}
			if groups := match.FindStringSubmatch(text); len(groups) > 1 {
				return strings.Join(groups[1:], "."), nil
			} else if groups != nil && groups[0] != "" {
				return groups[0], nil
			}
		}
	}
	return "", nil
}

// ref is a commit as the project names it.
func ref(info kind.SourceInfo) string {
	if info.Ref != "" {
		return info.Ref
	}
	return info.Version
}

// exported says where the sources of an element come from in the older way: only
// some kinds do.
func exported(h kind.Described) *node.Node {
	found := node.NewSequence(nil, stream.Provenance{})
	for _, s := range h.Sources() {
		infos, _ := s.Info()
		for i, info := range infos {
			switch k := s.Kind(); {
			case k == "patch":
				found.Append(kind.Texts("type", "patch", "path", basename(info.URL)))
			case k == "patch_queue":
				if i == 0 { // one entry for all patches
					found.Append(kind.Texts("type", "patch", "path", path.Dir(info.URL)))
				}
			case info.Medium == kind.MediumGit && (k == "git" || exporters[k]):
				found.Append(kind.Texts("type", "git", "url", info.URL, "commit", ref(info)))
			case info.Medium == kind.MediumRemote && (k == "tar" || k == "zip" || exporters[k]):
				found.Append(kind.Texts("type", "archive", "url", info.URL, "sha256", info.Version))
			}
		}
	}
	return found
}

// collectInfos is what the sources of an element report.
func collectInfos(a kind.Assembly, h kind.Described) []kind.SourceInfo {
	var all []kind.SourceInfo
	for _, s := range h.Sources() {
		infos, ok := s.Info()
		if !ok {
			a.Message(stream.TypeWarning, "[unavailable-source-info]: "+h.Name()+": sources of kind '"+s.Kind()+"' do not report where they come from", "")
		}
		all = append(all, infos...)
	}
	return all
}

// locations are the infos in the words of a manifest; null for what it has no
// word for.
func locations(a kind.Assembly, infos []kind.SourceInfo) *node.Node {
	found := node.NewSequence(nil, stream.Provenance{})
	for _, info := range infos {
		var at *node.Node
		switch {
		case info.Medium == kind.MediumGit:
			commit, tag, offset := info.Version, "", ""
			for _, extra := range info.Extra {
				switch extra.Name {
				case "tag-name":
					tag = extra.Value
				case "commit-offset":
					offset = extra.Value
				}
			}
			if tag != "" && offset != "" {
				commit = tag + "-" + offset + "-g" + commit
			}
			at = kind.Texts("type", "git", "url", info.URL, "commit", commit)
		case info.Medium == kind.MediumLocal && (info.Kind == "patch" || info.Kind == "patch_queue"):
			at = kind.Texts("type", "patch", "path", info.URL)
		case info.Medium == kind.MediumLocal:
			at = kind.Texts("type", "dir", "path", info.URL)
		case info.Medium == kind.MediumWorkspace:
			at = kind.Texts("type", "workspace")
		case info.Medium == kind.MediumRemote:
			at = kind.Texts("type", "archive", "url", info.URL, "sha256", info.Version)
		default:
			warn(a, "unsupported-source-info", "Unsupported source info medium "+info.Medium)
			found.Append(node.NewNone(stream.Provenance{}))
			continue
		}
		cpe := kind.Texts()
		if name, ok := packageName(a, info.Node()); ok {
			cpe.Set("product", node.NewVerbatim(name))
		}
		if info.Guess != "" {
			cpe.Set("version", node.NewVerbatim(info.Guess))
		}
		if cpe.Len() > 0 {
			at.Set("x-cpe", cpe)
		}
		found.Append(at)
	}
	return found
}

var (
	archiveEnd = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\.(tar|tgz|tbz|zip|crate)`) })
	versionAt  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[-_][0-9]`) })
)

// packageName tells a package by what a source reports (url, medium, kind,
// extra-data); false where that tells nothing.
func packageName(a kind.Assembly, info *node.Node) (string, bool) {
	if crate := info.Get("extra-data").Get("crate-name"); crate != nil {
		return crate.Text(), true
	}
	name, medium, kindName := basename(info.Get("url").Text()), info.Get("medium").Text(), info.Get("kind").Text()
	switch {
	case medium == kind.MediumGit:
		return strings.TrimSuffix(name, ".git"), true
	case medium == kind.MediumRemote || medium == "archive":
		for _, end := range []*regexp.Regexp{archiveEnd(), versionAt()} {
			if at := end.FindStringIndex(name); at != nil {
				name = name[:at[0]]
			}
		}
		return name, true
	case medium == kind.MediumLocal && strings.HasPrefix(kindName, "patch"):
		return "", false // a file, and no package
	case medium == kind.MediumLocal:
		return name, true
	}
	warn(a, "unsupported-source-info", "Can't extract a package name from a source of kind '"+kindName+"' and medium '"+medium+"': "+info.Get("url").Text())
	return "", false
}

// basename is what follows the last slash: nothing, where that ends the text.
func basename(text string) string { return text[strings.LastIndexByte(text, '/')+1:] }
