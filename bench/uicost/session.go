package uicost

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"bst/bench/terminal"
	"bst/impl/frontend"
	"bst/impl/frontend/session"
	"bst/impl/stream"
	"bst/impl/term"
)

// screen is a terminal that takes all at once and remembers when it got what.
type screen struct {
	mu     sync.Mutex
	bytes  int64
	writes int
	// delays are those of the stamps that were seen, in nanoseconds.
	delays []float64
	seen   map[string]bool
	engine time.Duration
}

// stamps are what textStamp and countStamp look like.
var stamps = regexp.MustCompile(textStamp + `(\d+)|\D(1\d{9})\D`)

func (s *screen) Write(p []byte) (int, error) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes += int64(len(p))
	s.writes++
	for _, m := range stamps.FindAllSubmatch(p, -1) {
		digits := string(m[1]) + string(m[2])
		if s.seen[digits] {
			continue // later frames show it again: the first one counts
		}
		s.seen[digits] = true
		if n, err := strconv.ParseInt(digits, 10, 64); err != nil {
			continue
		} else if len(m[1]) > 0 {
			s.delays = append(s.delays, float64(now.UnixNano()-n))
		} else {
			s.delays = append(s.delays, float64(sinceCount(now, int(n))))
		}
	}
	if _, after, ok := bytes.Cut(p, []byte(engineText)); ok {
		digits := after[:len(after)-len(bytes.TrimLeft(after, "0123456789"))]
		if ns, err := strconv.ParseInt(string(digits), 10, 64); err == nil {
			s.engine = time.Duration(ns)
		}
	}
	return len(p), nil
}

// show runs a session of the script on a screen.
func (o *Options) show(ctx context.Context, s Strategy, style frontend.Style, script string, n int, seed uint64) (*screen, error) {
	message, err := frontend.ParseMessageFormat("[%{elapsed}][%{key}][%{element}] %{action} %{message}")
	if err != nil {
		return nil, err
	}
	var stderr bytes.Buffer
	st, err := s.Open(ctx, stream.Host{
		Strategy: s.Name, NewBackend: NewBackend, Executable: o.Executable, Args: s.Args, Project: o.WorkDir,
		Environ: append(os.Environ(), "XDG_RUNTIME_DIR="+o.WorkDir), Stderr: &stderr,
	})
	if err != nil {
		return nil, err
	}
	out := &screen{seen: make(map[string]bool)}
	result := session.Run(ctx, st, session.Options{
		Order:   &stream.Build{Targets: []string{script, strconv.Itoa(n), strconv.FormatUint(seed, 10)}},
		Console: term.Emulated(strings.NewReader(""), out, terminal.Columns, terminal.Rows), Features: term.Features{Status: true, Shared: true},
		Model: frontend.New(frontend.Options{Session: "Build", Style: style, Color: true, KeyLength: 8, MessageFormat: message}),
	})
	if result.Status != 0 {
		if result.Error != nil {
			return nil, fmt.Errorf("%w\n%s", result.Error, stderr.Bytes())
		}
		return nil, fmt.Errorf("the session ended with status %d\n%s", result.Status, stderr.Bytes())
	}
	return out, nil
}

// event is what an event costs, everything included that goes with the session
// but for its start: a session of no task is taken off.
func (o *Options) event(ctx context.Context, s Strategy) (string, error) {
	took := func(n int) (time.Duration, *screen, error) {
		before, err := cpu()
		if err != nil {
			return 0, nil, err
		}
		out, err := o.show(ctx, s, frontend.Digest, tasks, n, 0)
		if err != nil {
			return 0, nil, err
		}
		after, err := cpu()
		return after - before, out, err
	}
	none, _, err := took(0)
	if err != nil {
		return "", err
	}
	all, out, err := took(o.Tasks)
	if err != nil {
		return "", err
	}
	events := float64(o.Tasks * perTask)
	line := value(float64((all-none).Nanoseconds())/events, UnitEvent)
	if out.engine > 0 {
		line += value(float64(out.engine.Nanoseconds())/events, UnitEngine)
	}
	return line + value(float64(out.bytes), UnitBytes) + value(float64(out.writes), UnitWrites), nil
}

// delay is the time from an event to the write of the frame that shows it.
func (o *Options) delay(ctx context.Context, s Strategy, script string, r *rand.Rand) (string, error) {
	style := frontend.Full
	if script == status {
		style = frontend.Digest
	}
	out, err := o.show(ctx, s, style, script, o.Delays, r.Uint64())
	if err != nil {
		return "", err
	}
	// A count is gone when the next one follows within a frame.
	if len(out.delays) < o.Delays/4 || script == lines && len(out.delays) != o.Delays {
		return "", fmt.Errorf("%d of %d events were drawn", len(out.delays), o.Delays)
	}
	median, tail, err := percentiles(out.delays)
	if err != nil {
		return "", err
	}
	return value(median, UnitMedian) + value(tail, UnitTail), nil
}

// percentiles are the median and the 99th, of at least one value.
func percentiles(values []float64) (median, tail float64, err error) {
	if len(values) == 0 {
		return 0, 0, errors.New("there are no values")
	}
	slices.Sort(values)
	at := func(percent int) float64 { return values[min(len(values)*percent/100, len(values)-1)] }
	return at(50), at(99), nil
}
