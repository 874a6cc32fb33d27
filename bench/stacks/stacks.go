// Package stacks makes projects to measure with: stacks of elements whose shape
// asks one question each, and closures of Debian's real graph.
//
// The same Spec gives the same bytes on every machine and for ever: golden
// hashes in the test hold it to that. The package knows what a project looks
// like on disk, for BuildStream 2 and for 1.6; it does not know how to load one.
package stacks

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"bst/bench/debian"
)

// Kind is a family of stacks.
type Kind string

const (
	// Chain is a line of elements, each needing the one before: nothing can run
	// side by side, and staging is quadratic for who stages naively.
	Chain Kind = "chain"
	// Fan is many elements that need nothing under one that needs them all.
	Fan Kind = "fan"
	// Diamond is layers; each element needs two of the layer below, drawn with
	// the seed, so that paths part and meet again.
	Diamond Kind = "diamond"
	// Layers is like Diamond, with five elements needed of the layer below: what
	// an element is built from soon is everything below it.
	Layers Kind = "layers"
	// Rapid is many elements with nothing to do at all, not even a source: what
	// is left is the scheduler, the messages and the drawing.
	Rapid Kind = "rapid"
	// LongLogs is many elements that print much while they are built.
	LongLogs Kind = "long-logs"
	// Failures is many elements of which each third fails: the build goes on.
	Failures Kind = "failures"
	// DeepJunctions is projects in projects, ten elements or more in each.
	DeepJunctions Kind = "deep-junctions"
	// WideFiles is elements of many small files.
	WideFiles Kind = "wide-files"
	// Sources is elements whose sources are fetched, from files beside the project:
	// no network is waited for.
	Sources Kind = "sources"
	// Debian is the closure of a real package, or the whole distribution.
	Debian Kind = "debian"
	// Real is a project that is there already, and is not made.
	Real Kind = "project"
)

// Kinds are all kinds that can be made, in the order in which help texts list them.
func Kinds() []Kind {
	return []Kind{Chain, Fan, Diamond, Layers, Rapid, LongLogs, Failures, DeepJunctions, WideFiles, Sources, Debian}
}

// Whole is the Root that stands for all of Debian.
const Whole = "all"

// maxElements bounds what a Spec may ask for: ten times the largest graph
// that is known.
const maxElements = 1_000_000

// Spec says which stack is meant.
type Spec struct {
	Kind Kind
	// N is the number of elements, the target included. Of Debian it is the number
	// of packages, for Whole only: 0 stands for all of them. The closures of
	// single packages have the size that they have.
	N int
	// Seed draws the dependencies of Diamond and Layers and marks the files of every kind but
	// Debian: another seed gives other cache keys.
	Seed uint64
	// Root is the package whose closure is meant, or Whole. Of Real it is the name
	// that the project has in reports.
	Root string
	// Dir is where a Real project lies.
	Dir string
}

// ParseReal reads NAME=DIR, a real project.
func ParseReal(text string) (Spec, error) {
	name, dir, ok := strings.Cut(text, "=")
	if !ok || dir == "" || name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" {
		return Spec{}, fmt.Errorf("stacks: %q is no project: want NAME=DIR, the name of small letters, digits, dots and dashes", text)
	}
	return Spec{Kind: Real, Root: name, Dir: dir}, nil
}

// Name is a short name of the stack, fit for a file and for a benchmark's name.
func (s Spec) Name() string {
	if s.Kind == Real {
		return s.Root
	}
	if s.Kind == Debian {
		name := "debian-" + s.Root
		if s.Root == Whole && s.N > 0 {
			name += "-" + strconv.Itoa(s.N)
		}
		return name
	}
	name := string(s.Kind) + "-" + strconv.Itoa(s.N)
	if s.Seed != 0 {
		name += "-seed" + strconv.FormatUint(s.Seed, 10)
	}
	return name
}

// Project is the name of the stack's project: Name, with what a project's name
// may not hold replaced by underscores.
func (s Spec) Project() string {
	return strings.Map(func(c rune) rune {
		if c == '+' || c == '.' {
			return '_'
		}
		return c
	}, s.Name())
}

// Target is the file name of the element that needs all others; empty, a Real
// project's own choice.
func (s Spec) Target() string {
	switch s.Kind {
	case Real:
		return ""
	case Debian:
		return s.Root + ".bst"
	case Chain:
		return s.numbered(s.N) + ".bst"
	}
	return top + ".bst"
}

