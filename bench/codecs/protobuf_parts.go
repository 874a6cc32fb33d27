package codecs

import (
	"time"

	pb "bst/bench/codecs/eventspb"
	"bst/impl/stream"
)

func toKey(v *stream.Key) *pb.Key {
	return &pb.Key{
		Full:   raw(v.Full),
		Strict: v.Strict,
	}
}

func fromKey(m *pb.Key) stream.Key {
	if m == nil {
		return stream.Key{}
	}
	return stream.Key{
		Full:   string(m.Full),
		Strict: m.Strict,
	}
}

func toPair(v *stream.Pair) *pb.Pair {
	return &pb.Pair{
		Name:  raw(v.Name),
		Value: raw(v.Value),
	}
}

func fromPair(m *pb.Pair) stream.Pair {
	if m == nil {
		return stream.Pair{}
	}
	return stream.Pair{
		Name:  string(m.Name),
		Value: string(m.Value),
	}
}

func toProjectHeading(v *stream.ProjectHeading) *pb.ProjectHeading {
	return &pb.ProjectHeading{
		Name:           raw(v.Name),
		Junction:       raw(v.Junction),
		LoadedBy:       raw(v.LoadedBy),
		Options:        each(v.Options, toPair),
		ElementPlugins: each(v.ElementPlugins, toPair),
		SourcePlugins:  each(v.SourcePlugins, toPair),
	}
}

func fromProjectHeading(m *pb.ProjectHeading) stream.ProjectHeading {
	if m == nil {
		return stream.ProjectHeading{}
	}
	return stream.ProjectHeading{
		Name:           string(m.Name),
		Junction:       string(m.Junction),
		LoadedBy:       string(m.LoadedBy),
		Options:        values(m.Options, fromPair),
		ElementPlugins: values(m.ElementPlugins, fromPair),
		SourcePlugins:  values(m.SourcePlugins, fromPair),
	}
}

func toError(v *stream.Error) *pb.Error {
	return &pb.Error{
		Domain:     raw(string(v.Domain)),
		Reason:     raw(v.Reason),
		Message:    raw(v.Message),
		Detail:     raw(v.Detail),
		Temporary:  v.Temporary,
		Sandbox:    v.Sandbox,
		Cause:      raw(v.Cause),
		TaskDomain: raw(string(v.TaskDomain)),
		TaskReason: raw(v.TaskReason),
	}
}

func fromError(m *pb.Error) stream.Error {
	if m == nil {
		return stream.Error{}
	}
	return stream.Error{
		Domain:     stream.Domain(m.Domain),
		Reason:     string(m.Reason),
		Message:    string(m.Message),
		Detail:     string(m.Detail),
		Temporary:  m.Temporary,
		Sandbox:    m.Sandbox,
		Cause:      string(m.Cause),
		TaskDomain: stream.Domain(m.TaskDomain),
		TaskReason: string(m.TaskReason),
	}
}

func toFailure(v *stream.Failure) *pb.Failure {
	return &pb.Failure{
		Error:   toError(&v.Error),
		LogTail: each(v.LogTail, func(s *string) []byte { return raw(*s) }),
		LogPath: raw(v.LogPath),
		Shell:   v.Shell,
		Held:    v.Held,
	}
}

func fromFailure(m *pb.Failure) stream.Failure {
	if m == nil {
		return stream.Failure{}
	}
	return stream.Failure{
		Error:   fromError(m.Error),
		LogTail: each(m.LogTail, func(b *[]byte) string { return string(*b) }),
		LogPath: string(m.LogPath),
		Shell:   m.Shell,
		Held:    m.Held,
	}
}

func toQueueSummary(v *stream.QueueSummary) *pb.QueueSummary {
	return &pb.QueueSummary{
		Action:    raw(v.Action),
		Processed: int64(v.Processed),
		Skipped:   int64(v.Skipped),
		Failed:    int64(v.Failed),
	}
}

func fromQueueSummary(m *pb.QueueSummary) stream.QueueSummary {
	if m == nil {
		return stream.QueueSummary{}
	}
	return stream.QueueSummary{
		Action:    string(m.Action),
		Processed: int(m.Processed),
		Skipped:   int(m.Skipped),
		Failed:    int(m.Failed),
	}
}

