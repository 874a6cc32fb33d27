package uicost

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"strconv"
	"strings"
	"time"

	"bst/bench/replay"
	"bst/impl/record/events"
	"bst/impl/stream"
)

// recording is the file of --events of a session whose tasks took a millisecond
// each, with the number of events.
func recording(n int) ([]byte, error) {
	var file bytes.Buffer
	start := time.Unix(1_700_000_000, 0).UTC()
	w := events.NewWriter(&file, events.Header{Program: "bst-bench", Start: start, Command: "build", Strategy: "none"})
	if err := w.Begin(); err != nil {
		return nil, err
	}
	at, written := start, 0
	put := func(list ...stream.Event) (err error) {
		for _, e := range list {
			err = errors.Join(err, w.Event(at, e))
		}
		written += len(list)
		return err
	}
	err := put(&stream.Started{Time: start}, &stream.State{State: stream.StateRunning},
		&stream.Heading{Project: "p", SessionElements: n / perTask, TotalElements: n / perTask}, &stream.PipelineShown{},
		&stream.Queue{Action: "Build", Complete: "Built"})
	key := stream.Key{Full: strings.Repeat("0123456789abcdef", 4), Strict: true}
	for i := 0; err == nil && written+perTask < n; i++ {
		at = at.Add(time.Millisecond)
		id, name := stream.JobID(i+1), "element-"+strconv.Itoa(i)+".bst"
		err = put(&stream.JobStarted{Job: id, Action: "Build", Element: name, Key: key, Time: at, Log: name},
			&stream.Message{Job: id, Type: stream.TypeStart, Action: "Build", Element: name, Key: key, Time: at, Text: "Caching artifact"},
			&stream.Message{Job: id, Type: stream.TypeSuccess, Action: "Build", Element: name, Key: key, Time: at, Text: "Caching artifact"},
			&stream.JobFinished{Job: id, Action: "Build", Element: name, Key: key, Time: at, Log: name},
			&stream.Counts{Action: "Build", Processed: i + 1})
	}
	for err == nil && written < n-1 { // Finished is the last
		err = put(&stream.Counts{Action: "Build", Processed: n / perTask})
	}
	err = errors.Join(err, put(&stream.Finished{}), w.End(at))
	return file.Bytes(), err
}

// replay shows the recording twice, takes the time of the first and compares.
func (o *Options) replay() (string, error) {
	file, err := recording(o.Events)
	if err != nil {
		return "", err
	}
	var sums [2][]byte
	var took [2]time.Duration
	var stats replay.Stats
	for i := range sums {
		hash := sha256.New()
		begin := time.Now()
		stats, err = replay.Run(bytes.NewReader(file), replay.Options{Columns: 160, Rows: 50, Color: true}, hash)
		if err != nil {
			return "", err
		}
		took[i], sums[i] = time.Since(begin), hash.Sum(nil)
	}
	if !bytes.Equal(sums[0], sums[1]) {
		return "", errors.New("replayed twice, the same recording gave other bytes")
	}
	if stats.Events != o.Events {
		return "", errors.New(strconv.Itoa(stats.Events) + " events were replayed, " + strconv.Itoa(o.Events) + " recorded")
	}
	return nanos(took[0], UnitWall) + value(float64(stats.Bytes), UnitBytes) + value(float64(stats.Frames), UnitWrites), nil
}
