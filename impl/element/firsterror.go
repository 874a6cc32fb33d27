package element

import "context"

// firstError gives the error that the reference would have given, which
// resolves one element after the other: the targets first, each before its
// dependencies, and completed after them. Elements are resolved anew, in that
// order: this is only done where resolving them all at once has failed, with
// known.
func (r *resolution) firstError(ctx context.Context, known error) error {
	again := newResolution(r.loaded, r.options, r.layers)
	place := make(map[*Element]int, len(again.graph.Elements))
	unknown := make([]error, len(again.graph.Elements))
	for i, e := range again.graph.Elements {
		place[e] = i
		unknown[i] = again.identify(i)
	}
	type frame struct{ place, next int }
	var stack []frame
	entered := make([]bool, len(place))
	enter := func(i int) error {
		if entered[i] {
			return nil
		}
		entered[i] = true
		if unknown[i] != nil {
			return unknown[i]
		}
		stack = append(stack, frame{place: i})
		return again.configure(again.graph.Elements[i], again.loaded.All[i])
	}
	for _, target := range again.graph.Targets {
		err := enter(place[target])
		for err == nil && len(stack) > 0 {
			if ctx.Err() != nil {
				return known
			}
			top := &stack[len(stack)-1]
			e, l := again.graph.Elements[top.place], again.loaded.All[top.place]
			if top.next > 0 {
				if _, err = again.appendDependency(nil, e, l.Deps[top.next-1]); err != nil {
					break
				}
			}
			if top.next == len(l.Deps) {
				stack = stack[:len(stack)-1]
				err = again.complete(e, l)
				continue
			}
			top.next++
			err = enter(place[again.index[l.Deps[top.next-1].Element]])
		}
		if err != nil {
			return err
		}
	}
	return known
}
