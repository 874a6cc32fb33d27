package element

import (
	"runtime"
	"strings"

	"bst/impl/node"
	"bst/impl/project"
	"bst/impl/stream"
)

// Sandbox is what an element asks of its sandbox.
type Sandbox struct {
	// BuildOS is lower case, BuildArch one of the canonical names.
	BuildOS, BuildArch string
	// BuildUID and BuildGID are nil where the element does not care.
	BuildUID, BuildGID *int
	// RemoteAPIsSocket is a path in the sandbox, "" for none.
	RemoteAPIsSocket string
	// ActionCacheUpdate lets nested remote execution write the action cache.
	ActionCacheUpdate bool
}

// readSandbox reads the composited and expanded "sandbox" of an element.
func readSandbox(n *node.Node) (Sandbox, error) {
	s := Sandbox{BuildOS: hostOS, BuildArch: project.HostArch()}
	if err := n.ValidateKeys("build-uid", "build-gid", "build-os", "build-arch", "remote-apis-socket"); err != nil {
		return s, err
	}
	os, err := n.GetStr("build-os", "")
	if err != nil {
		return s, err
	}
	if os != "" {
		s.BuildOS = strings.ToLower(os)
	}
	arch, err := n.GetStr("build-arch", "")
	if err != nil {
		return s, err
	}
	if arch != "" {
		var known bool
		if s.BuildArch, known = project.CanonicalArch(arch); !known {
			return s, &stream.Error{
				Domain:  stream.DomainPlatform,
				Message: n.Get("build-arch").Provenance().String() + ": Unknown architecture: " + arch,
			}
		}
	}
	if s.BuildUID, err = optionalInt(n, "build-uid"); err != nil {
		return s, err
	}
	if s.BuildGID, err = optionalInt(n, "build-gid"); err != nil {
		return s, err
	}
	socket, err := n.GetMapping("remote-apis-socket")
	if err != nil || socket.Len() == 0 {
		return s, err
	}
	if err := socket.ValidateKeys("path", "action-cache-enable-update"); err != nil {
		return s, err
	}
	if s.RemoteAPIsSocket, err = socket.NeedStr("path"); err != nil {
		return s, err
	}
	s.ActionCacheUpdate, err = socket.GetBool("action-cache-enable-update", false)
	return s, err
}

func optionalInt(n *node.Node, key string) (*int, error) {
	if v := n.Get(key); v == nil || v.IsNone() {
		return nil, nil
	}
	i, err := n.GetInt(key, 0)
	return &i, err
}

// uniqueKey is the sandbox's part of the cache key. Nothing may ever be added
// to it that is not set by the project.
func (s *Sandbox) uniqueKey() map[string]any {
	key := map[string]any{"build-os": s.BuildOS, "build-arch": s.BuildArch}
	if s.BuildUID != nil {
		key["build-uid"] = *s.BuildUID
	}
	if s.BuildGID != nil {
		key["build-gid"] = *s.BuildGID
	}
	if s.RemoteAPIsSocket != "" {
		socket := map[string]any{"path": s.RemoteAPIsSocket}
		if s.ActionCacheUpdate {
			socket["action-cache-enable-update"] = true
		}
		key["remote-apis-socket"] = socket
	}
	return key
}

// Plain gives the sandbox as artifacts store it.
func (s *Sandbox) Plain() map[string]any { return s.uniqueKey() }

var hostOS = func() string {
	if runtime.GOOS == "darwin" {
		return "macos"
	}
	return runtime.GOOS
}()
