package git

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"bst/impl/kind"
	"bst/impl/kind/host"
	"bst/impl/patient"
	"bst/impl/stream"

	"github.com/gofrs/flock"
)

// git runs the program for one source during one call.
type git struct {
	s *source
	w kind.SourceWork
	// program is its path, "" until find.
	program string
	// mirrors is <sourcedir>/git.
	mirrors string
	// scratch is made when something is put there.
	scratch string
	// present are the repositories that were seen to have their commit.
	present map[string]bool
}

func newGit(s *source, w kind.SourceWork) (*git, error) {
	mirrors, err := w.MirrorDir()
	if err != nil {
		return nil, err
	}
	return &git{s: s, w: w, mirrors: mirrors, present: map[string]bool{}}, nil
}

// find looks for the program, once.
func (g *git) find() (err error) {
	if g.program == "" {
		g.program, err = host.Find("git", g.s.env, "git")
	}
	return err
}

// repo is the repository of the source or of a submodule, at one commit.
type repo struct {
	// path is where it is staged, "" for the source's own.
	path string
	// url is where it is fetched from, before any translation.
	url string
	ref string
	// mirror is the bare repository that keeps what was fetched.
	mirror string
}

func (g *git) repo(path, url, ref string) (*repo, error) {
	// git would take it for an option.
	for _, word := range []string{url, ref} {
		if strings.HasPrefix(word, "-") {
			return nil, kind.SourceErrorf("git", g.s.env, "", "'%s' cannot be a URL or a ref of git", word)
		}
	}
	return &repo{path: path, url: url, ref: ref, mirror: filepath.Join(g.mirrors, kind.URLDirectory(url))}, nil
}

// environment keeps git from asking anybody and from working on a repository
// that bst was started in.
var environment = []string{
	"GIT_TERMINAL_PROMPT=0", "LC_ALL=C",
	"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
	"GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PREFIX", "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE", "GIT_REPLACE_REF_BASE",
}

// silence is how long git may say nothing while it fetches. It shows progress,
// so a working connection is never silent for long.
const silence = 10 * time.Minute

// maxOutput bounds what git may answer, in bytes.
const maxOutput = 64 << 20

// answer is how git ended and what it wrote to its standard output.
type answer struct {
	host.Result
	out string
}

// output asks about a mirror.
func (g *git) output(ctx context.Context, r *repo, args ...string) (answer, error) {
	return g.capture(ctx, host.Command{Argv: append([]string{g.program, "--git-dir=" + r.mirror}, args...)})
}

// ask asks a question to which no is a good answer, of which nothing is logged.
func (g *git) ask(ctx context.Context, r *repo, args ...string) bool {
	a, err := g.capture(ctx, host.Command{Argv: append([]string{g.program, "--git-dir=" + r.mirror}, args...), Quiet: true})
	return err == nil && a.Status == 0
}

func (g *git) capture(ctx context.Context, c host.Command) (answer, error) {
	var out buffer
	c.Stdout = &out
	c.Env = append(c.Env, environment...)
	result, err := host.Run(ctx, g.w, c)
	if err == nil && out.over {
		err = kind.SourceErrorf("git", g.s.env, "", "git answered with more than %d bytes: %s", maxOutput, strings.Join(c.Argv, " "))
	}
	return answer{result, out.String()}, err
}

// must is output that fails with the given message.
func (g *git) must(ctx context.Context, fail string, r *repo, args ...string) (string, error) {
	a, err := g.output(ctx, r, args...)
	if err == nil && a.Status != 0 {
		err = g.failed(fail, a.Result)
	}
	return a.out, err
}

// failed makes the error of a git command.
func (g *git) failed(text string, result host.Result) *stream.Error {
	return host.Failed("git", g.s.env, text, result)
}

// buffer keeps an answer of bounded size.
type buffer struct {
	strings.Builder
	over bool
}

func (b *buffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxOutput {
		b.over = true
		return len(p), nil
	}
	return b.Builder.Write(p)
}

// fetchingName is a file in a mirror, there from the begin of a fetch to its good
// end. Git writes a commit before what it consists of: where a fetch was killed,
// that a commit is there says little.
const fetchingName = "bst.fetching"

