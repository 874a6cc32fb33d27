package kind

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// Helpers for kinds that stage dependencies at locations of their choice.

// Elements are the handles of dependencies.
func Elements(deps []Dependency) []Handle {
	handles := make([]Handle, len(deps))
	for i, dep := range deps {
		handles[i] = dep.Element
	}
	return handles
}

// Paths gives a layout as keys hold it: the dependencies' paths by location.
func Paths(layout map[string][]Dependency) map[string][]string {
	paths := make(map[string][]string, len(layout))
	for location, deps := range layout {
		for _, dep := range deps {
			paths[location] = append(paths[location], dep.Path)
		}
	}
	return paths
}

// StageLayout stages the dependencies of each location with what they need at
// run time, parent directories first, and integrates those in the root.
func StageLayout(ctx context.Context, a Assembly, layout map[string][]Dependency) error {
	for _, location := range slices.Sorted(maps.Keys(layout)) {
		err := a.Activity("Staging dependencies at: "+location, func() error {
			return a.StageDependencies(ctx, StageDeps{Selection: Elements(layout[location]), Path: location})
		})
		if err != nil {
			return err
		}
	}
	if len(layout["/"]) == 0 {
		return nil
	}
	return a.Activity("Integrating sandbox", func() error {
		return a.Integrate(ctx, a.Dependencies(Elements(layout["/"])))
	})
}

// PutFile writes a file into the virtual root, with the folders that lead to it.
func PutFile(ctx context.Context, a Assembly, path string, content []byte, executable bool) error {
	root, err := a.Root(ctx)
	if err != nil {
		return err
	}
	digest, err := root.Store().PutBytes(content)
	if err != nil {
		return err
	}
	path = strings.Trim(path, "/")
	if slash := strings.LastIndexByte(path, '/'); slash > 0 {
		if err := root.MkdirAll(path[:slash]); err != nil {
			return err
		}
	}
	return root.AddFile(path, digest, executable)
}
