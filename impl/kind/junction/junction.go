// Package junction is the element kind "junction": the way into another
// project. The loader opens the project; here is what remains of the element,
// which has sources to fetch but makes no artifact.
package junction

import (
	"context"

	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/stream"
)

// Traits are what the kind is.
func Traits() kind.Traits {
	return kind.Traits{
		Kind:            "junction",
		ForbidBuildDeps: true, ForbidRuntimeDeps: true,
		RunCommands: true,
		New:         func() kind.Element { return new(element) },
	}
}

type element struct{}

func (*element) Configure(config *node.Node, env kind.Env) error {
	if err := config.ValidateKeys("path", "options", "overrides", "aliases", "map-aliases"); err != nil {
		return err
	}
	if _, err := config.GetStr("path", ""); err != nil {
		return err
	}
	for _, key := range []string{"options", "aliases"} {
		if _, err := config.GetMapping(key); err != nil {
			return err
		}
	}
	overrides, err := config.GetMapping("overrides")
	if err != nil {
		return err
	}
	for _, path := range overrides.Keys() {
		name, err := overrides.GetStr(path, "")
		if err != nil {
			return err
		}
		if name == env.Name() {
			e := overrides.Get(path).Errorf("override-junction-with-self",
				"Attempt to override subproject junction '%s' with the overriding junction '%s' itself", path, name)
			e.Domain = stream.DomainElement
			return e
		}
	}
	strategy, err := config.GetStr("map-aliases", "none")
	if err == nil && strategy != "none" && strategy != "identity" {
		err = config.Get("map-aliases").Errorf("INVALID_DATA", "Value of 'map-aliases' should be one of 'none, identity'")
	}
	return err
}

func (*element) ConfigureDependencies([]kind.Dependency) error { return nil }

func (*element) UniqueKey() any { return 1 }

func (*element) Assemble(context.Context, kind.Assembly) (string, error) {
	return "", &stream.Error{Domain: stream.DomainPipeline, Message: "Cannot build junction elements"}
}
