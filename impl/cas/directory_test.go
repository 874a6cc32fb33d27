package cas

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"bst/impl/proto/reapi"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// generated is the entries as the generated message.
func generated(t testing.TB, entries []Entry, properties string) *reapi.Directory {
	t.Helper()
	m := &reapi.Directory{}
	props := func(s string) *reapi.NodeProperties {
		if s == "" {
			return nil
		}
		p := &reapi.NodeProperties{}
		if err := proto.Unmarshal([]byte(s), p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	m.NodeProperties = props(properties)
	for _, e := range entries {
		d := &reapi.Digest{Hash: e.Digest.Hash, SizeBytes: e.Digest.Size}
		switch e.Type {
		case TypeFile:
			m.Files = append(m.Files, &reapi.FileNode{Name: e.Name, Digest: d, IsExecutable: e.Executable, NodeProperties: props(e.Properties)})
		case TypeDirectory:
			m.Directories = append(m.Directories, &reapi.DirectoryNode{Name: e.Name, Digest: d})
		case TypeSymlink:
			m.Symlinks = append(m.Symlinks, &reapi.SymlinkNode{Name: e.Name, Target: e.Target, NodeProperties: props(e.Properties)})
		}
	}
	return m
}

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// randomEntries are n entries of all types, sorted.
func randomEntries(r *rand.Rand, n int) []Entry {
	unixMode, err := proto.Marshal(&reapi.NodeProperties{
		Mtime:      timestamppb.New(time.Unix(12, 34)),
		Properties: []*reapi.NodeProperty{{Name: "SubtreeReadOnly", Value: "true"}},
	})
	if err != nil {
		panic(err)
	}
	mode, err := proto.Marshal(wrapperspb.UInt32(0o600))
	if err != nil {
		panic(err)
	}
	// unix_mode, which the generated message does not know.
	unixMode = protowire.AppendBytes(protowire.AppendTag(unixMode, 3, protowire.BytesType), mode)
	var list []Entry
	for i := range n {
		e := Entry{Name: fmt.Sprintf("%c%s-%d", 'a'+rune(r.IntN(26)), strings.Repeat("ü", r.IntN(30)), i), Type: EntryType(1 + r.IntN(3))}
		switch e.Type {
		case TypeFile:
			e.Digest = Digest{Hash: DigestBytes([]byte{byte(i)}).Hash, Size: r.Int64N(2) * r.Int64()}
			e.Executable = r.IntN(2) == 0
			switch r.IntN(3) {
			case 0:
				e.Properties = mtimeProperties(time.Unix(r.Int64N(1<<32), r.Int64N(1e9)))
			case 1:
				e.Properties = string(unixMode)
			}
		case TypeDirectory:
			e.Digest = DigestBytes([]byte(e.Name))
		case TypeSymlink:
			e.Target = strings.Repeat("../", r.IntN(50)) + "x"
		}
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func TestDirectoryCodecAgainstGenerated(t *testing.T) {
	for seed := range 50 {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		entries := randomEntries(r, r.IntN(40))
		properties := ""
		if seed%5 == 0 {
			properties = mtimeProperties(time.Unix(int64(seed), 5))
		}
		want := marshal(t, generated(t, entries, properties))
		got := encodeDirectory(entries, properties)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d: -generated +ours:\n%s", seed, diff)
		}
		data, err := decodeDirectory(want)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(entries, data.entries, cmp.Comparer(func(a, b []Entry) bool { return slices.Equal(a, b) })); diff != "" {
			t.Fatalf("seed %d:\n%s", seed, diff)
		}
		if data.properties != properties {
			t.Errorf("seed %d: properties %q", seed, data.properties)
		}
	}
}

func TestEmptyDirectory(t *testing.T) {
	if b := encodeDirectory(nil, ""); len(b) != 0 {
		t.Errorf("%q", b)
	}
	s := newStore(t)
	if _, err := s.OpenDir(EmptyDigest); err != nil {
		t.Errorf("the empty directory is in every store: %v", err)
	}
}

func TestMTimeProperties(t *testing.T) {
	for _, want := range []time.Time{time.Unix(0, 0), time.Unix(1576486144, 12000000), time.Unix(-5, 999999999)} {
		e := Entry{Properties: mtimeProperties(want)}
		if got, ok := e.MTime(); !ok || !got.Equal(want) {
			t.Errorf("got %v, want %v", got, want)
		}
		m := &reapi.NodeProperties{Mtime: timestamppb.New(want)}
		if diff := cmp.Diff(string(marshal(t, m)), e.Properties); diff != "" {
			t.Error(diff)
		}
	}
	for _, none := range []string{"", "\x12", "nonsense", "\x12\x02\x10\xff"} {
		if got, ok := propertiesMTime(none); ok {
			t.Errorf("%q: %v", none, got)
		}
	}
}

func TestHostileDirectories(t *testing.T) {
	good := &reapi.Digest{Hash: EmptyDigest.Hash}
	file := func(name string, d *reapi.Digest) *reapi.Directory {
		return &reapi.Directory{Files: []*reapi.FileNode{{Name: name, Digest: d}}}
	}
	link := func(name, target string) *reapi.Directory {
		return &reapi.Directory{Symlinks: []*reapi.SymlinkNode{{Name: name, Target: target}}}
	}
	for _, tc := range []struct {
		name, want string
		m          *reapi.Directory
	}{
		{"no name", "no name", file("", good)},
		{"dot", `named "."`, file(".", good)},
		{"dot dot", `named ".."`, file("..", good)},
		{"path", "slash", file("a/b", good)},
		{"absolute", "slash", file("/etc/passwd", good)},
		{"NUL", "NUL", file("a\x00b", good)},
		{"no digest", "invalid digest", file("a", nil)},
		{"bad hash", "invalid digest", file("a", &reapi.Digest{Hash: "../../x"})},
		{"short hash", "invalid digest", file("a", &reapi.Digest{Hash: "aa"})},
		{"upper case", "invalid digest", file("a", &reapi.Digest{Hash: strings.ToUpper(EmptyDigest.Hash)})},
		{"negative size", "invalid digest", file("a", &reapi.Digest{Hash: EmptyDigest.Hash, SizeBytes: -1})},
		{"no target", "no target", link("a", "")},
		{"NUL in target", "NUL", link("a", "b\x00")},
		{"long target", "longer", link("a", strings.Repeat("x", 5000))},
		{"twice", "two entries", &reapi.Directory{
			Files:    []*reapi.FileNode{{Name: "a", Digest: good}},
			Symlinks: []*reapi.SymlinkNode{{Name: "a", Target: "/"}},
		}},
		{"directory path", "slash", &reapi.Directory{Directories: []*reapi.DirectoryNode{{Name: "../a", Digest: good}}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := marshal(t, tc.m)
			_, err := decodeDirectory(b)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v, want %q", err, tc.want)
			}
			s := newStore(t)
			d := put(t, s, string(b))
			_, err = s.OpenDir(d)
			wantError(t, err, ReasonCorrupt, d.Hash, s.Path(d), tc.want)
			dest := t.TempDir()
			wantError(t, s.CheckoutTree(d, dest+"/x", CheckoutOptions{}), ReasonCorrupt, d.Hash)
			if diff := cmp.Diff([]string{"x"}, names(t, dest)); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, b := range []string{"\x0a", "\x0a\xff\xff\xff\xff\xff", "\x0a\x03\x0a\x01\xff", "not a message", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"} {
		if _, err := decodeDirectory([]byte(b)); err == nil {
			t.Errorf("%q was accepted", b)
		}
	}
}

func TestUnsortedDirectoryIsAccepted(t *testing.T) {
	d := &reapi.Digest{Hash: EmptyDigest.Hash}
	b := marshal(t, &reapi.Directory{Files: []*reapi.FileNode{{Name: "b", Digest: d}, {Name: "a", Digest: d}}})
	data, err := decodeDirectory(b)
	if err != nil {
		t.Fatal(err)
	}
	if data.entries[0].Name != "a" {
		t.Error("not sorted")
	}
	// Unchanged, it keeps the digest that others know it by.
	s := newStore(t)
	dir, err := s.OpenDir(put(t, s, string(b)))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := dir.Clone().Digest(); err != nil || got != DigestBytes(b) {
		t.Errorf("%v, %v", got, err)
	}
}

func FuzzDirectory(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	f.Add([]byte{})
	f.Add(encodeDirectory(randomEntries(r, 5), ""))
	f.Add(encodeDirectory(randomEntries(r, 20), mtimeProperties(MTime)))
	f.Fuzz(func(t *testing.T, b []byte) {
		data, err := decodeDirectory(b)
		if err != nil {
			return
		}
		for i := range data.entries {
			e := &data.entries[i]
			if err := checkName(e.Name); err != nil {
				t.Error(err)
			}
			if e.Type != TypeSymlink && !e.Digest.Valid() {
				t.Errorf("digest %q", e.Digest)
			}
			e.MTime()
		}
		again, err := decodeDirectory(encodeDirectory(data.entries, data.properties))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(data.entries, again.entries) || data.properties != again.properties {
			t.Error("does not survive the round trip")
		}
		// What is accepted, the generated code understands too.
		if err := proto.Unmarshal(encodeDirectory(data.entries, ""), &reapi.Directory{}); err != nil && noProperties(data.entries) {
			t.Error(err)
		}
	})
}

func noProperties(list []Entry) bool {
	return !slices.ContainsFunc(list, func(e Entry) bool { return e.Properties != "" })
}

func TestDirCacheIsBounded(t *testing.T) {
	var c dirCache
	data := &dirData{entries: make([]Entry, 1000)}
	for i := range 1000 {
		c.add(DigestBytes(fmt.Append(nil, i)), data)
		c.get(DigestBytes(fmt.Append(nil, 0)))
	}
	if n := len(c.young) + len(c.old); n > 2*dirCacheWeight/1000+2 {
		t.Errorf("%d directories are kept", n)
	}
	if c.get(DigestBytes(fmt.Append(nil, 0))) == nil {
		t.Error("what is used all the time was dropped")
	}
	c.add(EmptyDigest, &dirData{entries: make([]Entry, dirCacheWeight)})
	if c.get(EmptyDigest) != nil {
		t.Error("one directory takes all of it")
	}
}

func BenchmarkDirectoryDecode(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	raw := encodeDirectory(randomEntries(r, 1000), "")
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := decodeDirectory(raw); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("generated", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := decodeGenerated(raw); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// decodeGenerated does what decodeDirectory does by way of the generated
// message.
func decodeGenerated(raw []byte) ([]Entry, error) {
	var m reapi.Directory
	if err := proto.Unmarshal(raw, &m); err != nil {
		return nil, err
	}
	list := make([]Entry, 0, len(m.Files)+len(m.Directories)+len(m.Symlinks))
	add := func(e Entry) error {
		if e.Type != TypeSymlink && !e.Digest.Valid() {
			return errTruncated
		}
		list = append(list, e)
		return checkName(e.Name)
	}
	for _, f := range m.Files {
		e := Entry{Name: f.Name, Type: TypeFile, Digest: Digest{f.Digest.GetHash(), f.Digest.GetSizeBytes()}, Executable: f.IsExecutable}
		if err := add(e); err != nil {
			return nil, err
		}
	}
	for _, d := range m.Directories {
		if err := add(Entry{Name: d.Name, Type: TypeDirectory, Digest: Digest{d.Digest.GetHash(), d.Digest.GetSizeBytes()}}); err != nil {
			return nil, err
		}
	}
	for _, l := range m.Symlinks {
		if err := add(Entry{Name: l.Name, Type: TypeSymlink, Target: l.Target}); err != nil {
			return nil, err
		}
	}
	return merge(list, []int{0, len(m.Files), len(m.Files) + len(m.Directories)}), nil
}

func BenchmarkDirectoryEncode(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	entries := randomEntries(r, 1000)
	m := generated(b, entries, "")
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			encodeDirectory(entries, "")
		}
	})
	b.Run("generated", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			marshal(b, m)
		}
	})
}
