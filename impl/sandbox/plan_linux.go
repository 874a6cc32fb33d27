package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"bst/impl/sandbox/inner"
)

// plan is how one command runs. What a helper needs of it crosses as files in the
// Root's work directory: a recipe, and for a shell a shellPlan.
//
// All sandbox paths in it are resolved: no component is a symbolic link, so that
// bubblewrap, which follows links of the root it is building, mounts where the
// sandbox would look.
type plan struct {
	// Bwrap is bubblewrap's path on the host.
	Bwrap string
	// Work is the Root's work directory; relative host paths start there.
	Work string
	// Overlay says to mount layers first; else RootDir is bound as it is.
	Overlay bool
	// UserXattr makes overlayfs keep its notes in user.* attributes, which an
	// ordinary user may write.
	UserXattr bool
	// Layers are the lower layers' directories, the topmost first: short names
	// relative to Work, because they share one page of mount options.
	Layers []string
	// RootDir is the host directory that becomes the root without Overlay.
	RootDir      string
	RootReadOnly bool
	// Binds are mounted in order over the root.
	Binds []bind
	// Dirs are made where bubblewrap mounts something new and empty.
	Dirs []string
	// Proc, Dev and Tmp are where those lie in the sandbox.
	Proc, Dev, Tmp string

	Argv []string
	// Env is in the form NAME=value.
	Env []string
	Dir string

	// NewUser says that bubblewrap must make a user namespace in which the
	// command has UID and GID.
	NewUser  bool
	UID, GID int
	Network  bool
	// RealRoot says that the command is root to the kernel, wherever it has
	// capabilities or not.
	RealRoot bool
	// Batch says that inner.BatchFD is open for the command's script.
	Batch bool
	// Terminal leaves the command on the terminal of whoever starts the helper.
	Terminal bool
	// First makes the command itself the first process of the sandbox.
	First bool
	// Shell is where the sandbox has sh, for the start on a terminal; may be "".
	Shell string
	// OwnNamespaces says that the helper runs in namespaces of its own; it is
	// set by whoever starts it.
	OwnNamespaces bool
	// Locks are files that whoever runs a shell from this plan holds a shared
	// lock on, so that the work directory and the trees outlive the process that
	// staged them.
	Locks []string
}

// bind is one host path mounted in the sandbox.
type bind struct {
	Host, Path string
	// Device lets device nodes work: host files that a person asked for.
	Device bool
}

// hostname is what uname tells in every sandbox, so that no build depends on
// the host's name.
const hostname = "buildsandbox"

// rootProc are the parts of /proc that a root without capabilities could change
// the machine with.
var rootProc = []string{"sys", "sysrq-trigger", "irq", "bus", "fs", "acpi", "scsi", "driver", "mtrr", "dynamic_debug", "asound"}

// The names inside a work directory.
const (
	upperName   = "upper"  // the overlay's upper layer
	ovlWorkName = "ovl"    // overlayfs's own work directory
	layersName  = "l"      // links to the lower layers
	mountName   = "root"   // where the overlay is mounted, in the helper's namespace
	copyName    = "copy"   // a private copy of the root, without overlayfs
	marksName   = "marked" // the marked directories
	lockName    = "lock"
)

// options are the overlay mount's options, relative to Work.
func (p *plan) options() string {
	lower := strings.Join(p.Layers, ":")
	o := "lowerdir=" + lower + ",upperdir=" + upperName + ",workdir=" + ovlWorkName
	if p.UserXattr {
		// userxattr implies that redirects and metadata-only copies are off.
		return o + ",userxattr,index=off"
	}
	return o + ",redirect_dir=off,metacopy=off,index=off"
}

