package artifact

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"bst/impl/cas"
	pb "bst/impl/proto/buildstream/v2"
	"bst/impl/proto/reapi"
	"bst/impl/reffile"
	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

var (
	key1 = strings.Repeat("1", 64)
	key2 = strings.Repeat("2", 64)
)

func newCache(t testing.TB) (*Cache, *cas.Store) {
	t.Helper()
	dir := t.TempDir()
	s, err := cas.Open(filepath.Join(dir, "cas"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // Windows removes no folder that is open
	c, err := Open(dir, s)
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

func put(t testing.TB, s *cas.Store, content string) cas.Digest {
	t.Helper()
	d, err := s.PutBytes([]byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// full is an artifact with everything in it.
func full(t testing.TB, s *cas.Store) *Artifact {
	t.Helper()
	dir := s.EmptyDir()
	if err := dir.AddFile("bin/tool", put(t, s, "tool"), true); err != nil {
		t.Fatal(err)
	}
	files, err := dir.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return &Artifact{
		Version:           2,
		BuildSuccess:      true,
		BuildError:        "succeeded",
		BuildErrorDetails: "at length",
		StrongKey:         key1,
		StrictKey:         key1,
		WeakKey:           key2,
		WasWorkspaced:     true,
		Files:             files,
		BuildTree:         cas.EmptyDigest,
		BuildRoot:         files,
		Sources:           files,
		BuildDeps:         []Dependency{{Project: "p", Element: "base/sys.bst", Key: key2, WasWorkspaced: true}, {Project: "q", Element: "x.bst", Key: key1}},
		PublicData:        put(t, s, "bst: {}\n"),
		LowDiversityMeta:  put(t, s, "environment: {}\n"),
		HighDiversityMeta: put(t, s, "variables: {}\n"),
		Logs:              []Log{{Name: "1234-build.log", Digest: put(t, s, "log")}},
		BuildSandbox: &BuildSandbox{
			Environment:       []Variable{{"A", "1"}, {"B", ""}},
			WorkingDirectory:  "/buildstream/p/e.bst",
			SubsandboxDigests: []cas.Digest{files},
			MarkedDirectories: []string{"/buildstream-install", "/tmp"},
		},
	}
}

func TestEncodeAndDecode(t *testing.T) {
	_, s := newCache(t)
	for name, want := range map[string]*Artifact{"full": full(t, s), "bare": {Version: 2, StrongKey: key1}} {
		b, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// TestFieldNumbers holds the encoding against the reference's numbers, which
// everybody's artifacts depend on.
func TestFieldNumbers(t *testing.T) {
	_, s := newCache(t)
	a := full(t, s)
	b, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	digest := func(d cas.Digest) string {
		m := protowire.AppendTag(nil, 1, protowire.BytesType)
		m = protowire.AppendString(m, d.Hash)
		if d.Size > 0 {
			m = protowire.AppendTag(m, 2, protowire.VarintType)
			m = protowire.AppendVarint(m, uint64(d.Size))
		}
		return string(m)
	}
	want := map[protowire.Number]string{
		1: "2", 2: "1", 3: a.BuildError, 4: a.BuildErrorDetails, 5: key1, 6: key2, 7: "1",
		8: digest(a.Files), 10: digest(a.PublicData), 12: digest(a.BuildTree), 13: digest(a.Sources),
		14: digest(a.LowDiversityMeta), 15: digest(a.HighDiversityMeta), 16: key1, 17: digest(a.BuildRoot),
	}
	got := map[protowire.Number]string{}
	nested := map[protowire.Number][]protowire.Number{}
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		b = b[n:]
		if typ == protowire.VarintType {
			v, n := protowire.ConsumeVarint(b)
			got[num], b = fmt.Sprint(v), b[n:]
			continue
		}
		v, n := protowire.ConsumeBytes(b)
		b = b[n:]
		if num != 9 && num != 11 && num != 18 {
			got[num] = string(v)
			continue
		}
		if nested[num] != nil {
			continue
		}
		for len(v) > 0 {
			in, typ, n := protowire.ConsumeTag(v)
			v = v[n:]
			v = v[protowire.ConsumeFieldValue(in, typ, v):]
			nested[num] = append(nested[num], in)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	wantNested := map[protowire.Number][]protowire.Number{9: {1, 2, 3, 4}, 11: {1, 2}, 18: {1, 1, 2, 3, 4, 4}}
	if diff := cmp.Diff(wantNested, nested); diff != "" {
		t.Error(diff)
	}
}

func TestOutputThatIsNoTextIsStored(t *testing.T) {
	a := &Artifact{StrongKey: key1, BuildError: "bad \xff byte", BuildErrorDetails: "\xfe"}
	b, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if got.BuildError != "bad \uFFFD byte" {
		t.Errorf("%q", got.BuildError)
	}
}

func TestCommitAndLookup(t *testing.T) {
	c, s := newCache(t)
	strong, weak := Name("p", "e", key1), Name("p", "e", key2)
	for _, name := range []string{strong, "p/e", "p", "none/at/all"} {
		if a, err := c.Lookup(name); a != nil || err != nil {
			t.Errorf("%s: %v, %v", name, a, err)
		}
	}
	want := full(t, s)
	if err := c.Commit("p", "e", want); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{strong, weak} {
		got, err := c.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	if a, err := c.Lookup("p/e"); a != nil || err != nil {
		t.Errorf("a folder: %v, %v", a, err)
	}
	if ok, err := c.Complete(want); !ok || err != nil {
		t.Errorf("Complete: %v, %v", ok, err)
	}
	if ok, err := c.HasBuildTree(want); !ok || err != nil {
		t.Errorf("HasBuildTree: %v, %v", ok, err)
	}
	if ok, err := c.HasBuildTree(&Artifact{}); ok || err != nil {
		t.Errorf("HasBuildTree of none: %v, %v", ok, err)
	}

	// A later build replaces the artifact under both names.
	want.BuildError = "again"
	if err := c.Commit("p", "e", want); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Lookup(weak); err != nil || got.BuildError != "again" {
		t.Errorf("%v, %v", got, err)
	}
	third := Name("p", "e", strings.Repeat("3", 64))
	if err := c.Link(strong, third); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Lookup(third); err != nil || got == nil {
		t.Errorf("%v, %v", got, err)
	}
	wantError(t, c.Link("p/e/none", third), "", "none")
	wantError(t, c.Commit("p", "e", &Artifact{}), "", "no key")
}

func wantError(t testing.TB, err error, reason string, parts ...string) {
	t.Helper()
	var e *stream.Error
	if !errors.As(err, &e) || e.Domain != stream.DomainArtifact || e.Reason != reason {
		t.Fatalf("got %#v", err)
	}
	for _, part := range parts {
		if !strings.Contains(e.Message+e.Detail, part) {
			t.Errorf("the error lacks %q: %s\n%s", part, e.Message, e.Detail)
		}
	}
}

func TestLookupOfIncompleteArtifacts(t *testing.T) {
	for _, field := range []func(a *Artifact) cas.Digest{
		func(a *Artifact) cas.Digest { return a.Files },
		func(a *Artifact) cas.Digest { return a.PublicData },
		func(a *Artifact) cas.Digest { return a.LowDiversityMeta },
		func(a *Artifact) cas.Digest { return a.HighDiversityMeta },
		func(a *Artifact) cas.Digest { return a.Logs[0].Digest },
	} {
		c, s := newCache(t)
		a := full(t, s)
		if err := c.Commit("p", "e", a); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(s.Path(field(a))); err != nil {
			t.Fatal(err)
		}
		if got, err := c.Lookup(Name("p", "e", key1)); got != nil || err != nil {
			t.Errorf("%v, %v", got, err)
		}
	}
	c, s := newCache(t)
	a := full(t, s)
	if err := c.Commit("p", "e", a); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(s.Path(cas.DigestBytes([]byte("tool")))); err != nil {
		t.Fatal(err)
	}
	if ok, err := c.Complete(a); ok || err != nil {
		t.Errorf("Complete: %v, %v", ok, err)
	}
	path, err := c.Path(Name("p", "e", key1))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("not an artifact"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Lookup(Name("p", "e", key1)); got != nil || err != nil {
		t.Errorf("garbage: %v, %v", got, err)
	}
}

func TestNames(t *testing.T) {
	for element, want := range map[string]string{
		"hello.bst":          "hello",
		"base/alpine.bst":    "base-alpine",
		"a/b/c.d.bst":        "a-b-c.d",
		"noext":              "noext",
		".bst":               ".bst",
		"..x.bst":            "..x",
		"dir.d/file":         "dir",
		"with space+plus":    "with space+plus",
		"components/g++.bst": "components-g++",
	} {
		if got := NormalName(element); got != want {
			t.Errorf("%s: got %s, want %s", element, got, want)
		}
	}
	if got := Name("p", "a b+ü~1.0_x", "k"); got != "p/a_b___1.0_x/k" {
		t.Error(got)
	}
	d := Dependency{Project: "p", Element: "a/g++.bst", Key: "k"}
	if got := d.ArtifactName(); got != "p/a-g__/k" {
		t.Error(got)
	}
	c, _ := newCache(t)
	for _, bad := range []string{"", ".", "..", "../x", "a/../../x", "/etc/passwd", "a\x00", `a\..\..\b`} {
		if path, err := c.Path(bad); err == nil {
			t.Errorf("%q is at %s", bad, path)
		}
		if _, err := c.Lookup(bad); err == nil {
			t.Errorf("%q was looked up", bad)
		}
		if err := c.Delete(bad); err == nil {
			t.Errorf("%q was deleted", bad)
		}
	}
	err := c.Commit("../../outside", "e", &Artifact{StrongKey: key1})
	wantError(t, err, "", "outside")
}

func TestListAndDelete(t *testing.T) {
	c, s := newCache(t)
	if got, err := c.List(""); len(got) != 0 || err != nil {
		t.Errorf("an empty cache: %v, %v", got, err)
	}
	a := full(t, s)
	var all []string
	for i, e := range []string{"p/z", "p/a", "q/a", "p/a.b"} {
		project, element, _ := strings.Cut(e, "/")
		if err := c.Commit(project, element, a); err != nil {
			t.Fatal(err)
		}
		for j, key := range []string{key1, key2} {
			name := Name(project, element, key)
			path, err := c.Path(name)
			if err != nil {
				t.Fatal(err)
			}
			when := time.Unix(int64(1000+10*i+j), 0)
			if err := os.Chtimes(path, when, when); err != nil {
				t.Fatal(err)
			}
			all = append(all, name)
		}
	}
	// What a killed process left is no artifact.
	dir := filepath.Join(c.refs, "p", "z")
	if err := os.WriteFile(filepath.Join(dir, reffile.TempPrefix+"1"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Lookup(all[0]); err != nil { // the oldest becomes the youngest
		t.Fatal(err)
	}
	all = append(all[1:], all[0])
	for _, tc := range []struct {
		glob string
		want []string
	}{
		{"", all},
		{"**", all},
		{"*", nil},
		{"p/*", nil},
		{"*/*/*", all},
		{"p/**", []string{all[0], all[1], all[2], all[5], all[6], all[7]}},
		{"p/a/*", []string{all[1], all[2]}},
		{"p/a/" + key1, []string{all[1]}},
		{"?/a/1*", []string{all[1], all[3]}},
		{"p/[!a]/*", []string{all[0], all[7]}},
		{"p/z/" + reffile.TempPrefix + "*", nil},
		{"none/**", nil},
		{"../**", nil},
	} {
		got, err := c.List(tc.glob)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" && len(tc.want)+len(got) > 0 {
			t.Errorf("%s:\n%s", tc.glob, diff)
		}
	}
	_, err := c.List("[z-a]")
	wantError(t, err, "", "[z-a]")

	for _, name := range []string{"q/a/" + key1, "q/a/" + key2} {
		if err := c.Delete(name); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(c.refs, "q")); !os.IsNotExist(err) {
		t.Errorf("an empty folder is left: %v", err)
	}
	wantError(t, c.Delete("q/a/"+key1), "", "Could not find ref 'q/a/"+key1+"'")
	if err := c.Delete("p/a/" + key1); err != nil {
		t.Error(err)
	}
	if got, err := c.Lookup("p/a/" + key2); got == nil || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func TestOldTemporaryFilesAreSwept(t *testing.T) {
	c, s := newCache(t)
	a := full(t, s)
	if err := c.Commit("p", "e", a); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(c.refs, "p", "e")
	old, young := filepath.Join(dir, reffile.TempPrefix+"old"), filepath.Join(dir, reffile.TempPrefix+"young")
	before := time.Now().Add(-2 * time.Hour)
	err := errors.Join(os.WriteFile(old, nil, 0o644), os.WriteFile(young, nil, 0o644), os.Chtimes(old, before, before))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Commit("p", "e", a); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("the old one is left: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("another process's was removed: %v", err)
	}
}

// Two caches commit, look up and delete the same names at once.
func TestTwoCachesOnOneFolder(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for worker := range 4 {
		s, err := cas.Open(filepath.Join(dir, "cas"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		c, err := Open(dir, s)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			for i := range 100 {
				a := full(t, s)
				a.BuildErrorDetails = strings.Repeat(fmt.Sprint(worker), 2000)
				element := fmt.Sprint("e", i%3)
				if err := c.Commit("p", element, a); err != nil {
					t.Error(err)
				}
				got, err := c.Lookup(Name("p", element, key1))
				if err != nil {
					t.Error(err)
				}
				if got != nil && got.BuildErrorDetails != strings.Repeat(got.BuildErrorDetails[:1], 2000) {
					t.Error("a mixture of two artifacts")
				}
				if i%7 == worker {
					_ = c.Delete(Name("p", element, key1)) // another may be first
				}
			}
		})
	}
	wg.Wait()
}

func TestErrorsSayWhatToDo(t *testing.T) {
	wantError(t, refError("write", "/refs/x", syscall.ENOSPC), cas.ReasonNoSpace, "/refs/x", "no space left", "cachedir")
	wantError(t, refError("write", "/refs/x", syscall.EROFS), cas.ReasonNotWritable, "read-only", "cachedir")
	c, s := newCache(t)
	if err := os.MkdirAll(filepath.Dir(filepath.Dir(c.refs)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Dir(c.refs), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	wantError(t, c.Commit("p", "e", full(t, s)), "", "not a directory")
}

func TestHostileArtifacts(t *testing.T) {
	bad := &reapi.Digest{Hash: "../../etc/passwd", SizeBytes: 1}
	for name, m := range map[string]*pb.Artifact{
		"files":       {Files: bad},
		"negative":    {Files: &reapi.Digest{Hash: cas.EmptyDigest.Hash, SizeBytes: -1}},
		"log path":    {Logs: []*pb.Artifact_LogFile{{Name: "../../.bashrc", Digest: nil}}},
		"log no name": {Logs: []*pb.Artifact_LogFile{{}}},
		"subsandbox":  {Buildsandbox: &pb.Artifact_SandboxState{SubsandboxDigests: []*reapi.Digest{bad}}},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := Decode(b); err == nil {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func FuzzDecode(f *testing.F) {
	_, s := newCache(f)
	b, err := full(f, s).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := Decode(b)
		if err != nil {
			return
		}
		for i := range a.BuildDeps {
			a.BuildDeps[i].ArtifactName()
		}
		a.Version = Version
		again, err := a.Encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := Decode(again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(a, back); diff != "" {
			t.Error(diff)
		}
	})
}

func BenchmarkLookup(b *testing.B) {
	c, s := newCache(b)
	if err := c.Commit("p", "e", full(b, s)); err != nil {
		b.Fatal(err)
	}
	name := Name("p", "e", key1)
	for b.Loop() {
		if a, err := c.Lookup(name); a == nil || err != nil {
			b.Fatal(a, err)
		}
	}
}

func BenchmarkCommit(b *testing.B) {
	c, s := newCache(b)
	a := full(b, s)
	for b.Loop() {
		if err := c.Commit("p", "e", a); err != nil {
			b.Fatal(err)
		}
	}
}

func TestComplete(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"p/a/111", "p/a/122", "p/b/1", "q/c/1", "p/a/" + reffile.TempPrefix + "1"} {
		path := filepath.Join(dir, "artifacts", "refs", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for word, want := range map[string][]string{
		"":       {"p/", "q/"},
		"p/":     {"p/a/", "p/b/"},
		"p/a/1":  {"p/a/111", "p/a/122"},
		"p/a/12": {"p/a/122"},
		"x/":     nil,
		"../":    nil,
	} {
		if diff := cmp.Diff(want, Complete(dir, word)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", word, diff)
		}
	}
}

// TestPresent: of many elements it is read at once which have artifacts, also of those
// whose names files cannot have as they stand.
func TestPresent(t *testing.T) {
	c, s := newCache(t)
	if err := c.Commit("p", "libstdc++6", full(t, s)); err != nil {
		t.Fatal(err)
	}
	present := c.Present("p")
	for name, want := range map[string]bool{"libstdc++6": true, "other": false} {
		if got := present(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if c.Present("nobody")("libstdc++6") {
		t.Error("a project without artifacts has one")
	}
}

// TestMessagesKeepTheirDigests: what came from elsewhere is kept as it came.
func TestMessagesKeepTheirDigests(t *testing.T) {
	c, s := newCache(t)
	a := full(t, s)
	b, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, 0xfa, 0x7f, 1, 'x') // a field of a later version
	got, err := c.CommitMessage("p", "e", b)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{got.StrongKey, got.WeakKey} {
		kept, err := c.Message(Name("p", "e", key))
		if err != nil || !bytes.Equal(kept, b) {
			t.Errorf("%q, %v", kept, err)
		}
	}
	for _, bad := range [][]byte{nil, []byte("\xff")} {
		if _, err := c.CommitMessage("p", "e", bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
