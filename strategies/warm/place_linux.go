package warm

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"bst/impl/stream"
	"bst/impl/wire"
)

// place is where a backend is found: a folder of the user's own, and a name in it
// that says which backend it is.
type place struct{ dir, name string }

func (p place) file(ext string) string { return filepath.Join(p.dir, p.name+ext) }

// find gives the place of the right backend for a host.
func find(host stream.Host) (place, error) {
	dir, err := folder(host.Environ)
	if err != nil {
		return place{}, err
	}
	rest, err := identity(host)
	return place{dir, projectName(host.Project) + "-" + rest}, err
}

// folder is the private folder: in the one that the system makes for the user's
// programs, or else in the user's cache. It is made where it is not there, and
// refused where others could reach into it.
func folder(environ []string) (string, error) {
	dir := getenv(environ, "XDG_RUNTIME_DIR")
	if !filepath.IsAbs(dir) {
		if dir = getenv(environ, "XDG_CACHE_HOME"); !filepath.IsAbs(dir) {
			dir = filepath.Join(getenv(environ, "HOME"), ".cache")
		}
	}
	if !filepath.IsAbs(dir) {
		return "", errors.New("there is no place for the backend's socket: neither XDG_RUNTIME_DIR nor HOME is set")
	}
	dir = filepath.Join(dir, "bst")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	var st unix.Stat_t
	if err := unix.Lstat(dir, &st); err != nil {
		return "", &os.PathError{Op: "lstat", Path: dir, Err: err}
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFDIR:
		return "", fmt.Errorf("%s is no folder, and the backend's socket has its place there", dir)
	case int(st.Uid) != os.Getuid():
		return "", fmt.Errorf("%s belongs to user %d, and the backend's socket has its place there", dir, st.Uid)
	case st.Mode&0o077 != 0:
		return "", fmt.Errorf("others can reach into %s, where the backend's socket has its place: chmod 700 it", dir)
	}
	return dir, nil
}

// sessionPrefix is what the names of a backend's sessions begin with.
func sessionPrefix(name string) string {
	_, rest, _ := strings.Cut(name, "-")
	return rest[:min(4, len(rest))]
}

// getenv looks a name up in an environment in os.Environ's form; the last pair of
// a name counts.
func getenv(environ []string, name string) string {
	for _, pair := range slices.Backward(environ) {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	return ""
}

// brief is the part of a digest that names need: 64 bits, which nobody meets by
// accident, and only the user himself could by intent.
func brief(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)[:8]) }

// projectName is the part of a socket's name that says which project.
func projectName(project string) string {
	h := sha256.New()
	if real, err := filepath.EvalSymlinks(project); err == nil {
		project = real
	}
	fmt.Fprintf(h, "%q %d", project, os.Getuid())
	return brief(h)
}

// identity is the part that says which backend for it: all that one could behave
// by and that is not in its orders.
func identity(host stream.Host) (string, error) {
	h := sha256.New()
	own := wire.Identity()
	exe, err := fileID(host.Executable)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(h, "%q %q %q %q\n", own, host.Executable, exe, host.Args)
	for _, pair := range matters(host.Environ) {
		fmt.Fprintf(h, "%q\n", pair)
	}
	// How many processors there are, what machine it claims to be, and what
	// files and networks there are, can differ between two of the user's shells.
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "", os.NewSyscallError("uname", err)
	}
	fmt.Fprintf(h, "%d %q %o\n", runtime.NumCPU(), unix.ByteSliceToString(name.Machine[:]), umask())
	for _, space := range []string{"mnt", "user", "net", "pid"} {
		// Where /proc is missing, so are these.
		id, _ := os.Readlink("/proc/self/ns/" + space)
		fmt.Fprintf(h, "%q ", id)
	}
	if root, err := fileID("/"); err == nil {
		fmt.Fprintf(h, "%q", strings.Fields(root)[:2])
	}
	return brief(h), nil
}