// top is the name of the target that holds a stack together.
const top = "top"

// numbered is the name of an element that has only a number.
func (s Spec) numbered(number int) string {
	return fmt.Sprintf("e%0*d", len(strconv.Itoa(s.N)), number)
}

// ParseName is Name's inverse.
func ParseName(name string) (Spec, error) {
	kind, rest, _ := strings.Cut(name, "-")
	for _, k := range Kinds() {
		if after, ok := strings.CutPrefix(name, string(k)+"-"); ok {
			kind, rest = string(k), after
		}
	}
	spec := Spec{Kind: Kind(kind)}
	if !slices.Contains(Kinds(), spec.Kind) {
		return Spec{}, fmt.Errorf("stacks: no kind %q in %q; there are %v", kind, name, Kinds())
	}
	if spec.Kind == Debian {
		if spec.Root = rest; rest == "" {
			return Spec{}, fmt.Errorf("stacks: %q names no package; debian-git or debian-%s would", name, Whole)
		}
		if size, ok := strings.CutPrefix(rest, Whole+"-"); ok {
			n, err := strconv.Atoi(size)
			if err != nil || n < 1 {
				return Spec{}, fmt.Errorf("stacks: %q does not say how many packages; debian-%s-1000 would", name, Whole)
			}
			spec.Root, spec.N = Whole, n
		}
		return spec, nil
	}
	size, seed, seeded := strings.Cut(rest, "-seed")
	var err error
	if spec.N, err = strconv.Atoi(size); err != nil {
		return Spec{}, fmt.Errorf("stacks: the size in %q: %w", name, err)
	}
	if seeded {
		if spec.Seed, err = strconv.ParseUint(seed, 10, 64); err != nil {
			return Spec{}, fmt.Errorf("stacks: the seed in %q: %w", name, err)
		}
	}
	return spec, nil
}

// Stack is a project that was thought of and not yet written.
type Stack struct {
	// Name is the project's name.
	Name string
	// Elements stand after what they need.
	Elements []Element
	// Sub is a subproject, reached by a junction; nil for none.
	Sub *Stack
}

// Element is one element of a stack.
type Element struct {
	// Name is its file's name without ".bst".
	Name string
	// Content is the content of the one local file that the element imports.
	// Without one it is a stack element.
	Content string
	// Files are the files that it imports instead, by their paths.
	Files map[string]string
	// Upstream is the content of a file that it imports instead, which is fetched.
	Upstream string
	// Shells are programs that it imports as /bin/sh, by the machine they are for.
	Shells map[string][]byte
	// Command is what it runs in a sandbox.
	Command string
	// Depends are the names of elements it needs for building and running.
	Depends []string
}

// Edges counts the dependencies.
func (s *Stack) Edges() int {
	n := 0
	for _, e := range s.Elements {
		n += len(e.Depends)
	}
	if s.Sub != nil {
		n += s.Sub.Edges()
	}
	return n
}

// Size counts the elements.
func (s *Stack) Size() int {
	if s.Sub != nil {
		return len(s.Elements) + s.Sub.Size()
	}
	return len(s.Elements)
}

// Generate makes the stack that spec describes.
func Generate(spec Spec) (*Stack, error) {
	if spec.Kind == Debian {
		return closure(spec)
	}
	if least := map[Kind]int{LongLogs: 4, Failures: 6}[spec.Kind]; spec.N < least {
		return nil, fmt.Errorf("stacks: a %s of %d elements: the size must be at least %d", spec.Kind, spec.N, least)
	}
	if spec.N < 2 || spec.N > maxElements {
		return nil, fmt.Errorf("stacks: a %s of %d elements: the size must be between 2 and %d", spec.Kind, spec.N, maxElements)
	}
	s := &Stack{Name: spec.Project()}
	switch spec.Kind {
	case Chain:
		s.chain(spec)
	case Fan:
		s.fan(spec, true)
	case Rapid:
		s.fan(spec, false)
	case Diamond:
		s.layers(spec, 2)
	case Layers:
		s.layers(spec, 5)
	case LongLogs:
		s.longLogs(spec)
	case Failures:
		s.failures(spec)
	case DeepJunctions:
		s.deepJunctions(spec)
	case WideFiles:
		s.wideFiles(spec)
	case Sources:
		s.sources(spec)
	default:
		return nil, fmt.Errorf("stacks: no kind %q; there are %v", spec.Kind, Kinds())
	}
	return s, nil
}