// arguments are bubblewrap's, its own name included. statusFD is where it
// reports the exit status.
func (p *plan) arguments(statusFD int) []string {
	args := []string{"bwrap"}
	add := func(a ...string) { args = append(args, a...) }

	root := p.RootDir
	if p.Overlay {
		root = filepath.Join(p.Work, mountName)
	}
	if p.RootReadOnly {
		add("--ro-bind", root, "/")
	} else {
		add("--bind", root, "/")
	}
	add("--proc", p.Proc)
	if p.RealRoot {
		// The kernel lets its root write most of /proc without any capability;
		// core_pattern alone would run a program on the host.
		for _, name := range rootProc {
			add("--ro-bind-try", "/proc/"+name, path.Join(p.Proc, name))
		}
	}
	add("--dev", p.Dev)
	add("--perms", "1777", "--tmpfs", p.Dev+"/shm")
	add("--perms", "1777", "--tmpfs", p.Tmp)
	for _, b := range p.Binds {
		how := "--bind"
		if b.Device {
			how = "--dev-bind"
		}
		host := b.Host
		if !filepath.IsAbs(host) {
			host = filepath.Join(p.Work, host)
		}
		add(how, host, b.Path)
	}

	for _, d := range p.Dirs {
		add("--dir", d)
	}

	add("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", hostname, "--unshare-cgroup-try")
	if !p.Network {
		add("--unshare-net")
	}
	if p.NewUser {
		add("--unshare-user", "--uid", strconv.Itoa(p.UID), "--gid", strconv.Itoa(p.GID))
	}
	// Whoever the command seems to be, it can do nothing that needs a
	// capability: not mount, not open device nodes, not overlook file modes.
	add("--cap-drop", "ALL")
	add("--die-with-parent")
	if !p.Terminal {
		add("--new-session")
	}
	if p.First {
		add("--as-pid-1")
	}
	add("--json-status-fd", strconv.Itoa(statusFD))
	add("--clearenv")
	for _, kv := range p.Env {
		name, value, _ := strings.Cut(kv, "=")
		add("--setenv", name, value)
	}
	add("--chdir", p.Dir)
	add("--")
	return append(args, p.Argv...)
}

// recipe is what the inner helper does of the plan.
func (p *plan) recipe() *inner.Recipe {
	r := &inner.Recipe{
		Work: p.Work, OwnMounts: p.OwnNamespaces, Batch: p.Batch,
		Program: p.Bwrap, Args: p.arguments(inner.StatusFD),
	}
	if p.Overlay {
		r.Overlay, r.Target = p.options(), mountName
	}
	return r
}

// The ends of the names of the recipes that lie beside the plan of a shell: the one
// is for the terminal of whoever starts it, the other for one of its own.
const (
	innerSuffix    = ".inner"
	terminalSuffix = ".terminal"
)

// shellPlan is what the helper that runs a shell has to know besides the recipes,
// which lie beside its file. It crosses as a file, because another process (the
// frontend) starts the shell than the one that staged it.
type shellPlan struct {
	// OwnTerminal says that there is a recipe for a terminal of the shell's own.
	OwnTerminal bool
	// OwnNamespaces is the plan's.
	OwnNamespaces bool
	// Locks are the plan's.
	Locks []string
}

// writeShell stores what starts the plan as a shell.
func (p *plan) writeShell(path string) error {
	s := shellPlan{OwnTerminal: p.Shell != "", OwnNamespaces: p.OwnNamespaces, Locks: p.Locks}
	if err := errors.Join(s.write(path), p.recipe().Write(path+innerSuffix)); err != nil || !s.OwnTerminal {
		return err
	}
	// The script begins a session, and so comes to own the terminal.
	own := *p
	own.Terminal, own.First = false, true
	own.Argv = append([]string{p.Shell, "-c", ownTerminal, p.Argv[0]}, p.Argv...)
	return own.recipe().Write(path + terminalSuffix)
}

// write stores it in a file, readable by its owner alone. (Not as JSON, which would
// change paths that are not UTF-8; nor as gob, which takes a quarter of a millisecond
// of every start of bst to be there.)
func (s *shellPlan) write(path string) error {
	form, err := cbor.EncOptions{String: cbor.StringToByteString}.EncMode()
	if err != nil {
		return err
	}
	b, err := form.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}

func readShellPlan(path string) (*shellPlan, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	form, err := cbor.DecOptions{ByteStringToString: cbor.ByteStringToStringAllowed}.DecMode()
	if err != nil {
		return nil, err
	}
	s := new(shellPlan)
	if err := form.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}