// fileID says which file it is, and in which state.
func fileID(path string) (string, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return "", &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return fmt.Sprintf("%d %d %d %d", st.Dev, st.Ino, st.Size, st.Mtim.Nano()), nil
}

// idle are the variables that no backend behaves by: they are of the terminal, the
// shell and the desktop, and differ where nothing else does. All others count.
var idle = []string{
	"_", "PWD", "OLDPWD", "SHLVL", "SHELL", "TERM", "COLORTERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "COLUMNS", "LINES",
	"NO_COLOR", "FORCE_COLOR", "CLICOLOR", "LS_COLORS", "PS1", "PS2", "PROMPT_COMMAND", "WINDOWID", "TMUX", "TMUX_PANE", "STY",
	"VTE_VERSION", "KONSOLE_VERSION", "WT_SESSION", "GNOME_TERMINAL_SCREEN", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY",
	"SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY", "GPG_TTY", "XDG_SESSION_ID", "XDG_SESSION_TYPE", "XDG_VTNR", "XDG_SEAT",
	"PAGER", "LESS", "EDITOR", "VISUAL", "HISTSIZE", "HISTFILE", "BST_STRATEGY", wire.TraceVariable, IdleVariable,
	"BST_DRAWING", "BST_FRAME", "BST_TALLY", "BST_TERMINAL_MODEL", // of measurements, of the frontend alone
}

// matters gives what counts of an environment, in order.
func matters(environ []string) []string {
	last := make(map[string]string, len(environ))
	for _, pair := range environ {
		name, _, _ := strings.Cut(pair, "=")
		last[name] = pair
	}
	var list []string
	for name, pair := range last {
		if !slices.Contains(idle, name) {
			list = append(list, pair)
		}
	}
	slices.Sort(list)
	return list
}

// maxSocketPath is what sockaddr_un takes, its end included.
const maxSocketPath = 108

// withAddress calls f with an address for the place's socket. Where the path is
// longer than an address may be, the way there leads by way of /proc.
func (p place) withAddress(f func(*net.UnixAddr) error) error {
	path := p.file(".sock")
	if len(path) < maxSocketPath {
		return f(&net.UnixAddr{Name: path, Net: "unix"})
	}
	dir, err := os.OpenFile(p.dir, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer dir.Close()
	return f(&net.UnixAddr{Name: "/proc/self/fd/" + strconv.Itoa(int(dir.Fd())) + "/" + p.name + ".sock", Net: "unix"})
}

func (p place) dial() (conn *net.UnixConn, err error) {
	err = p.withAddress(func(a *net.UnixAddr) error {
		conn, err = net.DialUnix("unix", nil, a)
		return err
	})
	return conn, err
}

// listen makes the socket. Whoever calls it holds the place's lock.
func (p place) listen() (l *net.UnixListener, err error) {
	if err := os.Remove(p.file(".sock")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	err = p.withAddress(func(a *net.UnixAddr) error {
		l, err = net.ListenUnix("unix", a)
		return err
	})
	if err == nil {
		l.SetUnlinkOnClose(false) // it may be another's by then
	}
	return l, err
}

// lock makes sure that one process at a time makes, replaces or removes the
// place's socket. It waits for the other; wait false only tries.
func (p place) lock(wait bool) (unlock func(), err error) {
	f, err := os.OpenFile(p.file(".lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	how := unix.LOCK_EX
	if !wait {
		how |= unix.LOCK_NB
	}
	for {
		err = unix.Flock(int(f.Fd()), how)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(&os.PathError{Op: "flock", Path: f.Name(), Err: err}, f.Close())
	}
	return func() { f.Close() }, nil // with it goes the lock
}

// checkPeer refuses a connection whose other end is another user's.
func checkPeer(conn *net.UnixConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return err
	}
	if credErr != nil {
		return os.NewSyscallError("getsockopt", credErr)
	}
	return sameUser(cred.Uid)
}

func sameUser(uid uint32) error {
	if int(uid) != os.Getuid() {
		return fmt.Errorf("the other end of the socket is user %d's, and this is user %d", uid, os.Getuid())
	}
	return nil
}