// add appends the element with the given number and returns its name.
func (s *Stack) add(spec Spec, number int, file bool, depends ...string) string {
	e := Element{Name: spec.numbered(number), Depends: depends}
	if file {
		e.Content = fmt.Sprintf("%s %s %d\n", s.Name, e.Name, spec.Seed)
	}
	s.Elements = append(s.Elements, e)
	return e.Name
}

func (s *Stack) addTop(depends []string) {
	s.Elements = append(s.Elements, Element{Name: top, Depends: depends})
}

func (s *Stack) chain(spec Spec) {
	before := s.add(spec, 1, true)
	for i := 2; i <= spec.N; i++ {
		before = s.add(spec, i, true, before)
	}
}

func (s *Stack) fan(spec Spec, files bool) {
	var leaves []string
	for i := 1; i < spec.N; i++ {
		leaves = append(leaves, s.add(spec, i, files))
	}
	s.addTop(leaves)
}

// layers makes each element need some of the layer below.
func (s *Stack) layers(spec Spec, some int) {
	// As many layers as elements a layer, as nearly as whole numbers allow.
	width := 1
	for width*width < spec.N-1 {
		width++
	}
	random := rand.New(rand.NewPCG(spec.Seed, 0))
	var below, layer []string
	for i := 1; i < spec.N; i++ {
		layer = append(layer, s.add(spec, i, true, draw(random, below, some)...))
		if len(layer) == width {
			below, layer = layer, nil
		}
	}
	// What nothing else needs hangs from the target.
	s.addTop(s.loose())
}

// draw gives some of a list in its order, or all where there are no more.
func draw(random *rand.Rand, list []string, some int) []string {
	if len(list) <= some {
		return slices.Clone(list)
	}
	var drawn []int // sorted
	for k := range some {
		n := random.IntN(len(list) - k)
		at := 0
		for ; at < k && n >= drawn[at]; at++ {
			n++
		}
		drawn = slices.Insert(drawn, at, n)
	}
	names := make([]string, some)
	for i, n := range drawn {
		names[i] = list[n]
	}
	return names
}

// loose are the elements that no other needs.
func (s *Stack) loose() []string {
	needed := map[string]bool{}
	for _, e := range s.Elements {
		for _, name := range e.Depends {
			needed[name] = true
		}
	}
	var loose []string
	for _, e := range s.Elements {
		if !needed[e.Name] {
			loose = append(loose, e.Name)
		}
	}
	return loose
}

// closure makes one import element of each package, with one small file that
// says which package it stands for.
func closure(spec Spec) (*Stack, error) {
	graph, err := debian.Load()
	if err != nil {
		return nil, err
	}
	s := &Stack{Name: spec.Project()}
	if spec.Root != Whole {
		if graph, err = graph.Closure(spec.Root); err != nil {
			return nil, err
		}
	}
	if spec.N < 0 || spec.N > len(graph.Packages) {
		return nil, fmt.Errorf("stacks: %d packages of Debian: there are %d", spec.N, len(graph.Packages))
	}
	s.Elements = make([]Element, 0, len(graph.Packages)+1)
	done := make(map[string]bool, len(graph.Packages))
	var visit func(debian.Package) error
	visit = func(p debian.Package) error {
		if done[p.Name] {
			return nil
		}
		done[p.Name] = true
		for _, name := range p.Depends {
			dep, ok := graph.Lookup(name)
			if !ok {
				return fmt.Errorf("stacks: %s depends on %q, which is not there", p.Name, name)
			}
			if err := visit(dep); err != nil {
				return err
			}
		}
		s.Elements = append(s.Elements, Element{
			Name:    p.Name,
			Content: fmt.Sprintf("%s %s %d\n", p.Name, p.Version, p.SizeKiB),
			Depends: p.Depends,
		})
		return nil
	}
	for _, p := range graph.Packages {
		if err := visit(p); err != nil {
			return nil, err
		}
	}
	if spec.Root != Whole {
		return s, nil
	}
	if spec.N == 0 {
		s.Elements = append(s.Elements, Element{Name: Whole, Depends: graph.Roots()})
		return s, nil
	}
	// Packages stand after what they need, so the first ones need no others.
	s.Elements = s.Elements[:spec.N]
	s.Elements = append(s.Elements, Element{Name: Whole, Depends: s.loose()})
	return s, nil
}