// has says that the mirror has the commit, with all its files.
func (g *git) has(ctx context.Context, r *repo) bool {
	id := r.mirror + "\x00" + r.ref
	if g.present[id] {
		return true
	}
	if _, err := os.Stat(r.mirror); err != nil || r.ref == "" || g.find() != nil {
		return false
	}
	present := g.ask(ctx, r, "cat-file", "-t", r.ref)
	if _, err := os.Lstat(filepath.Join(r.mirror, fetchingName)); present && err == nil {
		present = g.ask(ctx, r, "rev-list", "--objects", "--quiet", "--no-walk", r.ref)
	}
	g.present[id] = present
	return present
}

// begin notes in the mirror, which is locked, that a fetch begins, and removes
// what one that was killed has left in the way. end notes its good end.
func (r *repo) begin() (end func() error, err error) {
	mark := filepath.Join(r.mirror, fetchingName)
	if _, err := os.Lstat(mark); err == nil {
		err := filepath.WalkDir(r.mirror, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".lock") || d.Name() == lockName {
				return err
			}
			return os.Remove(path)
		})
		if err != nil {
			return nil, err
		}
	} else if err := os.WriteFile(mark, nil, 0o644); err != nil {
		return nil, err
	}
	return func() error { return os.Remove(mark) }, nil
}

// lockName is the file in a mirror whose lock a fetch holds.
const lockName = "bst.lock"

// ensure makes the mirror where there is none.
func (g *git) ensure(ctx context.Context, r *repo) error {
	if _, err := os.Stat(r.mirror); err == nil {
		return nil
	}
	temp, err := os.MkdirTemp(g.mirrors, ".init-")
	if err == nil {
		err = os.Chmod(temp, 0o755)
	}
	if err != nil {
		return g.fault("Failed to make a repository", err)
	}
	defer patient.RemoveAll(temp)
	a, err := g.capture(ctx, host.Command{Argv: []string{g.program, "init", "--bare", "--quiet", "--template=", temp}})
	if err != nil {
		return err
	}
	if a.Status != 0 {
		return g.failed("Failed to initialise repository", a.Result)
	}
	err = patient.Rename(temp, r.mirror)
	if _, there := os.Stat(r.mirror); err != nil && there != nil {
		return g.fault("Failed to move created repository to '"+r.mirror+"'", err)
	}
	// Where another process was quicker, its repository is as good.
	return nil
}

// fetch brings the commit into the mirror, from the first URL that has it.
func (g *git) fetch(ctx context.Context, r *repo) error {
	if g.has(ctx, r) {
		return nil
	}
	if err := g.ensure(ctx, r); err != nil {
		return err
	}
	return g.writing(ctx, r, func() error {
		return kind.FetchFrom(ctx, "git", g.s.env, r.url, func(url string) error {
			return g.w.Activity("Fetching from "+url, func() error { return g.fetchFrom(ctx, r, url) })
		})
	})
}

// writing keeps others from the mirror while f brings something into it: two that
// fetch into one repository at a time would meet at its refs.
func (g *git) writing(ctx context.Context, r *repo, f func() error) error {
	lock := flock.New(filepath.Join(r.mirror, lockName))
	if _, err := lock.TryLockContext(ctx, 50*time.Millisecond); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return g.fault("Failed to lock the repository", err)
	}
	defer lock.Unlock()
	end, err := r.begin()
	if err != nil {
		return g.fault("Failed to prepare the repository", err)
	}
	if err := f(); err != nil {
		return err
	}
	if err := end(); err != nil {
		return g.fault("Failed to finish the repository", err)
	}
	return nil
}

func (g *git) fetchFrom(ctx context.Context, r *repo, url string) error {
	if strings.HasPrefix(url, "-") {
		return kind.SourceErrorf("git", g.s.env, "", "'%s' cannot be a URL of git", url)
	}
	if g.has(ctx, r) {
		return nil // Whoever held the lock before has fetched it.
	}
	shallow, err := g.fetchTag(ctx, r, url)
	if err != nil {
		return err
	}
	if !shallow || !g.has(ctx, r) {
		if err := g.fetchAll(ctx, r, url); err != nil {
			return err
		}
	}
	if !g.has(ctx, r) && wholeCommit().MatchString(r.ref) {
		// It may be on no branch: many servers give a commit that is asked for by name.
		if _, err := g.network(ctx, r, url, "fetch", "--progress", "--", url, r.ref); err != nil && ctx.Err() != nil {
			return err
		}
	}
	if !g.has(ctx, r) {
		return kind.SourceErrorf("git", g.s.env, "", "expected ref '%s' was not found in git repository: '%s'", r.ref, r.url)
	}
	return nil
}

