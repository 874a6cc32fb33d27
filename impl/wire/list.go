package wire

import (
	"reflect"

	"bst/impl/stream"
)

// A number names a type on the wire. It is never given to another type, also
// not after its own was removed. Orders are below 64, events from 64 on, so
// that a stream read in the wrong direction is noticed.
type number = byte

// key tells apart the values of a latest-wins type: a new event replaces the
// queued one of the same type and key.
type key struct {
	job  stream.JobID
	name string
}

// entry is one type that crosses.
type entry struct {
	number number
	// name is the type's name, as traces and messages write it.
	name string
	// typ is the struct type.
	typ reflect.Type
	// key is nil for an event that is never dropped: its count is bounded by
	// the graph. Otherwise only the last value of each key counts, and a queue
	// drops the ones before it; but not a value for which key says false.
	key func(stream.Event) (key, bool)
}

// orders lists every order.
var orders = []entry{
	order[stream.Show](1),
	order[stream.Build](2),
	order[stream.Fetch](3),
	order[stream.Checkout](4),
	order[stream.Shell](5),
	order[stream.Attach](12),
	order[stream.Sessions](13),
	order[stream.Complete](17),
	order[stream.ShowArtifacts](18),
	order[stream.ListContents](19),
	order[stream.ArtifactLogs](20),
	order[stream.DeleteArtifacts](21),
	order[stream.Pull](22),
	order[stream.Push](23),
	order[stream.OpenWorkspaces](24),
	order[stream.CloseWorkspaces](25),
	order[stream.ResetWorkspaces](26),
	order[stream.ListWorkspaces](27),
	order[stream.Track](28),
	order[stream.CheckoutSources](29),
	order[stream.Init](30),
	order[stream.PushSources](31),

	order[stream.Continue](32),
	order[stream.Hold](33),
	order[stream.Quit](34),
	order[stream.Terminate](35),
	order[stream.Retry](36),
	order[stream.StageShell](37),
	order[stream.ShellDone](38),
	order[stream.Suspend](39),
	order[stream.Resume](40),
	order[stream.Detach](48),
}

// events lists every event, and whether a queue may drop values that a later
// one made obsolete.
var events = []entry{
	lossless[stream.Started](64),
	// A step's begin and end are log lines; what lies between is not.
	latest(65, func(e *stream.Stage) (key, bool) { return key{name: e.Name}, e.Current > 0 && !e.Done }),
	lossless[stream.Heading](66),
	lossless[stream.ElementShown](67), // as many as elements
	lossless[stream.PipelineShown](68),
	lossless[stream.Message](69), // log lines are never dropped; their number per job is fixed
	lossless[stream.Queue](70),
	latest(71, func(e *stream.Counts) (key, bool) { return key{name: e.Action}, true }),
	lossless[stream.JobStarted](72),
	latest(73, func(e *stream.JobProgress) (key, bool) { return key{job: e.Job}, true }),
	lossless[stream.JobFinished](74),
	latest(75, func(*stream.State) (key, bool) { return key{}, true }),
	latest(76, func(*stream.CacheUsage) (key, bool) { return key{}, true }),
	lossless[stream.ShellReady](77),
	lossless[stream.ShellRefused](78),
	lossless[stream.CheckoutDone](79),
	lossless[stream.Finished](80),
	lossless[stream.Detached](88),
	lossless[stream.SessionShown](89),     // as many as sessions
	lossless[stream.WorkspacesShown](104), // one a session
	lossless[stream.ArtifactShown](98),    // as many as targets
	lossless[stream.ArtifactContents](99), // as many as files
	lossless[stream.LogShown](100),        // as many as targets
	lossless[stream.ProjectMade](105),     // one a session
	lossless[stream.Completed](97),        // one a session, of bounded length
}

// byType finds an entry by the pointer type under which its values travel.
var byType = func() map[reflect.Type]*entry {
	table := make(map[reflect.Type]*entry, len(orders)+len(events))
	for _, list := range [][]entry{orders, events} {
		for i := range list {
			table[reflect.PointerTo(list[i].typ)] = &list[i]
		}
	}
	return table
}()

func order[T any, P interface {
	*T
	stream.Order
}](n number) entry {
	return newEntry[T](n)
}

func lossless[T any, P interface {
	*T
	stream.Event
}](n number) entry {
	return newEntry[T](n)
}

func latest[T any, P interface {
	*T
	stream.Event
}](n number, of func(P) (key, bool)) entry {
	e := newEntry[T](n)
	e.key = func(ev stream.Event) (key, bool) { return of(ev.(P)) }
	return e
}

func newEntry[T any](n number) entry {
	t := reflect.TypeFor[T]()
	return entry{number: n, name: t.Name(), typ: t}
}

// EventTypes are the struct types of all events, in the list's order, for
// whoever tells of every event in another form.
func EventTypes() []reflect.Type {
	types := make([]reflect.Type, len(events))
	for i := range events {
		types[i] = events[i].typ
	}
	return types
}

// Urgent says that somebody waits for an event, or must act on it: it is not held
// back to be sent along with others.
func Urgent(ev stream.Event) bool {
	switch ev := ev.(type) {
	case *stream.JobFinished:
		return ev.Failure != nil
	case *stream.Started, *stream.Detached, *stream.State, *stream.ShellReady, *stream.ShellRefused, *stream.CheckoutDone, *stream.Finished:
		return true
	case *stream.Message:
		return ev.Type == stream.TypeError || ev.Type == stream.TypeBug || ev.Type == stream.TypeFailure
	}
	return false
}
