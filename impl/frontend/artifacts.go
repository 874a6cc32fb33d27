package frontend

// What the commands about artifacts print, in the reference's form.

import (
	"strconv"

	"bst/impl/stream"
)

// listing is how far a list of artifacts or of their contents is.
type listing struct {
	// any says that there was at least one artifact.
	any bool
	// open says that an artifact's contents are being listed, and files that it
	// has some.
	open, files bool
}

var artifactColors = map[stream.ArtifactState]color{
	stream.ArtifactCached: magenta, stream.ArtifactFailed: red,
	stream.ArtifactAvailable: green, stream.ArtifactNotCached: red,
}

// artifactShown prints a line of bst artifact show.
func (m *Model) artifactShown(e *stream.ArtifactShown) {
	m.listing.any = true
	state := string(e.State)
	m.out.spaces(12 - len(state))
	m.out.write(style{fg: artifactColors[e.State]}, state)
	m.out.spaces(1)
	m.out.write(content, clean(e.Name))
	m.out.newline()
}

// contents prints files of bst artifact list-contents.
func (m *Model) contents(e *stream.ArtifactContents) {
	p := &m.out
	if e.Begin {
		m.endContents()
		m.listing.any, m.listing.open, m.listing.files = true, true, false
		p.write(format, "  "+clean(e.Name)+":")
		p.newline()
	}
	for _, f := range e.Files {
		m.listing.files = true
		p.write(content, "\t"+contentsLine(&f))
		p.newline()
	}
}

func contentsLine(f *stream.ContentsFile) string {
	path := clean(f.Path)
	if f.Type == "" {
		return path
	}
	mode := "-rw-r--r--  reg    "
	switch f.Type {
	case stream.ContentsDirectory:
		mode = "drwxr-xr-x  dir    "
	case stream.ContentsLink:
		mode = "lrwxrwxrwx  link   "
		path += " -> " + clean(f.Target)
	case stream.ContentsExecutable:
		mode = "-rwxr-xr-x  exe    "
	}
	size := strconv.FormatInt(f.Size, 10)
	var p pen
	p.write(plain, mode+size)
	p.spaces(12 - len(size))
	return string(p.buf) + path
}

func (m *Model) endContents() {
	if m.listing.open && !m.listing.files {
		m.out.write(content, "\tThis element has no associated artifacts")
		m.out.newline()
	}
	m.listing.open = false
}

// endListing ends a list as the reference does, with an empty line.
func (m *Model) endListing() {
	m.endContents()
	if m.listing.any {
		m.out.newline()
	}
}