func toElementFailure(v *stream.ElementFailure) *pb.ElementFailure {
	return &pb.ElementFailure{
		Element: raw(v.Element),
		Key:     toKey(&v.Key),
		Action:  raw(v.Action),
		Error:   toError(&v.Error),
	}
}

func fromElementFailure(m *pb.ElementFailure) stream.ElementFailure {
	if m == nil {
		return stream.ElementFailure{}
	}
	return stream.ElementFailure{
		Element: string(m.Element),
		Key:     fromKey(m.Key),
		Action:  string(m.Action),
		Error:   fromError(m.Error),
	}
}

func toSummary(v *stream.Summary) *pb.Summary {
	return &pb.Summary{
		Total:    int64(v.Total),
		Session:  int64(v.Session),
		Queues:   each(v.Queues, toQueueSummary),
		Failures: each(v.Failures, toElementFailure),
	}
}

func fromSummary(m *pb.Summary) stream.Summary {
	if m == nil {
		return stream.Summary{}
	}
	return stream.Summary{
		Total:    int(m.Total),
		Session:  int(m.Session),
		Queues:   values(m.Queues, fromQueueSummary),
		Failures: values(m.Failures, fromElementFailure),
	}
}

func toUsage(v *stream.Usage) *pb.Usage {
	return &pb.Usage{
		UserCpu:   int64(v.UserCPU),
		SystemCpu: int64(v.SystemCPU),
		MaxRss:    v.MaxRSS,
		Events:    v.Events,
	}
}

func fromUsage(m *pb.Usage) stream.Usage {
	if m == nil {
		return stream.Usage{}
	}
	return stream.Usage{
		UserCPU:   time.Duration(m.UserCpu),
		SystemCPU: time.Duration(m.SystemCpu),
		MaxRSS:    m.MaxRss,
		Events:    m.Events,
	}
}

func toStarted(v *stream.Started) *pb.Started {
	return &pb.Started{
		Time:    nanoseconds(v.Time),
		Version: raw(v.Version),
		Pid:     int64(v.PID),
	}
}

func fromStarted(m *pb.Started) stream.Started {
	if m == nil {
		return stream.Started{}
	}
	return stream.Started{
		Time:    instant(m.Time),
		Version: string(m.Version),
		PID:     int(m.Pid),
	}
}

func toStage(v *stream.Stage) *pb.Stage {
	return &pb.Stage{
		Name:    raw(v.Name),
		Current: int64(v.Current),
		Total:   int64(v.Total),
		Done:    v.Done,
		Elapsed: int64(v.Elapsed),
	}
}

func fromStage(m *pb.Stage) stream.Stage {
	if m == nil {
		return stream.Stage{}
	}
	return stream.Stage{
		Name:    string(m.Name),
		Current: int(m.Current),
		Total:   int(m.Total),
		Done:    m.Done,
		Elapsed: time.Duration(m.Elapsed),
	}
}

func toHeading(v *stream.Heading) *pb.Heading {
	return &pb.Heading{
		Project:         raw(v.Project),
		ProjectDir:      raw(v.ProjectDir),
		Targets:         each(v.Targets, func(s *string) []byte { return raw(*s) }),
		Config:          each(v.Config, toPair),
		Projects:        each(v.Projects, toProjectHeading),
		SessionElements: int64(v.SessionElements),
		TotalElements:   int64(v.TotalElements),
		LogDir:          raw(v.LogDir),
	}
}

func fromHeading(m *pb.Heading) stream.Heading {
	if m == nil {
		return stream.Heading{}
	}
	return stream.Heading{
		Project:         string(m.Project),
		ProjectDir:      string(m.ProjectDir),
		Targets:         each(m.Targets, func(b *[]byte) string { return string(*b) }),
		Config:          values(m.Config, fromPair),
		Projects:        values(m.Projects, fromProjectHeading),
		SessionElements: int(m.SessionElements),
		TotalElements:   int(m.TotalElements),
		LogDir:          string(m.LogDir),
	}
}

