package frontend

import (
	"strings"
	"time"

	"bst/impl/stream"
)

// headingText writes what a session prints once its pipeline is known. The
// pipeline's lines are already rendered.
func headingText(p *pen, h *stream.Heading, started *stream.Started, configFile string, location *time.Location, pipeline []byte) {
	p.newline()
	p.write(contentBold, "BuildStream Version "+started.Version)
	p.newline()
	var main []stream.Pair
	if !started.Time.IsZero() {
		main = append(main, stream.Pair{Name: "Session Start", Value: started.Time.In(location).Format("Monday, 02-01-2006 at 15:04:05")})
	}
	if h.Project != "" {
		project := h.Project
		if h.ProjectDir != "" {
			project += " (" + h.ProjectDir + ")"
		}
		main = append(main, stream.Pair{Name: "Project", Value: project})
	}
	main = append(main, stream.Pair{Name: "Targets", Value: strings.Join(h.Targets, ", ")})
	values(p, contentPairs(main), format, 1)

	p.newline()
	p.write(contentBold, "User Configuration")
	p.newline()
	config := h.Config
	if len(config) == 0 || config[0].Name != "Configuration File" {
		if configFile == "" {
			configFile = "Default Configuration"
		}
		config = append([]stream.Pair{{Name: "Configuration File", Value: configFile}}, config...)
	}
	values(p, contentPairs(config), format, 1)

	p.newline()
	for i := range h.Projects {
		projectText(p, &h.Projects[i])
	}

	p.write(contentBold, "Pipeline")
	p.newline()
	p.raw(string(pipeline))
	p.write(format, strings.Repeat("=", 79))
	p.newline()
}

func projectText(p *pen, h *stream.ProjectHeading) {
	p.write(contentBold, "Project")
	p.write(formatBold, ": ")
	p.write(contentBold, h.Name)
	p.newline()
	var origin []stream.Pair
	if h.Junction != "" {
		origin = append(origin, stream.Pair{Name: "Junction path", Value: h.Junction})
	}
	if h.LoadedBy != "" {
		origin = append(origin, stream.Pair{Name: "Loaded by", Value: h.LoadedBy})
	}
	values(p, contentPairs(origin), format, 1)
	p.newline()

	section := func(title string, list []stream.Pair, nameStyle style) {
		if len(list) == 0 {
			return
		}
		p.spaces(len(indent))
		p.write(format, title)
		p.newline()
		values(p, contentPairs(list), nameStyle, 2)
		p.newline()
	}
	section("Project Options", h.Options, format)
	section("Element Plugins", h.ElementPlugins, content)
	section("Source Plugins", h.SourcePlugins, content)
	list := func(title string, list []stream.Pair) {
		if len(list) == 0 {
			return
		}
		p.spaces(len(indent))
		p.write(format, title)
		p.newline()
		for _, pair := range list {
			p.write(format, "      * ")
			p.write(content, clean(pair.Name))
			p.newline()
			for line := range strings.SplitSeq(clean(pair.Value), "\n") {
				p.write(content, indent+indent+line)
				p.newline()
			}
		}
		p.newline()
	}
	list("Artifact cache servers", h.ArtifactCaches)
	list("Source cache servers", h.SourceCaches)
}
