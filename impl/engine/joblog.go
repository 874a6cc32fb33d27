package engine

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"bst/impl/stream"
)

// subject is what log lines are about.
type subject struct {
	element string // full name, empty for core activity
	key     stream.Key
	action  string
	job     stream.JobID
}

// journal takes what a task has to say: every line goes to the task's log
// file, and what a person should see at once is emitted as well. Reference
// part F (log file) and its messenger.
type journal struct {
	s       *session
	subject subject
	path    string

	mu     sync.Mutex // guards what follows: programs and the task write at once
	file   *os.File
	w      *bufio.Writer
	silent int
	failed error // the first failure to write, told when the journal closes
	// output is the tail of what programs wrote, where there is no file.
	output []byte
}

// maxOutput bounds what is kept of programs' output without a log file, bytes.
const maxOutput = 64 << 10

// logBuffers are the buffers of journals that are closed: most tasks say a few lines.
var logBuffers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 4096) }}

// openJournal makes the log file. path is absolute; its folder is made.
func (s *session) openJournal(path string, sub subject) (*journal, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if os.IsNotExist(err) {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, logError(path, err)
		}
		f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	}
	if err != nil {
		return nil, logError(path, err)
	}
	j := &journal{s: s, subject: sub, path: path, file: f, w: logBuffers.Get().(*bufio.Writer)}
	j.w.Reset(f)
	fmt.Fprintf(j.w, "BuildStream %s - %s\n", s.version, time.Now().Format("Monday, 02-01-2006 at 15:04:05"))
	return j, nil
}

func logError(path string, err error) error {
	return &stream.Error{Domain: stream.DomainStream, Reason: "log-file",
		Message: fmt.Sprintf("Error opening log file: %v", err),
		Detail:  "Make " + filepath.Dir(path) + " writable, or set logdir in the user configuration."}
}

// Write takes the output of programs.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil { // outside of jobs there is no log file
		j.output = append(j.output, p...)
		if extra := len(j.output) - maxOutput; extra > 0 {
			j.output = j.output[extra:]
		}
		return len(p), nil
	}
	n, err := j.w.Write(p)
	if err != nil && j.failed == nil {
		j.failed = err
	}
	// A program's output is wanted in the file when it was written, for tail -f.
	if err == nil {
		err = j.w.Flush()
	}
	return n, err
}

// close ends the log file.
func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	err := j.failed
	if flushErr := j.w.Flush(); err == nil {
		err = flushErr
	}
	if closeErr := j.file.Close(); err == nil {
		err = closeErr
	}
	logBuffers.Put(j.w)
	j.file, j.w = nil, nil
	if err != nil {
		return &stream.Error{Domain: stream.DomainStream, Reason: "log-file",
			Message: fmt.Sprintf("Error writing log file %s: %v", j.path, err)}
	}
	return nil
}

// flush makes the file hold all lines so far.
func (j *journal) flush() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	return j.w.Flush()
}

// record writes a line to the log file alone.
func (j *journal) record(t stream.MessageType, took *time.Duration, text, detail string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return
	}
	j.w.WriteString("[")
	if took == nil {
		j.w.WriteString("--:--:--")
	} else {
		seconds := int(took.Seconds())
		fmt.Fprintf(j.w, "%02d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
	}
	fmt.Fprintf(j.w, "] %-7s", t)
	if k := j.subject.key.Full; len(k) >= 8 {
		j.w.WriteString(" [" + k[:8] + "]")
	}
	if j.subject.element != "" {
		j.w.WriteString(" " + j.subject.element)
	}
	j.w.WriteString(": " + text)
	if detail != "" {
		j.w.WriteString("\n\n")
		for line := range strings.SplitSeq(strings.TrimRight(detail, "\n"), "\n") {
			j.w.WriteString("    " + line + "\n")
		}
	} else {
		j.w.WriteString("\n")
	}
}

// message records a line and shows it, unless it is a nested one.
func (j *journal) message(t stream.MessageType, took *time.Duration, text, detail string) {
	j.record(t, took, text, detail)
	j.mu.Lock()
	silent := j.silent > 0
	j.mu.Unlock()
	if silent && t != stream.TypeWarning && t != stream.TypeInfo && t != stream.TypeError {
		return
	}
	if t == stream.TypeStatus && !j.s.set.Settings.Verbose {
		return
	}
	if t == stream.TypeDebug && !j.s.set.Settings.Debug {
		return
	}
	j.s.say(j.subject, t, took, text, detail)
}

// activity logs a timed activity; what happens inside is in the log file only.
func (j *journal) activity(name string, f func() error) error { return j.activityDetail(name, "", f) }

// activityDetail is activity with further lines about what is begun.
func (j *journal) activityDetail(name, detail string, f func() error) error {
	start := j.s.clock.Elapsed()
	j.message(stream.TypeStart, nil, name, detail)
	j.mu.Lock()
	j.silent++
	j.mu.Unlock()
	err := f()
	j.mu.Lock()
	j.silent--
	j.mu.Unlock()
	took := j.s.clock.Elapsed() - start
	t := stream.TypeSuccess
	if err != nil {
		t = stream.TypeFailure
	}
	j.message(t, &took, name, "")
	return err
}

// say emits a log line.
func (s *session) say(sub subject, t stream.MessageType, took *time.Duration, text, detail string) {
	s.emit(&stream.Message{Type: t, Time: time.Now(), Elapsed: took, Action: sub.action,
		Element: sub.element, Key: sub.key, Text: text, Detail: detail, Job: sub.job})
}

// tail reads the last n lines of a file, at most 64 KiB of them: what a failure
// carries to the person.
func tail(path string, n int) ([]string, error) {
	const most = 64 << 10
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	from := max(0, info.Size()-most)
	data, err := io.ReadAll(io.NewSectionReader(f, from, info.Size()-from))
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimRight(strings.ToValidUTF8(string(data), "\uFFFD"), "\n"), "\n")
	if from > 0 && len(lines) > 1 {
		lines = lines[1:] // the first one is cut
	}
	return lines[max(0, len(lines)-n):], nil
}
