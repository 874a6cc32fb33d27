package remote

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"bst/impl/artifact"
	"bst/impl/bug"
	"bst/impl/cas"
	"bst/impl/proto/bytestream"
	"bst/impl/remote/remotetest"
)

// closure makes as many small artifacts as gnome's closure has.
func closure(b *testing.B, s *cas.Store, n int) (all []*artifact.Artifact, messages [][]byte) {
	for i := range n {
		root := s.EmptyDir()
		for k := range 10 {
			must(b, root.AddFile(fmt.Sprintf("usr/lib/e%d/f%d", i, k), put(b, s, random(i*10+k, 500)), false))
		}
		d, err := root.Digest()
		must(b, err)
		a, m := testArtifact(b, s, i, d)
		all, messages = append(all, a), append(messages, m)
	}
	return all, messages
}

// each does n things, some at once.
func each(n, at int, f func(i int) error) error {
	next := make(chan int, n)
	for i := range n {
		next <- i
	}
	close(next)
	errs := make([]error, at)
	var g bug.Group
	for w := range at {
		g.Go(func() {
			for i := range next {
				if errs[w] = f(i); errs[w] != nil {
					return
				}
			}
		})
	}
	g.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkClosure pushes and pulls 1,139 artifacts of ten small files each, four and
// ten at once, as bst's defaults have it. The goal is 3 s for each.
func BenchmarkClosure(b *testing.B) {
	const n = 1139
	here := newStore(b)
	all, messages := closure(b, here, n)
	for _, delay := range []time.Duration{0, time.Millisecond} {
		b.Run("push/rtt="+delay.String(), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				server := start(b, late(delay))
				c := client(b, quick(server.URL))
				must(b, c.Check(b.Context()))
				b.StartTimer()
				must(b, each(n, 4, func(i int) error {
					if _, err := c.PushObjects(b.Context(), here, all[i], messages[i]); err != nil {
						return err
					}
					_, err := c.PushName(b.Context(), "gnome/e"+strconv.Itoa(i), all[i], messages[i])
					return err
				}))
				b.ReportMetric(float64(server.Calls("")), "calls")
			}
		})
		b.Run("pull/rtt="+delay.String(), func(b *testing.B) {
			server := start(b, late(delay))
			c := client(b, quick(server.URL))
			must(b, each(n, 16, func(i int) error {
				if _, err := c.PushObjects(b.Context(), here, all[i], messages[i]); err != nil {
					return err
				}
				_, err := c.PushName(b.Context(), "gnome/e"+strconv.Itoa(i), all[i], messages[i])
				return err
			}))
			for b.Loop() {
				b.StopTimer()
				there := newStore(b)
				before := server.Calls("")
				b.StartTimer()
				uris := make([]string, n)
				for i, a := range all {
					uris[i] = ArtifactURI("gnome/e" + strconv.Itoa(i) + "/" + a.StrongKey)
				}
				found := c.FetchBlobs(b.Context(), uris)
				var begins []cas.Digest
				for _, f := range found {
					begins = append(begins, f.Digest)
				}
				must(b, c.Prepare(b.Context(), there, begins, false))
				must(b, each(n, 10, func(i int) error {
					_, err := c.PullArtifact(b.Context(), there, found[i].Digest, all[i].StrongKey, false)
					return err
				}))
				b.ReportMetric(float64(server.Calls("")-before), "calls")
			}
		})
	}
}

// late answers each call after a time, as a server does that is far away.
func late(delay time.Duration) remotetest.Options {
	if delay == 0 {
		return remotetest.Options{}
	}
	return remotetest.Options{Call: func(ctx context.Context, _ string, _ int) error {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
		}
		return ctx.Err()
	}}
}

// BenchmarkNames asks for 10,000 names of which the server knows none. The goal is 2 s
// at 1 ms; at 50 ms it tells how many round trips there were one after another.
func BenchmarkNames(b *testing.B) {
	uris := make([]string, 10000)
	for i := range uris {
		uris[i] = ArtifactURI("p/e/" + strconv.Itoa(i))
	}
	for _, delay := range []time.Duration{0, time.Millisecond, 50 * time.Millisecond} {
		b.Run("rtt="+delay.String(), func(b *testing.B) {
			server := start(b, late(delay))
			c := client(b, quick(server.URL))
			must(b, c.Check(b.Context()))
			for b.Loop() {
				begun := time.Now()
				for _, f := range c.FetchBlobs(b.Context(), uris) {
					must(b, f.Err)
				}
				if delay > 0 {
					b.ReportMetric(float64(time.Since(begun))/float64(delay), "rtts")
				}
			}
		})
	}
}

// BenchmarkLarge moves large objects: with us, and as a plain copy through gRPC with the
// same messages. The goal is 80 % of the latter for 5 GiB, which BST_BENCH_LARGE
// (megabytes) gives; without it is 256 MiB.
func BenchmarkLarge(b *testing.B) {
	total := 256
	if text := os.Getenv("BST_BENCH_LARGE"); text != "" {
		var err error
		total, err = strconv.Atoi(text)
		must(b, err)
	}
	const count = 4
	here := newStore(b)
	var digests []cas.Digest
	for i := range count {
		digests = append(digests, put(b, here, random(i, total/count<<20)))
	}
	b.Run("push", func(b *testing.B) {
		b.SetBytes(int64(total) << 20)
		for b.Loop() {
			b.StopTimer()
			c := client(b, quick(start(b, remotetest.Options{}).URL))
			b.StartTimer()
			_, err := c.Push(b.Context(), here, digests)
			must(b, err)
		}
	})
	server := start(b, remotetest.Options{})
	c := client(b, quick(server.URL))
	_, err := c.Push(b.Context(), here, digests)
	must(b, err)
	b.Run("pull", func(b *testing.B) {
		b.SetBytes(int64(total) << 20)
		for b.Loop() {
			b.StopTimer()
			there := newStore(b)
			b.StartTimer()
			must(b, c.Fetch(b.Context(), there, digests))
		}
	})
	b.Run("plain", func(b *testing.B) {
		b.SetBytes(int64(total) << 20)
		for b.Loop() {
			must(b, each(count, count, func(i int) error {
				f, err := os.CreateTemp(b.TempDir(), "")
				if err != nil {
					return err
				}
				defer f.Close()
				s, err := c.bytes.Read(b.Context(), &bytestream.ReadRequest{ResourceName: c.resource("", digests[i])})
				if err != nil {
					return err
				}
				for n := int64(0); n < digests[i].Size; {
					r, err := s.Recv()
					if err != nil {
						return err
					}
					if _, err := f.Write(r.Data); err != nil {
						return err
					}
					n += int64(len(r.Data))
				}
				return nil
			}))
		}
	})
}