// wholeCommit is a ref that is the name of a commit alone.
var wholeCommit = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-f]{40}$`) })

// fetchTag fetches a commit that is named by a tag, and nothing before it. It
// tells whether that could be done.
func (g *git) fetchTag(ctx context.Context, r *repo, url string) (bool, error) {
	match := exactTag().FindStringSubmatch(r.ref)
	if match == nil {
		return false, nil
	}
	tag, commit := match[1], match[2]
	refs, err := g.network(ctx, r, url, "ls-remote", "--", url)
	if err != nil {
		return false, err
	}
	advertised := false
	for line := range strings.Lines(refs) {
		line = strings.TrimRight(line, "\n")
		want := commit + "\trefs/tags/" + tag
		advertised = advertised || line == want || line == want+"^{}"
	}
	if !advertised {
		g.w.Message(stream.TypeStatus, fmt.Sprintf("%s: %s is not advertised on %s. Fetching all Git refs",
			kind.SourceName("git", g.s.env), r.ref, url), "")
		return false, nil
	}
	_, err = g.network(ctx, r, url, "fetch", "--progress", "--depth=1", "--", url, "+refs/tags/"+tag+":refs/tags/"+tag)
	if err != nil && ctx.Err() == nil {
		g.w.Message(stream.TypeStatus, fmt.Sprintf("%s: Failed to fetch tag '%s' from %s. Fetching all Git refs",
			kind.SourceName("git", g.s.env), tag, url), "")
		return false, nil
	}
	return err == nil, err
}

// fetchAll fetches all branches and tags.
func (g *git) fetchAll(ctx context.Context, r *repo, url string) error {
	args := []string{"fetch", "--progress", "--prune", "--", url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"}
	if _, err := g.network(ctx, r, url, args...); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(r.mirror, "shallow")); err != nil || g.has(ctx, r) {
		return nil
	}
	// A single tag was fetched earlier: git has not looked behind it.
	args = append([]string{"fetch", "--unshallow"}, args[1:]...)
	_, err := g.network(ctx, r, url, args...)
	return err
}

// network runs a command that talks to url. Its errors are temporary, unless
// git says that there is no repository.
func (g *git) network(ctx context.Context, r *repo, url string, args ...string) (string, error) {
	argv := append([]string{
		g.program, "--git-dir=" + r.mirror,
		// What git tidies up afterwards it tidies up while we wait for it.
		"-c", "gc.autoDetach=false", "-c", "maintenance.autoDetach=false",
	}, args...)
	a, err := g.capture(ctx, host.Command{Argv: argv, Stderr: &progress{report: g.w.Count}, Silence: silence})
	if err != nil {
		return "", err
	}
	if a.Status == 0 && !a.Silent {
		return a.out, nil
	}
	text := "Failed to fetch from remote git repository: " + url
	if args[0] == "ls-remote" {
		text = "Failed to list advertised remote refs from git repository " + url
	}
	e := g.failed(text, a.Result)
	e.Temporary = !missing().MatchString(a.Tail)
	if a.Silent {
		e.Detail = strings.TrimSpace(e.Detail + "\nThe server sent nothing for " + silence.String() + ".")
	}
	return "", e
}

// missing is what git says of a repository that is not there.
var missing = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`does not appear to be a git repository|repository '[^']*' not found|does not exist|` +
		`not a git repository|[Rr]epository not found|unable to find remote helper|is not a valid|could not read Username`)
})

// progress reads git's progress display.
type progress struct {
	report func(current, total int)
	line   []byte
}