func toElementShown(v *stream.ElementShown) *pb.ElementShown {
	return &pb.ElementShown{
		Where:          uint32(v.Where),
		Name:           raw(v.Name),
		Kind:           raw(v.Kind),
		Key:            toKey(&v.Key),
		State:          raw(v.State),
		Description:    raw(v.Description),
		Config:         raw(v.Config),
		Vars:           raw(v.Vars),
		Env:            raw(v.Env),
		Public:         raw(v.Public),
		SourceInfo:     raw(v.SourceInfo),
		Deps:           raw(v.Deps),
		BuildDeps:      raw(v.BuildDeps),
		RuntimeDeps:    raw(v.RuntimeDeps),
		ArtifactDigest: raw(v.ArtifactDigest),
		Workspaced:     v.Workspaced,
		WorkspaceDirs:  raw(v.WorkspaceDirs),
	}
}

func fromElementShown(m *pb.ElementShown) stream.ElementShown {
	if m == nil {
		return stream.ElementShown{}
	}
	return stream.ElementShown{
		Where:          stream.ShownWhere(m.Where),
		Name:           string(m.Name),
		Kind:           string(m.Kind),
		Key:            fromKey(m.Key),
		State:          string(m.State),
		Description:    string(m.Description),
		Config:         string(m.Config),
		Vars:           string(m.Vars),
		Env:            string(m.Env),
		Public:         string(m.Public),
		SourceInfo:     string(m.SourceInfo),
		Deps:           string(m.Deps),
		BuildDeps:      string(m.BuildDeps),
		RuntimeDeps:    string(m.RuntimeDeps),
		ArtifactDigest: string(m.ArtifactDigest),
		Workspaced:     m.Workspaced,
		WorkspaceDirs:  string(m.WorkspaceDirs),
	}
}

func toPipelineShown(*stream.PipelineShown) *pb.PipelineShown { return &pb.PipelineShown{} }

func fromPipelineShown(*pb.PipelineShown) stream.PipelineShown { return stream.PipelineShown{} }

func toMessage(v *stream.Message) *pb.Message {
	return &pb.Message{
		Type:    raw(string(v.Type)),
		Time:    nanoseconds(v.Time),
		Elapsed: (*int64)(v.Elapsed),
		Action:  raw(v.Action),
		Element: raw(v.Element),
		Key:     toKey(&v.Key),
		Text:    raw(v.Text),
		Detail:  raw(v.Detail),
		Job:     int64(v.Job),
	}
}

func fromMessage(m *pb.Message) stream.Message {
	if m == nil {
		return stream.Message{}
	}
	return stream.Message{
		Type:    stream.MessageType(m.Type),
		Time:    instant(m.Time),
		Elapsed: (*time.Duration)(m.Elapsed),
		Action:  string(m.Action),
		Element: string(m.Element),
		Key:     fromKey(m.Key),
		Text:    string(m.Text),
		Detail:  string(m.Detail),
		Job:     stream.JobID(m.Job),
	}
}

func toQueue(v *stream.Queue) *pb.Queue {
	return &pb.Queue{
		Action:   raw(v.Action),
		Complete: raw(v.Complete),
	}
}

func fromQueue(m *pb.Queue) stream.Queue {
	if m == nil {
		return stream.Queue{}
	}
	return stream.Queue{
		Action:   string(m.Action),
		Complete: string(m.Complete),
	}
}

func toCounts(v *stream.Counts) *pb.Counts {
	return &pb.Counts{
		Action:    raw(v.Action),
		Processed: int64(v.Processed),
		Skipped:   int64(v.Skipped),
		Failed:    int64(v.Failed),
	}
}

func fromCounts(m *pb.Counts) stream.Counts {
	if m == nil {
		return stream.Counts{}
	}
	return stream.Counts{
		Action:    string(m.Action),
		Processed: int(m.Processed),
		Skipped:   int(m.Skipped),
		Failed:    int(m.Failed),
	}
}

