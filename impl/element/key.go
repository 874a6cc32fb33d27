package element

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"runtime"
	"slices"

	"bst/impl/element/cachekey"
	"bst/impl/parallel"
)

// A cache key is the SHA-256 of JSON with sorted keys:
//
//	core-artifact-version, dependencies, element-base-key, element-plugin-key,
//	element-plugin-name, element-plugin-version, environment, fatal-warnings,
//	public, sandbox, sources, weak-cache-key
//
// Nearly all of it are the dependencies: everything that the element is built
// from, with the runtime closure. So nothing of that is kept: the closure is
// walked anew for each element, and the text is hashed as it is made.

// coreVersion is BST_CORE_ARTIFACT_VERSION.
const coreVersion = `{"core-artifact-version":11,"dependencies":[`

// keyer computes keys. Several keyers share names and keyed.
type keyer struct {
	elements []*Element
	closures closures
	// names[i] is `["project","name"` of element i; keyed[i] is that and its
	// strict key, nil while there is none.
	names, keyed [][]byte
	// prefixes[i] is where the hashes of element i were after its dependencies;
	// nil where nobody goes on from there.
	prefixes []*prefix

	weak, strict hasher
	tail         []byte
}

// prefix is the state of an element's hashes after the list of what it is built
// from, which is also the list of what it needs at run time.
type prefix struct {
	// length is the number of elements in the list.
	length       int
	weak, strict hash.Cloner
	// plain says that the list in the weak key holds names alone.
	plain bool
}

// keep notes the state after e's dependencies where another element goes on from
// there.
func (k *keyer) keep(e *Element, length int) error {
	p := k.prefixes[e.Index]
	if p == nil {
		return nil
	}
	var err error
	if p.weak, err = k.weak.clone(); err == nil {
		p.strict, err = k.strict.clone()
	}
	p.length, p.plain = length, plainNames(e)
	return err
}

// resume lets the hashes go on after the list of e's first dependency, and
// tells how many elements need not be hashed any more.
func (k *keyer) resume(e *Element) (weak, strict int, err error) {
	if len(e.Build) == 0 {
		return 0, 0, nil
	}
	p := k.prefixes[e.Build[0].Index]
	if p == nil || p.strict == nil || p.length == 0 {
		return 0, 0, nil
	}
	if err := k.strict.from(p.strict); err != nil {
		return 0, 0, err
	}
	if !p.plain || !plainNames(e) {
		return 0, p.length, nil
	}
	return p.length, p.length, k.weak.from(p.weak)
}

// plainNames says that no dependency stands with its key in e's weak key.
func plainNames(e *Element) bool { return !e.Traits.StrictRebuild && len(e.strict) == 0 }

// hasher hashes in large pieces: closures have many small ones.
type hasher struct {
	hash hash.Hash
	buf  []byte
}

const hasherSize = 32 << 10

func (h *hasher) reset() {
	if h.hash == nil {
		h.hash = sha256.New()
		h.buf = make([]byte, 0, hasherSize)
	}
	h.hash.Reset()
	h.buf = append(h.buf[:0], coreVersion...)
}

// clone is the state of the hash so far.
func (h *hasher) clone() (hash.Cloner, error) {
	h.flush()
	return h.hash.(hash.Cloner).Clone()
}

// from goes on from a state.
func (h *hasher) from(state hash.Cloner) error {
	c, err := state.Clone()
	if err == nil {
		h.hash, h.buf = c, h.buf[:0]
	}
	return err
}

func (h *hasher) flush() {
	h.hash.Write(h.buf) // a hash takes everything
	h.buf = h.buf[:0]
}

// room makes room for n bytes.
func (h *hasher) room(n int) {
	if len(h.buf)+n > hasherSize {
		h.flush()
	}
}

func (h *hasher) write(p []byte) {
	h.room(len(p))
	h.buf = append(h.buf, p...)
}

