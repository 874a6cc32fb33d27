package codecs

import (
	"fmt"
	"time"
	"unsafe"

	"google.golang.org/protobuf/proto"

	pb "bst/bench/codecs/eventspb"
	"bst/impl/stream"
)

// The contract has plain structs, and so a Protocol Buffers codec has its own
// messages to fill and to empty: that is part of what it costs.

func encodeProtobuf(to []byte, ev stream.Event) ([]byte, error) {
	m, err := toEvent(ev)
	if err != nil {
		return nil, err
	}
	return proto.MarshalOptions{}.MarshalAppend(to, m)
}

func decodeProtobuf(data []byte) (stream.Event, error) {
	var m pb.Event
	if err := proto.Unmarshal(data, &m); err != nil {
		return nil, err
	}
	return fromEvent(&m)
}

// raw gives a string's bytes, which are only read.
func raw(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

func nanoseconds(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	n := t.UnixNano()
	return &n
}

func instant(n *int64) time.Time {
	if n == nil {
		return time.Time{}
	}
	return time.Unix(0, *n)
}

func each[T, U any](list []T, f func(*T) U) []U {
	if list == nil {
		return nil
	}
	made := make([]U, len(list))
	for i := range list {
		made[i] = f(&list[i])
	}
	return made
}

func values[T, U any](list []*T, f func(*T) U) []U {
	if list == nil {
		return nil
	}
	made := make([]U, len(list))
	for i, m := range list {
		made[i] = f(m)
	}
	return made
}

func optional[T, U any](v *T, f func(*T) *U) *U {
	if v == nil {
		return nil
	}
	return f(v)
}

func toEvent(ev stream.Event) (*pb.Event, error) {
	switch e := ev.(type) {
	case *stream.Started:
		return &pb.Event{Event: &pb.Event_Started{Started: toStarted(e)}}, nil
	case *stream.Stage:
		return &pb.Event{Event: &pb.Event_Stage{Stage: toStage(e)}}, nil
	case *stream.Heading:
		return &pb.Event{Event: &pb.Event_Heading{Heading: toHeading(e)}}, nil
	case *stream.ElementShown:
		return &pb.Event{Event: &pb.Event_ElementShown{ElementShown: toElementShown(e)}}, nil
	case *stream.PipelineShown:
		return &pb.Event{Event: &pb.Event_PipelineShown{PipelineShown: toPipelineShown(e)}}, nil
	case *stream.Message:
		return &pb.Event{Event: &pb.Event_Message{Message: toMessage(e)}}, nil
	case *stream.Queue:
		return &pb.Event{Event: &pb.Event_Queue{Queue: toQueue(e)}}, nil
	case *stream.Counts:
		return &pb.Event{Event: &pb.Event_Counts{Counts: toCounts(e)}}, nil
	case *stream.JobStarted:
		return &pb.Event{Event: &pb.Event_JobStarted{JobStarted: toJobStarted(e)}}, nil
	case *stream.JobProgress:
		return &pb.Event{Event: &pb.Event_JobProgress{JobProgress: toJobProgress(e)}}, nil
	case *stream.JobFinished:
		return &pb.Event{Event: &pb.Event_JobFinished{JobFinished: toJobFinished(e)}}, nil
	case *stream.State:
		return &pb.Event{Event: &pb.Event_State{State: toState(e)}}, nil
	case *stream.CacheUsage:
		return &pb.Event{Event: &pb.Event_CacheUsage{CacheUsage: toCacheUsage(e)}}, nil
	case *stream.Finished:
		return &pb.Event{Event: &pb.Event_Finished{Finished: toFinished(e)}}, nil
	}
	return nil, fmt.Errorf("codecs: events.proto has no %T", ev)
}

func fromEvent(m *pb.Event) (stream.Event, error) {
	switch e := m.Event.(type) {
	case *pb.Event_Started:
		v := fromStarted(e.Started)
		return &v, nil
	case *pb.Event_Stage:
		v := fromStage(e.Stage)
		return &v, nil
	case *pb.Event_Heading:
		v := fromHeading(e.Heading)
		return &v, nil
	case *pb.Event_ElementShown:
		v := fromElementShown(e.ElementShown)
		return &v, nil
	case *pb.Event_PipelineShown:
		v := fromPipelineShown(e.PipelineShown)
		return &v, nil
	case *pb.Event_Message:
		v := fromMessage(e.Message)
		return &v, nil
	case *pb.Event_Queue:
		v := fromQueue(e.Queue)
		return &v, nil
	case *pb.Event_Counts:
		v := fromCounts(e.Counts)
		return &v, nil
	case *pb.Event_JobStarted:
		v := fromJobStarted(e.JobStarted)
		return &v, nil
	case *pb.Event_JobProgress:
		v := fromJobProgress(e.JobProgress)
		return &v, nil
	case *pb.Event_JobFinished:
		v := fromJobFinished(e.JobFinished)
		return &v, nil
	case *pb.Event_State:
		v := fromState(e.State)
		return &v, nil
	case *pb.Event_CacheUsage:
		v := fromCacheUsage(e.CacheUsage)
		return &v, nil
	case *pb.Event_Finished:
		v := fromFinished(e.Finished)
		return &v, nil
	}
	return nil, fmt.Errorf("codecs: a message without an event")
}
