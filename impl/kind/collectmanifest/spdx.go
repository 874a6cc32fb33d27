package collectmanifest

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"bst/impl/kind"
	"bst/impl/node"
)

// This file makes SPDX 2.3 documents in JSON. What the project leaves out of the
// document's head is left out: others may put it in later.

// document is a document's head, as the project gives it.
type document struct {
	// creators is nil where it is not set.
	creators []string
	// created is in seconds since 1970; nil where it is not set.
	created                  *int
	license, namespace, name *string
}

// readSPDX reads a document's head.
func readSPDX(info *node.Node) (*document, error) {
	d := &document{}
	if info == nil {
		return d, nil
	}
	if err := info.ValidateKeys("creators", "created", "data-license", "doc-namespace", "name"); err != nil {
		return nil, err
	}
	var err error
	if info.Get("creators") != nil {
		if d.creators, err = info.GetStrs("creators"); err != nil {
			return nil, err
		}
		if d.creators == nil {
			d.creators = []string{}
		}
	}
	if info.Get("created") != nil {
		at, err := info.GetInt("created", 0)
		if err != nil {
			return nil, err
		}
		d.created = &at
	}
	for key, into := range map[string]**string{"data-license": &d.license, "doc-namespace": &d.namespace, "name": &d.name} {
		if *into, err = optional(info, key); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// key is the head in the order that cache keys have.
func (d *document) key() []any {
	key := make([]any, 5)
	if d.creators != nil {
		key[0] = d.creators
	}
	if d.created != nil {
		key[2] = *d.created
	}
	for i, text := range map[int]*string{1: d.license, 3: d.namespace, 4: d.name} {
		if text != nil {
			key[i] = *text
		}
	}
	return key
}

// output is the whole document.
func (d *document) output(a kind.Assembly, modules []module) (object, error) {
	var packages []spdxPackage
	for _, m := range modules {
		if m.infos != nil {
			packages = append(packages, reportedPackages(a, m.infos)...)
		} else {
			packages = append(packages, plainPackages(a, m.plain)...)
		}
	}
	sort.SliceStable(packages, func(i, j int) bool { return packages[i].id < packages[j].id })
	list, relationships := []any{}, []any{}
	for _, p := range packages {
		list = append(list, append(object{{"SPDXID", p.id}}, p.fields...))
		relationships = append(relationships, object{
			{"spdxElementId", "SPDXRef-DOCUMENT"}, {"relationshipType", "DESCRIBES"}, {"relatedSpdxElement", p.id},
		})
	}
	creation := object{}
	if len(d.creators) > 0 {
		creators := []any{}
		for _, c := range d.creators {
			creators = append(creators, c)
		}
		creation = append(creation, field{"creators", creators})
	}
	if d.created != nil && *d.created != 0 {
		at := time.Unix(int64(*d.created), 0).UTC()
		if at.Year() < 1 || at.Year() > 9999 {
			return nil, failure("%s: spdx-info's created, %d, is no time of the years 1 to 9999: it is to be in seconds since 1970", a.Name(), *d.created)
		}
		creation = append(creation, field{"created", at.Format("2006-01-02T15:04:05Z")})
	}
	out := object{
		{"SPDXID", "SPDXRef-DOCUMENT"}, {"spdxVersion", "SPDX-2.3"},
		{"packages", list}, {"relationships", relationships}, {"creationInfo", creation},
	}
	for _, f := range []struct {
		name string
		text *string
	}{{"documentNamespace", d.namespace}, {"dataLicense", d.license}, {"name", d.name}} {
		if f.text != nil && *f.text != "" {
			out = append(out, field{f.name, *f.text})
		}
	}
	return out, nil
}

// spdxPackage is a package: its fields come after its identifier.
type spdxPackage struct {
	id     string
	fields object
}

// reportedPackages has a package for each source of an element that reported
// where it comes from.
func reportedPackages(a kind.Assembly, element *node.Node) []spdxPackage {
	var packages []spdxPackage
	name := element.Get("name").Text()
	for i, info := range element.Get("source-infos").Items() {
		product, _ := packageName(a, info)
		if product == "" {
			product = name
		}
		version := info.Get("version-guess")
		if version == nil {
			version = info.Get("version")
		}
		packages = append(packages, spdxPackage{
			fmt.Sprintf("SPDXRef-%s-%s-%d", element.Get("project-name").Text(), name, i),
			object{
				{"filesAnalyzed", false}, {"name", product}, {"downloadLocation", info.Get("url").Text()},
				{"versionInfo", version.Text()}, {"sourceInfo", info.Get("kind").Text()},
			},
		})
	}
	return packages
}

// plainPackages does the same by an element's part of a plain manifest.
func plainPackages(a kind.Assembly, m *node.Node) []spdxPackage {
	var packages []spdxPackage
	name, cpe := m.Get("name").Text(), m.Get("x-cpe")
	for i, source := range m.Get("sources").Items() {
		product, url := name, source.Get("url")
		if url != nil {
			if found, ok := packageName(a, kind.Texts("url", url.Text(), "medium", source.Get("type").Text())); ok {
				product = found
			}
		}
		fields := object{
			{"comment", "Product: " + cpe.Get("product").Text()}, {"filesAnalyzed", false}, {"name", product},
		}
		if url != nil {
			fields = append(fields, field{"downloadLocation", url.Text()})
		}
		if version := cpe.Get("version"); version != nil {
			fields = append(fields, field{"versionInfo", version.Text()})
		}
		if of := source.Get("type"); of != nil {
			fields = append(fields, field{"sourceInfo", of.Text()})
		}
		packages = append(packages, spdxPackage{fmt.Sprintf("SPDXRef-%s-%d", strings.ReplaceAll(name, "/", "-"), i), fields})
	}
	return packages
}
