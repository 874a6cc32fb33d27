package session

import "sync"

// Stderr collects what a backend's process writes to its standard error, so
// that it reaches the terminal between frames and not across them. It is the
// io.Writer of a stream.Host and safe for concurrent use.
type Stderr struct {
	mu    sync.Mutex // guards what follows
	text  []byte
	cut   int // bytes dropped because nobody took them
	seen  bool
	spoke chan struct{}
}

// maxStderr bounds what waits to be shown, in bytes.
const maxStderr = 1 << 20

// NewStderr makes a collector.
func NewStderr() *Stderr { return &Stderr{spoke: make(chan struct{}, 1)} }

// Write never fails and never waits.
func (s *Stderr) Write(data []byte) (int, error) {
	s.mu.Lock()
	keep := min(len(data), maxStderr-len(s.text))
	s.text = append(s.text, data[:keep]...)
	s.cut += len(data) - keep
	s.seen = s.seen || len(data) > 0
	s.mu.Unlock()
	select {
	case s.spoke <- struct{}{}:
	default:
	}
	return len(data), nil
}

// take gives what was written since the last call, as whole lines, but not how the
// backend's runtime reports its death: that is for crash.
func (s *Stderr) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, report := splitCrash(string(s.text))
	s.text = append(s.text[:0], report...)
	if s.cut > 0 && report == "" {
		text += "\n(the backend wrote more than could be shown)"
		s.cut = 0
	}
	if text != "" && text[len(text)-1] != '\n' {
		text += "\n"
	}
	return text
}

// crash gives the report of the backend's death, "" where there is none.
func (s *Stderr) crash() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, report := splitCrash(string(s.text))
	return report
}

// any says that anything was written at all.
func (s *Stderr) any() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}
