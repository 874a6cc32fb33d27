package wire

import (
	"reflect"

	"bst/impl/stream"
)

// parts lists the structs that orders and events are made of. They never travel
// alone, and so have no number; a struct that is not here does not cross, so
// that nothing begins to cross because somebody put a pointer to it in a field.
var parts = []reflect.Type{
	// In orders.
	reflect.TypeFor[stream.Session](),
	reflect.TypeFor[stream.Settings](),
	reflect.TypeFor[stream.ProjectSettings](),
	reflect.TypeFor[stream.Mount](),
	reflect.TypeFor[stream.Caches](),
	reflect.TypeFor[stream.CacheServers](),
	reflect.TypeFor[stream.Remote](),

	// In events.
	reflect.TypeFor[stream.Key](),
	reflect.TypeFor[stream.Pair](),
	reflect.TypeFor[stream.ProjectHeading](),
	reflect.TypeFor[stream.Error](),
	reflect.TypeFor[stream.Failure](),
	reflect.TypeFor[stream.Summary](),
	reflect.TypeFor[stream.QueueSummary](),
	reflect.TypeFor[stream.ElementFailure](),
	reflect.TypeFor[stream.Usage](),
	reflect.TypeFor[stream.OpenWorkspace](),
	reflect.TypeFor[stream.ContentsFile](),
}
