// Package graphtest is elements for the tests of kinds that look at the graph:
// they tell what they need at run time, and where their sources come from.
package graphtest

import (
	"path"
	"strings"
	"testing"

	"bst/impl/kind"
	"bst/impl/kind/kindtest"
)

// Element is an element by its name.
type Element struct {
	name    string
	runtime []kind.Handle
	sources []kind.DescribedSource
}

var _ kind.Described = (*Element)(nil)

// New makes an element that needs others at run time.
func New(name string, runtime ...*Element) *Element {
	e := &Element{name: name}
	for _, r := range runtime {
		e.runtime = append(e.runtime, r)
	}
	return e
}

// Needs adds what the element needs at run time.
func (e *Element) Needs(other *Element) { e.runtime = append(e.runtime, other) }

// Source adds a source that reports where it comes from.
func (e *Element) Source(sourceKind string, infos ...kind.SourceInfo) *Element {
	for i := range infos {
		infos[i].Kind = sourceKind
	}
	e.sources = append(e.sources, source{sourceKind, infos})
	return e
}

func (e *Element) Name() string                    { return e.name }
func (e *Element) FullName() string                { return "junction.bst:" + e.name }
func (e *Element) ProjectName() string             { return "project" }
func (e *Element) HasArtifact() bool               { return true }
func (e *Element) ElementKind() string             { return "manual" }
func (e *Element) Runtime() []kind.Handle          { return e.runtime }
func (e *Element) Sources() []kind.DescribedSource { return e.sources }
func (e *Element) NormalName() string {
	return strings.ReplaceAll(strings.TrimSuffix(e.name, path.Ext(e.name)), "/", "-")
}

type source struct {
	kind  string
	infos []kind.SourceInfo
}

func (s source) Kind() string                    { return s.kind }
func (s source) Info() ([]kind.SourceInfo, bool) { return s.infos, s.infos != nil }

// Dependency makes one on an element with a config, "" for none.
func Dependency(t testing.TB, e *Element, config string) kind.Dependency {
	t.Helper()
	d := kindtest.Dependency(t, e.name, config)
	d.Element = e
	return d
}
