//go:build linux

package sandbox

import (
	"fmt"
	"path/filepath"
	"testing"

	"bst/impl/cas"

	"github.com/google/go-cmp/cmp"
)

func TestMerge(t *testing.T) {
	_, store := newTrees(t, 0)
	tree := func(files map[string]string) cas.Digest { return makeTree(t, store, files) }
	for name, c := range map[string]struct {
		layers []cas.Digest // bottom first
		want   map[string]string
	}{
		"nothing":       {nil, map[string]string{}},
		"one":           {[]cas.Digest{tree(map[string]string{"a/b": "1"})}, map[string]string{"a/b": "1"}},
		"apart":         {[]cas.Digest{tree(map[string]string{"a/b": "1"}), tree(map[string]string{"c": "2"})}, map[string]string{"a/b": "1", "c": "2"}},
		"over":          {[]cas.Digest{tree(map[string]string{"a/b": "1", "a/c": "1"}), tree(map[string]string{"a/b": "!2"})}, map[string]string{"a/b": "!2", "a/c": "1"}},
		"file hides":    {[]cas.Digest{tree(map[string]string{"a/b": "1"}), tree(map[string]string{"a": "f"}), tree(map[string]string{"a/c": "2"})}, map[string]string{"a/c": "2"}},
		"symlink hides": {[]cas.Digest{tree(map[string]string{"a/b": "1"}), tree(map[string]string{"a": "-> x"})}, map[string]string{"a": "-> x"}},
	} {
		d, err := merge(store, normalize(c.layers))
		if err != nil {
			t.Fatal(err)
		}
		dir, err := store.OpenDir(d)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, list(t, dir)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// Groups of a long stack show the same as the stack, and two stacks that differ
// in a few layers share most groups.
func TestGroup(t *testing.T) {
	_, store := newTrees(t, 0)
	var layers []cas.Digest
	for i := range 700 {
		layers = append(layers, makeTree(t, store, map[string]string{
			fmt.Sprintf("d%d/f", i%50): fmt.Sprint(i), fmt.Sprintf("e/%d", i): "x",
		}))
	}
	join := func(part []cas.Digest) (cas.Digest, error) { return merge(store, part) }
	stack := normalize(layers)
	want, err := merge(store, stack)
	if err != nil {
		t.Fatal(err)
	}
	short, err := group(stack, maxLayers, join)
	if err != nil {
		t.Fatal(err)
	}
	if len(short) > maxLayers || len(short) < 10 {
		t.Errorf("%d groups", len(short))
	}
	if got, err := merge(store, short); err != nil || got != want {
		t.Errorf("the groups show something else: %v", err)
	}
	patch := store.EmptyDir()
	if ok, err := correct(store, short, want, nil, "", patch); !ok || err != nil || patch.Len() > 0 {
		t.Errorf("%v %v, a patch of %d", ok, err, patch.Len())
	}
	other, err := group(normalize(append(append([]cas.Digest{}, layers[:300]...), layers[305:]...)), maxLayers, join)
	if err != nil {
		t.Fatal(err)
	}
	have := map[cas.Digest]bool{}
	for _, d := range short {
		have[d] = true
	}
	shared := 0
	for _, d := range other {
		if have[d] {
			shared++
		}
	}
	if shared < len(other)*8/10 {
		t.Errorf("%d of %d groups shared", shared, len(other))
	}
}

func TestArguments(t *testing.T) {
	p := &plan{
		Work: "/w", Overlay: true, Layers: []string{"l/0", "l/1"}, RootReadOnly: true, Proc: "/proc", Dev: "/dev", Tmp: "/var/tmp",
		Binds: []bind{{Host: "/w/marked/0", Path: "/build"}, {Host: "/host", Path: "/h", Device: true}},
		Argv:  []string{"sh", "-c", "--bind"}, Env: []string{"A=b=c"}, Dir: "/build", NewUser: true, UID: 5, GID: 6,
	}
	want := []string{"bwrap", "--ro-bind", "/w/root", "/", "--proc", "/proc", "--dev", "/dev",
		"--perms", "1777", "--tmpfs", "/dev/shm", "--perms", "1777", "--tmpfs", "/var/tmp",
		"--bind", "/w/marked/0", "/build", "--dev-bind", "/host", "/h",
		"--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", "buildsandbox", "--unshare-cgroup-try", "--unshare-net",
		"--unshare-user", "--uid", "5", "--gid", "6", "--cap-drop", "ALL", "--die-with-parent", "--new-session",
		"--json-status-fd", "3", "--clearenv", "--setenv", "A", "b=c", "--chdir", "/build", "--", "sh", "-c", "--bind"}
	if diff := cmp.Diff(want, p.arguments(3)); diff != "" {
		t.Error(diff)
	}
	if got := p.options(); got != "lowerdir=l/0:l/1,upperdir=upper,workdir=ovl,redirect_dir=off,metacopy=off,index=off" {
		t.Error(got)
	}
	// The kernel's limit of layers fits one page.
	p.Layers = nil
	for i := range 500 {
		p.Layers = append(p.Layers, filepath.Join(layersName, itoa(i)))
	}
	if n := len(p.options()); n >= 4096 {
		t.Errorf("500 layers take %d bytes", n)
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{"a": "a", "": "''", "a b": "'a b'", "it's": `'it'"'"'s'`, "A=b": "'A=b'", "/x-1.2_3:4": "/x-1.2_3:4", "$x": "'$x'", "ä": "'ä'"} {
		if got := quote(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}
