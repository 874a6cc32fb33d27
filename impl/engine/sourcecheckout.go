package engine

// Sources in a folder or a tarball. Behaviour: the reference's
// Stream.source_checkout.

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"bst/impl/cas"
	"bst/impl/element"
	"bst/impl/kind"
	"bst/impl/sched"
	"bst/impl/stream"
)

// checkoutSources obeys bst source checkout.
func (s *session) checkoutSources(ctx context.Context, o *stream.CheckoutSources) (summary *stream.Summary, err error) {
	target := o.Target
	if target == "" {
		at, err := s.findWork()
		if err != nil {
			return nil, err
		}
		if target = at.element; target == "" {
			return nil, &stream.Error{Domain: stream.DomainApp, Message: `Missing argument "ELEMENT".`}
		}
	}
	to := &stream.Checkout{Directory: o.Directory, Tar: o.Tar, Compression: o.Compression, Force: o.Force}
	drop := s.dropNew(to)
	defer func() { drop(err) }()
	if err := checkLocation(to); err != nil {
		return nil, err
	}
	w, err := s.load(ctx, []string{target}, true, o.Except...)
	if err != nil {
		return nil, err
	}
	selected := w.selection(o.Deps)
	if summary, err = s.fetchMissing(ctx, w, selected); err != nil {
		return summary, err
	}
	j := &journal{s: s}
	root, err := s.sourcesOf(ctx, w, selected, o.BuildScripts, j)
	if err == nil {
		if to.Tar == "" {
			var digest cas.Digest
			if digest, err = root.Digest(); err == nil {
				err = checkoutTree(w.store, digest, to)
			}
		} else {
			err = writeTarball(ctx, w.store, root, to, "")
		}
	}
	if err != nil {
		if ctx.Err() != nil {
			return summary, ctx.Err()
		}
		e := *asError(err)
		e.Domain = stream.DomainStream
		e.Message = "Error while writing sources: '" + e.Message + "'"
		return summary, &e
	}
	location := to.Tar + to.Directory
	s.say(subject{}, stream.TypeInfo, nil, "Checked out sources to '"+location+"'", "")
	return summary, nil
}

// fetchMissing fetches the sources of elements that are not in the store. Who has all
// waits for no server.
func (s *session) fetchMissing(ctx context.Context, w *world, list []*element.Element) (*stream.Summary, error) {
	if err := consistent(list); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(list, func(e *element.Element) bool { return !w.sourcesCached(e) }) {
		return nil, nil
	}
	if err := w.connect(ctx, useSources); err != nil {
		return nil, err
	}
	r := &runner{s: s, w: w, plan: w.planOf(list, nil)}
	return r.run(ctx, nil, r.fetchQueue(func(i sched.Item) bool { return w.sourcesCached(w.graph.Elements[i]) }))
}

// sourcesOf is a tree with a folder for each element that has sources.
func (s *session) sourcesOf(ctx context.Context, w *world, list []*element.Element, scripts bool, j *journal) (*cas.Dir, error) {
	root := w.store.EmptyDir()
	for _, e := range list {
		if len(e.Sources) == 0 {
			continue
		}
		digest, err := w.sourceTree(ctx, e, j)
		if err != nil {
			return nil, err
		}
		tree, err := w.store.OpenDir(digest)
		if err != nil {
			return nil, err
		}
		place, err := root.Sub(folderOf(e), true)
		if err != nil {
			return nil, err
		}
		if _, err := place.Import(tree, cas.ImportOptions{NoResult: true}); err != nil {
			return nil, err
		}
	}
	if !scripts {
		return root, nil
	}
	var modules []string
	for _, e := range list {
		script, ok := buildScript(e)
		if !ok {
			continue
		}
		if err := putScript(root, "build-"+e.NormalName, script); err != nil {
			return nil, err
		}
		modules = append(modules, quoted(e.NormalName))
	}
	return root, putScript(root, "build.sh", fmt.Sprintf(masterScript, strings.Join(modules, " ")))
}

// folderOf is where an element's sources are: below those of its junctions.
func folderOf(e *element.Element) string {
	folder := e.NormalName
	for p := e.Project; p.Parent != nil; p = p.Parent {
		folder = path.Join(element.NormalName(p.JunctionElement()), folder)
	}
	return folder
}

func putScript(root *cas.Dir, name, text string) error {
	digest, err := root.Store().PutBytes([]byte(text))
	if err != nil {
		return err
	}
	return root.AddFile(name, digest, true)
}

// masterScript builds all elements, in order.
const masterScript = `#!/bin/sh
# Written by bst: builds the elements below, in order, and installs each into /.
# Run it as root in a system that is to be changed, such as a chroot.
set -eu

export PATH='/usr/bin:/usr/sbin/:/sbin:/bin:/tools/bin:/tools/sbin'
SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")" && pwd)}
export SRCDIR

module=none
trap 'status=$?; [ $status = 0 ] || echo "Error building module $module." >&2' EXIT
for module in %s; do
    "$SRCDIR/build-$module"
    if [ -e /sbin/ldconfig ]; then
        /sbin/ldconfig || true
    fi
done
echo 'Done!'
`

// buildScript builds one element as bst does, but for its sandbox. It is false for
// kinds that run no commands of their own.
func buildScript(e *element.Element) (string, bool) {
	scripter, ok := e.Impl.(kind.Scripter)
	if !ok {
		return "", false
	}
	build, _ := e.Variables.Get("build-root")
	install, _ := e.Variables.Get("install-root")
	var b strings.Builder
	fmt.Fprintf(&b, "#!/bin/sh\n# Written by bst: builds %s from $SRCDIR and installs it into /.\nset -e\n\n", e.FullName)
	fmt.Fprintf(&b, "echo %s\n", quoted("Building "+e.NormalName))
	fmt.Fprintf(&b, "rm -rf %[1]s %[2]s\nmkdir -p %[1]s %[2]s\n", quoted(build), quoted(install))
	source := `"$SRCDIR"/` + quoted(folderOf(e))
	fmt.Fprintf(&b, "if [ -d %[1]s ]; then\n    cp -a %[1]s/. %[2]s\nfi\ncd %[2]s\n\n", source, quoted(build))
	for _, v := range e.Environment {
		fmt.Fprintf(&b, "export %s=%s\n", v.Name, quoted(v.Value))
	}
	b.WriteString("\n" + scripter.Script() + "\n")
	fmt.Fprintf(&b, "cd /\nrm -rf %s\n\necho %s\n", quoted(build), quoted("Installing "+e.NormalName))
	fmt.Fprintf(&b, "(cd %s && find . | cpio -umdp /)\n", quoted(install))
	return b.String(), true
}

// quoted is a text as a shell takes it for one word.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