func (h *hasher) sum() string {
	h.flush()
	var sum [sha256.Size]byte
	return hex.EncodeToString(h.hash.Sum(sum[:0]))
}

// computeKeys sets the keys of all elements, as far as refs are known.
func (g *Graph) computeKeys(ctx context.Context) error {
	n := len(g.Elements)
	names, keyed := make([][]byte, n), make([][]byte, n)
	var arena []byte
	for i, e := range g.Elements {
		start := len(arena)
		arena = appendName(arena, e)
		// When the arena grows, earlier names stay in the old one.
		names[i] = arena[start:len(arena):len(arena)]
	}

	prefixes := make([]*prefix, n)
	for _, e := range g.Elements {
		if len(e.Build) == 0 {
			continue
		}
		if first := e.Build[0]; slices.Equal(first.Build, first.Runtime) && prefixes[first.Index] == nil {
			prefixes[first.Index] = new(prefix)
		}
	}

	workers := runtime.GOMAXPROCS(0)
	keyers := make([]*keyer, workers)
	deps := newAdjacency(g.Elements)
	for i := range keyers {
		keyers[i] = &keyer{elements: g.Elements, closures: newClosures(deps), names: names, keyed: keyed, prefixes: prefixes}
	}
	free := make(chan *keyer, workers)
	for _, k := range keyers {
		free <- k
	}
	for _, level := range g.levels() {
		if len(level) < 4 { // a chain: not worth a goroutine
			k := keyers[0]
			for _, e := range level {
				if err := k.key(e); err != nil {
					return err
				}
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			continue
		}
		// Elements of a level do not depend on each other.
		chunk := max(1, min(64, len(level)/(4*workers)))
		chunks := (len(level) + chunk - 1) / chunk
		err := parallel.Do(ctx, chunks, func(i int) error {
			k := <-free
			defer func() { free <- k }()
			for _, e := range level[i*chunk : min((i+1)*chunk, len(level))] {
				if err := k.key(e); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// levels groups the elements so that all dependencies of an element lie in
// lower levels.
func (g *Graph) levels() [][]*Element {
	depth := make([]int, len(g.Elements))
	counts := []int{}
	for i, e := range g.Elements {
		d := 0
		for _, dep := range e.Build {
			d = max(d, depth[dep.Index]+1)
		}
		for _, dep := range e.Runtime {
			d = max(d, depth[dep.Index]+1)
		}
		depth[i] = d
		if d == len(counts) {
			counts = append(counts, 0)
		}
		counts[d]++
	}
	all := make([]*Element, len(g.Elements))
	levels := make([][]*Element, len(counts))
	start := 0
	for d, n := range counts {
		levels[d] = all[start : start : start+n]
		start += n
	}
	for i, e := range g.Elements {
		levels[depth[i]] = append(levels[depth[i]], e)
	}
	return levels
}

// key sets the keys of e. Those of its dependencies are set already.
func (k *keyer) key(e *Element) error {
	if !e.SourcesResolved {
		return nil
	}
	k.weak.reset()
	k.strict.reset()
	// What the hashes go on from was complete, or it would not have been kept.
	weakDone, strictDone, err := k.resume(e)
	if err != nil {
		return err
	}
	haveWeak, haveStrict := true, true
	closure := k.closures.of(e.Index)
	withKeys := !plainNames(e)
	for i, dep := range closure {
		if i >= weakDone {
			w, name := &k.weak, k.names[dep]
			w.room(len(name) + len(`,,""]`) + 2*sha256.Size)
			if i > 0 {
				w.buf = append(w.buf, ',')
			}
			w.buf = append(w.buf, name...)
			if withKeys {
				if d := k.elements[dep]; e.Traits.StrictRebuild || e.Strict(d) {
					haveWeak = haveWeak && d.WeakKey != ""
					w.buf = append(append(append(w.buf, `,"`...), d.WeakKey...), '"')
				}
			}
			w.buf = append(w.buf, ']')
		}
		if i >= strictDone {
			key := k.keyed[dep]
			haveStrict = haveStrict && key != nil
			s := &k.strict
			s.room(len(key) + 1)
			if i > 0 {
				s.buf = append(s.buf, ',')
			}
			s.buf = append(s.buf, key...)
		}
	}
	if !haveWeak {
		return nil
	}
	if haveStrict {
		if err := k.keep(e, len(closure)); err != nil {
			return err
		}
	}
	tail, err := e.appendTail(k.tail[:0])
	if err != nil {
		return err
	}
	k.tail = tail
	k.weak.write(tail)
	k.weak.write([]byte("}"))
	e.WeakKey = k.weak.sum()
	if !haveStrict {
		return nil
	}
	k.strict.write(tail)
	k.strict.write(weakPart(e.WeakKey))
	e.StrictKey = k.strict.sum()
	name := k.names[e.Index]
	keyed := make([]byte, 0, len(name)+len(`,""]`)+2*sha256.Size)
	k.keyed[e.Index] = append(append(append(append(keyed, name...), `,"`...), e.StrictKey...), `"]`...)
	return nil
}

// StrongKey is the key of e as it is built: from dependencies that have the
// keys that key tells. It is empty where one of them is, or where e lacks a
// ref. In strict mode it is the strict key.
func (g *Graph) StrongKey(e *Element, key func(*Element) string) (string, error) {
	if e.WeakKey == "" {
		return "", nil
	}
	var h hasher
	h.reset()
	complete, first := true, true
	var text []byte
	for dep := range g.Dependencies(ScopeBuild, e) {
		k := key(dep)
		if k == "" {
			complete = false
			break
		}
		text = text[:0]
		if !first {
			text = append(text, ',')
		}
		first = false
		text = append(append(append(appendName(text, dep), `,"`...), k...), `"]`...)
		h.write(text)
	}
	if !complete {
		return "", nil
	}
	tail, err := e.appendTail(nil)
	if err != nil {
		return "", err
	}
	h.write(tail)
	h.write(weakPart(e.WeakKey))
	return h.sum(), nil
}

// appendName writes how keys name an element, without the closing bracket. The
// name is local to its project.
func appendName(dst []byte, e *Element) []byte {
	dst = cachekey.AppendString(append(dst, '['), e.Project.Name)
	return cachekey.AppendString(append(dst, ','), e.Name)
}

func weakPart(key string) []byte {
	return []byte(`,"weak-cache-key":"` + key + `"}`)
}

// appendTail writes what comes between the dependencies and the weak key.
func (e *Element) appendTail(dst []byte) ([]byte, error) {
	dst = append(dst, `],"element-base-key":{"build-root":`...)
	if root, ok := e.Variables.Get("build-root"); ok {
		dst = cachekey.AppendString(dst, root)
	} else {
		dst = append(dst, "null"...)
	}
	dst = append(dst, `},"element-plugin-key":`...)
	dst, err := cachekey.Append(dst, e.Impl.UniqueKey())
	if err != nil {
		return dst, err
	}
	dst = cachekey.AppendString(append(dst, `,"element-plugin-name":`...), e.Kind)
	dst, _ = cachekey.Append(append(dst, `,"element-plugin-version":`...), e.Traits.ArtifactVersion)
	if e.RunCommands {
		dst = append(append(dst, `,"environment":`...), e.environmentJSON...)
	}
	fatal := slices.Clone(e.Project.FatalWarnings())
	slices.Sort(fatal)
	dst = cachekey.AppendStrings(append(dst, `,"fatal-warnings":`...), fatal)
	dst = append(dst, `,"public":`...)
	if e.publicJSON != nil {
		dst = append(dst, e.publicJSON...)
	} else {
		dst = cachekey.AppendNode(dst, e.Public)
	}
	if e.RunCommands {
		dst = append(append(dst, `,"sandbox":`...), e.sandboxJSON...)
	}
	return e.appendSources(append(dst, `,"sources":`...)), nil
}