// objects is a step of receiving objects, which is what takes the time.
var objects = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^Receiving objects: +\d+% \((\d+)/(\d+)\)`) })

func (p *progress) Write(b []byte) (int, error) {
	for _, c := range b {
		if c != '\r' && c != '\n' {
			if len(p.line) < 1024 {
				p.line = append(p.line, c)
			}
			continue
		}
		if match := objects().FindSubmatch(p.line); match != nil {
			current, err1 := strconv.Atoi(string(match[1]))
			total, err2 := strconv.Atoi(string(match[2]))
			if err1 == nil && err2 == nil {
				p.report(current, total)
			}
		}
		p.line = p.line[:0]
	}
	return len(b), nil
}

// submodules are those of r's commit. With warn, those that are named but not
// there are warned about.
func (g *git) submodules(ctx context.Context, r *repo, warn bool) ([]*repo, error) {
	file := r.ref + ":.gitmodules"
	if !g.ask(ctx, r, "cat-file", "-e", file) {
		return nil, ctx.Err()
	}
	list, err := g.must(ctx, "Failed to show gitmodules at ref "+r.ref, r, "config", "--blob", file, "-z", "--list")
	if err != nil {
		return nil, err
	}
	var subs []*repo
	for _, module := range parseModules(list) {
		sub, err := g.submodule(ctx, r, module, warn)
		if err != nil {
			return nil, err
		}
		if sub != nil {
			subs = append(subs, sub)
		}
	}
	return subs, nil
}

// module is an entry of .gitmodules.
type module struct{ path, url string }

// parseModules reads what `git config -z --list` says of a .gitmodules file, in
// the order of that.
func parseModules(list string) []module {
	var modules []module
	index := map[string]int{}
	for entry := range strings.SplitSeq(list, "\x00") {
		key, value, _ := strings.Cut(entry, "\n")
		rest, ok := strings.CutPrefix(key, "submodule.")
		dot := strings.LastIndexByte(rest, '.')
		if !ok || dot < 0 {
			continue
		}
		name, field := rest[:dot], rest[dot+1:]
		i, ok := index[name]
		if !ok {
			i = len(modules)
			index[name] = i
			modules = append(modules, module{})
		}
		switch field {
		case "path":
			modules[i].path = value
		case "url":
			modules[i].url = value
		}
	}
	whole := modules[:0]
	for _, m := range modules {
		if m.path != "" && m.url != "" {
			whole = append(whole, m)
		}
	}
	return whole
}

// submodule finds the commit of a submodule in its parent's tree; nil where
// there is none.
func (g *git) submodule(ctx context.Context, r *repo, m module, warn bool) (*repo, error) {
	if !safePath(m.path) {
		return nil, kind.SourceErrorf("git", g.s.env, "", "The submodule '%s' of '%s' leads out of its repository", m.path, r.url)
	}
	list, err := g.must(ctx, fmt.Sprintf("ls-tree failed for commit %s and submodule: %s", r.ref, m.path), r, "ls-tree", "-z", r.ref, "--", m.path)
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(list)
	if len(fields) < 3 || fields[1] != "commit" {
		if !warn {
			return nil, nil
		}
		return nil, g.w.Warn(warnInconsistent, fmt.Sprintf("%s: Ignoring inconsistent submodule '%s'", kind.SourceName("git", g.s.env), m.path),
			fmt.Sprintf("The submodule '%s' is defined either in the BuildStream source\n"+
				"definition, or in a .gitmodules file. But the submodule was never added to the\n"+
				"underlying git repository with `git submodule add`.", m.path))
	}
	if len(fields[2]) != 40 {
		return nil, kind.SourceErrorf("git", g.s.env, "", "Error reading commit information for submodule '%s'", m.path)
	}
	return g.repo(path.Join(r.path, m.path), absoluteURL(r.url, m.url), fields[2])
}

// safePath says that a submodule's path stays inside its repository, and out of
// what is git's.
func safePath(p string) bool {
	if !filepath.IsLocal(p) || path.Clean(p) != strings.TrimSuffix(p, "/") || path.Clean(p) == "." {
		return false
	}
	for part := range strings.SplitSeq(p, "/") {
		if strings.EqualFold(part, ".git") {
			return false
		}
	}
	return true
}

// absoluteURL gives a submodule's URL that is relative to its parent's a place
// of its own, as git does.
func absoluteURL(parent, url string) string {
	if !strings.HasPrefix(url, "./") && !strings.HasPrefix(url, "../") {
		return url
	}
	base, rest := strings.TrimRight(parent, "/"), url
	for {
		if after, ok := strings.CutPrefix(rest, "./"); ok {
			rest = after
			continue
		}
		after, ok := strings.CutPrefix(rest, "../")
		if !ok {
			break
		}
		slash := strings.LastIndexAny(base, "/:")
		if slash < 0 || strings.HasSuffix(base[:slash+1], "//") {
			return url // It climbs above the host; git will say so.
		}
		if rest = after; base[slash] == ':' {
			return base[:slash+1] + rest
		}
		base = base[:slash]
	}
	return base + "/" + rest
}

// fault makes the error of a disk that does not do what it should.
func (g *git) fault(what string, err error) *stream.Error {
	e := kind.SourceErrorf("git", g.s.env, "", "%s: %s", what, err)
	e.Cause = err.Error()
	return e
}