func toJobStarted(v *stream.JobStarted) *pb.JobStarted {
	return &pb.JobStarted{
		Job:     int64(v.Job),
		Action:  raw(v.Action),
		Element: raw(v.Element),
		Key:     toKey(&v.Key),
		Time:    nanoseconds(v.Time),
		At:      int64(v.At),
		Log:     raw(v.Log),
	}
}

func fromJobStarted(m *pb.JobStarted) stream.JobStarted {
	if m == nil {
		return stream.JobStarted{}
	}
	return stream.JobStarted{
		Job:     stream.JobID(m.Job),
		Action:  string(m.Action),
		Element: string(m.Element),
		Key:     fromKey(m.Key),
		Time:    instant(m.Time),
		At:      time.Duration(m.At),
		Log:     string(m.Log),
	}
}

func toJobProgress(v *stream.JobProgress) *pb.JobProgress {
	return &pb.JobProgress{
		Job:     int64(v.Job),
		Current: int64(v.Current),
		Total:   int64(v.Total),
	}
}

func fromJobProgress(m *pb.JobProgress) stream.JobProgress {
	if m == nil {
		return stream.JobProgress{}
	}
	return stream.JobProgress{
		Job:     stream.JobID(m.Job),
		Current: int(m.Current),
		Total:   int(m.Total),
	}
}

func toJobFinished(v *stream.JobFinished) *pb.JobFinished {
	return &pb.JobFinished{
		Job:     int64(v.Job),
		Action:  raw(v.Action),
		Element: raw(v.Element),
		Key:     toKey(&v.Key),
		Time:    nanoseconds(v.Time),
		At:      int64(v.At),
		Took:    int64(v.Took),
		Status:  uint32(v.Status),
		Log:     raw(v.Log),
		Text:    raw(v.Text),
		Failure: optional(v.Failure, toFailure),
	}
}

func fromJobFinished(m *pb.JobFinished) stream.JobFinished {
	if m == nil {
		return stream.JobFinished{}
	}
	return stream.JobFinished{
		Job:     stream.JobID(m.Job),
		Action:  string(m.Action),
		Element: string(m.Element),
		Key:     fromKey(m.Key),
		Time:    instant(m.Time),
		At:      time.Duration(m.At),
		Took:    time.Duration(m.Took),
		Status:  stream.JobStatus(m.Status),
		Log:     string(m.Log),
		Text:    string(m.Text),
		Failure: optional(m.Failure, func(m *pb.Failure) *stream.Failure { v := fromFailure(m); return &v }),
	}
}

func toState(v *stream.State) *pb.State {
	return &pb.State{
		State: uint32(v.State),
		At:    int64(v.At),
	}
}

func fromState(m *pb.State) stream.State {
	if m == nil {
		return stream.State{}
	}
	return stream.State{
		State: stream.SchedulerState(m.State),
		At:    time.Duration(m.At),
	}
}

func toCacheUsage(v *stream.CacheUsage) *pb.CacheUsage {
	return &pb.CacheUsage{
		Used:  v.Used,
		Quota: v.Quota,
	}
}

func fromCacheUsage(m *pb.CacheUsage) stream.CacheUsage {
	if m == nil {
		return stream.CacheUsage{}
	}
	return stream.CacheUsage{
		Used:  m.Used,
		Quota: m.Quota,
	}
}

func toFinished(v *stream.Finished) *pb.Finished {
	return &pb.Finished{
		Error:       optional(v.Error, toError),
		At:          int64(v.At),
		Terminated:  v.Terminated,
		ShellStatus: int64(v.ShellStatus),
		Summary:     optional(v.Summary, toSummary),
		Usage:       toUsage(&v.Usage),
	}
}

func fromFinished(m *pb.Finished) stream.Finished {
	if m == nil {
		return stream.Finished{}
	}
	return stream.Finished{
		Error:       optional(m.Error, func(m *pb.Error) *stream.Error { v := fromError(m); return &v }),
		At:          time.Duration(m.At),
		Terminated:  m.Terminated,
		ShellStatus: int(m.ShellStatus),
		Summary:     optional(m.Summary, func(m *pb.Summary) *stream.Summary { v := fromSummary(m); return &v }),
		Usage:       fromUsage(m.Usage),
	}
}
