// Package artifact keeps artifacts: what came of building an element, under
// the keys it was built for, in <cachedir>/artifacts/refs.
//
// It knows the artifact message, its names and their order of use. Files lie
// in the content-addressed store; what the YAML files among them mean is the
// engine's. It talks to no server.
package artifact

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"bst/impl/cas"
	pb "bst/impl/proto/buildstream/v2"
	"bst/impl/proto/reapi"

	"google.golang.org/protobuf/proto"
)

// Version is the version of artifacts that are written here. Others are read
// too: it says what is mandatory, and nothing here is.
const Version = 2

// Artifact is what came of building an element. A zero digest in it stands for
// what the artifact does not have.
type Artifact struct {
	// Version is set by Commit and Encode.
	Version int
	// BuildSuccess is false for a build that failed, whose error is in
	// BuildError, in a line, and BuildErrorDetails, at length.
	BuildSuccess                  bool
	BuildError, BuildErrorDetails string
	// The keys of the element when it was built.
	StrongKey, StrictKey, WeakKey string
	// WasWorkspaced says that a source was an open workspace.
	WasWorkspaced bool

	// Files is the directory of what the element installs. Zero: the build
	// failed.
	Files cas.Digest
	// BuildTree is the directory it was built in, BuildRoot that of the whole
	// sandbox, Sources that of the sources as staged; kept on request.
	BuildTree, BuildRoot, Sources cas.Digest

	// BuildDeps is what it was built from, in staging order.
	BuildDeps []Dependency

	// PublicData is a YAML file: the public data after the build.
	PublicData cas.Digest
	// LowDiversityMeta is a YAML file with environment and sandbox-config,
	// HighDiversityMeta one with variables.
	LowDiversityMeta, HighDiversityMeta cas.Digest

	Logs []Log

	// BuildSandbox is what it takes to open the sandbox of BuildRoot again;
	// nil without one.
	BuildSandbox *BuildSandbox
}

// Dependency is an element that another was built from.
type Dependency struct {
	Project, Element string
	// Key is its strong key.
	Key           string
	WasWorkspaced bool
}

// ArtifactName is the name of the dependency's artifact.
func (d *Dependency) ArtifactName() string { return Name(d.Project, NormalName(d.Element), d.Key) }

// Log is a log file.
type Log struct {
	// Name is the file's, without a folder.
	Name   string
	Digest cas.Digest
}

// BuildSandbox is the state of a sandbox after the build.
type BuildSandbox struct {
	Environment       []Variable // sorted by name
	WorkingDirectory  string
	SubsandboxDigests []cas.Digest
	MarkedDirectories []string
}

// Variable is an environment variable.
type Variable struct{ Name, Value string }

// NormalName is an element's name as artifacts, logs and folders have it: "/"
// becomes "-", and the extension goes.
func NormalName(element string) string {
	name := strings.ReplaceAll(element, "/", "-")
	// As Python's splitext does: dots that a name begins with begin no
	// extension.
	body := strings.TrimLeft(name, ".")
	if i := strings.LastIndexByte(body, '.'); i > 0 {
		name = name[:len(name)-len(body)+i]
	}
	return name
}

// Name is the name of an artifact, project/normal-name/key, which is also its
// path below refs. Characters of the element's name outside [A-Za-z0-9-._]
// become "_".
func Name(project, normalName, key string) string {
	return project + "/" + cleanName(normalName) + "/" + key
}

// cleanName is the part of an artifact's name that the element gives.
func cleanName(normalName string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '.', r == '_':
			return r
		}
		return '_'
	}, normalName)
}

