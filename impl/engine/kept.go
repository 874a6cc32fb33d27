package engine

import (
	"maps"
	"slices"

	"bst/impl/element"
	"bst/impl/stream"
)

// keep keeps the sandbox of a failed build, of which no artifact holds a copy,
// until a person has answered: a shell can be opened in it as it is.
func (w *world) keep(a *assembly) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.kept == nil {
		w.kept = make(map[*element.Element]*assembly)
	}
	w.kept[a.e] = a
}

// keptOf gives what is kept of an element's failed build, nil for nothing.
func (w *world) keptOf(e *element.Element) *assembly {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.kept[e]
}

// dropKept removes what is kept of an element.
func (w *world) dropKept(e *element.Element) error {
	w.mu.Lock()
	a := w.kept[e]
	delete(w.kept, e)
	w.mu.Unlock()
	if a == nil {
		return nil
	}
	return a.close()
}

// dropKept removes what is kept of failed jobs; nil stands for all. What cannot be
// removed is told; the next session tries again.
func (r *runner) dropKept(jobs []stream.JobID) {
	var elements []*element.Element
	if jobs == nil {
		r.w.mu.RLock()
		elements = slices.Collect(maps.Keys(r.w.kept))
		r.w.mu.RUnlock()
	}
	r.mu.Lock()
	for _, id := range jobs {
		if e := r.failed[id]; e != nil {
			elements = append(elements, e)
		}
	}
	r.mu.Unlock()
	for _, e := range elements {
		if err := r.w.dropKept(e); err != nil {
			r.s.mainJournal(e, r.w).message(stream.TypeWarning, nil, "The sandbox could not be removed", err.Error())
		}
	}
}
