package engine

import (
	"testing"

	"bst/impl/project"
)

// TestProjectNamed: artifacts of a project of which only the name is known are of one
// project, so that servers are asked for all of them together.
func TestProjectNamed(t *testing.T) {
	top, sub := &project.Project{Name: "top"}, &project.Project{Name: "sub"}
	w := &world{project: top, projects: []*project.Project{top, sub}}
	if got := w.projectNamed("sub"); got != sub {
		t.Errorf("the project that is known: %v", got)
	}
	a, b := w.projectNamed("a"), w.projectNamed("b")
	if a.Name != "a" || b.Name != "b" || a.Parent != top {
		t.Errorf("the projects that are not known: %v, %v", a, b)
	}
	if w.projectNamed("a") != a || w.projectNamed("b") != b {
		t.Error("another project the second time")
	}
	if len(w.projects) != 2 {
		t.Errorf("they are among the projects that were loaded: %v", w.projects)
	}
}