// Encode gives the artifact's message.
func (a *Artifact) Encode() ([]byte, error) {
	m := &pb.Artifact{
		Version:           Version,
		BuildSuccess:      a.BuildSuccess,
		BuildError:        text(a.BuildError),
		BuildErrorDetails: text(a.BuildErrorDetails),
		StrongKey:         a.StrongKey,
		StrictKey:         a.StrictKey,
		WeakKey:           a.WeakKey,
		WasWorkspaced:     a.WasWorkspaced,
		Files:             toProto(a.Files),
		PublicData:        toProto(a.PublicData),
		Buildtree:         toProto(a.BuildTree),
		Sources:           toProto(a.Sources),
		Buildroot:         toProto(a.BuildRoot),
		LowDiversityMeta:  toProto(a.LowDiversityMeta),
		HighDiversityMeta: toProto(a.HighDiversityMeta),
	}
	for _, d := range a.BuildDeps {
		m.BuildDeps = append(m.BuildDeps, &pb.Artifact_Dependency{
			ProjectName: d.Project, ElementName: d.Element, CacheKey: d.Key, WasWorkspaced: d.WasWorkspaced,
		})
	}
	for _, l := range a.Logs {
		m.Logs = append(m.Logs, &pb.Artifact_LogFile{Name: l.Name, Digest: toProto(l.Digest)})
	}
	if s := a.BuildSandbox; s != nil {
		state := &pb.Artifact_SandboxState{WorkingDirectory: s.WorkingDirectory, MarkedDirectories: s.MarkedDirectories}
		for _, v := range s.Environment {
			state.Environment = append(state.Environment, &reapi.Command_EnvironmentVariable{Name: v.Name, Value: text(v.Value)})
		}
		for _, d := range s.SubsandboxDigests {
			state.SubsandboxDigests = append(state.SubsandboxDigests, toProto(d))
		}
		m.Buildsandbox = state
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}

// text makes s what a protobuf string may hold. A failed build's output may be
// anything, and must not keep its artifact from being stored.
func text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// Decode reads an artifact's message, which may come from anywhere: what could
// not be used safely is an error.
func Decode(b []byte) (*Artifact, error) {
	var m pb.Artifact
	if err := proto.Unmarshal(b, &m); err != nil {
		return nil, err
	}
	a := &Artifact{
		Version:           int(m.Version),
		BuildSuccess:      m.BuildSuccess,
		BuildError:        m.BuildError,
		BuildErrorDetails: m.BuildErrorDetails,
		StrongKey:         m.StrongKey,
		StrictKey:         m.StrictKey,
		WeakKey:           m.WeakKey,
		WasWorkspaced:     m.WasWorkspaced,
	}
	var errs []error
	digest := func(field string, d *reapi.Digest) cas.Digest {
		got := fromProto(d)
		if !got.IsZero() && !got.Valid() {
			errs = append(errs, fmt.Errorf("%s: %q is no digest", field, got))
		}
		return got
	}
	a.Files = digest("files", m.Files)
	a.PublicData = digest("public_data", m.PublicData)
	a.BuildTree = digest("buildtree", m.Buildtree)
	a.Sources = digest("sources", m.Sources)
	a.BuildRoot = digest("buildroot", m.Buildroot)
	a.LowDiversityMeta = digest("low_diversity_meta", m.LowDiversityMeta)
	a.HighDiversityMeta = digest("high_diversity_meta", m.HighDiversityMeta)
	for _, d := range m.BuildDeps {
		a.BuildDeps = append(a.BuildDeps, Dependency{
			Project: d.GetProjectName(), Element: d.GetElementName(), Key: d.GetCacheKey(), WasWorkspaced: d.GetWasWorkspaced(),
		})
	}
	for _, l := range m.Logs {
		// The name becomes that of a file in a folder of the user's choice.
		name := l.GetName()
		if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
			errs = append(errs, fmt.Errorf("logs: %q is no file name", name))
		}
		a.Logs = append(a.Logs, Log{Name: name, Digest: digest("logs", l.GetDigest())})
	}
	if s := m.Buildsandbox; s != nil {
		a.BuildSandbox = &BuildSandbox{WorkingDirectory: s.WorkingDirectory, MarkedDirectories: s.MarkedDirectories}
		for _, v := range s.Environment {
			a.BuildSandbox.Environment = append(a.BuildSandbox.Environment, Variable{Name: v.GetName(), Value: v.GetValue()})
		}
		for _, d := range s.SubsandboxDigests {
			a.BuildSandbox.SubsandboxDigests = append(a.BuildSandbox.SubsandboxDigests, digest("subsandbox_digests", d))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return a, nil
}

func toProto(d cas.Digest) *reapi.Digest {
	if d.IsZero() {
		return nil
	}
	return &reapi.Digest{Hash: d.Hash, SizeBytes: d.Size}
}

// fromProto takes an empty message, which the reference may write, for none.
func fromProto(d *reapi.Digest) cas.Digest {
	return cas.Digest{Hash: d.GetHash(), Size: d.GetSizeBytes()}
}
