package project

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// pipDir is the folder of a Python package in which a plugin's YAML lies, as
// far as the package is installed where PYTHONPATH or a virtual environment
// says; "" where it is not, or in another version than is asked for. No Python
// is run: it would be another one than the reference runs with, perhaps.
func (p *Project) pipDir(requirement string, t PluginType) string {
	name, conditions := splitRequirement(requirement)
	module := strings.NewReplacer("-", "_", ".", "_").Replace(name)
	if module == "" || module != filepath.Base(module) {
		return ""
	}
	for _, base := range p.pythonPath() {
		dir := filepath.Join(base, module, string(t)+"s")
		p.Seen().File(dir)
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			continue
		}
		if conditions == "" || versionMeets(p.installedVersion(base, module), conditions) {
			return dir
		}
	}
	return ""
}

// Package is the name of the Python package that an origin of pip asks for, as
// indexes write it; "" for other origins.
func (o *PluginOrigin) Package() string {
	if o.Origin != "pip" {
		return ""
	}
	name, _ := splitRequirement(o.Where)
	return strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(name))
}

// pythonPath are the folders that packages may be installed in.
func (p *Project) pythonPath() []string {
	dirs := filepath.SplitList(os.Getenv("PYTHONPATH"))
	if env := os.Getenv("VIRTUAL_ENV"); env != "" {
		p.Seen().File(filepath.Join(env, "lib"))
		found, err := filepath.Glob(filepath.Join(env, "lib", "python3*", "site-packages"))
		for _, dir := range found {
			p.Seen().File(dir)
		}
		if err == nil {
			dirs = append(dirs, found...)
		}
	}
	kept := dirs[:0]
	for _, dir := range dirs {
		if filepath.IsAbs(dir) {
			kept = append(kept, dir)
		}
	}
	return kept
}

// splitRequirement takes the extras and conditions off a package's name.
func splitRequirement(text string) (name, conditions string) {
	text, _, _ = strings.Cut(text, ";")
	if i := strings.IndexAny(text, "<>=!~ ([@"); i >= 0 {
		name, conditions = text[:i], strings.TrimSpace(text[i:])
		if strings.HasPrefix(conditions, "[") {
			_, conditions, _ = strings.Cut(conditions, "]")
		}
		return strings.TrimSpace(name), strings.Trim(strings.TrimSpace(conditions), "()")
	}
	return strings.TrimSpace(text), ""
}

// installedVersion is the version in the name of a package's metadata, "" where
// there is none.
func (p *Project) installedVersion(base, module string) string {
	p.Seen().File(base)
	found, err := filepath.Glob(filepath.Join(base, module+"-*.dist-info"))
	if err != nil || len(found) != 1 {
		return ""
	}
	return strings.TrimSuffix(strings.TrimPrefix(filepath.Base(found[0]), module+"-"), ".dist-info")
}

// versionMeets checks a version against conditions with commas between them.
// Only releases are compared, numbers with dots between; what it does not
// understand is not met.
func versionMeets(version, conditions string) bool {
	have, ok := release(version)
	if !ok {
		return false
	}
	for condition := range strings.SplitSeq(conditions, ",") {
		condition = strings.TrimSpace(condition)
		rest := strings.TrimLeft(condition, "<>=!~")
		operator, wanted := condition[:len(condition)-len(rest)], strings.TrimSpace(rest)
		prefix := strings.HasSuffix(wanted, ".*")
		want, ok := release(strings.TrimSuffix(wanted, ".*"))
		if !ok || prefix && operator != "==" && operator != "!=" {
			return false
		}
		order := compareReleases(have, want)
		same := order == 0 || prefix && startsWith(have, want)
		met := false
		switch operator {
		case "==", "===":
			met = same
		case "!=":
			met = !same
		case ">=":
			met = order >= 0
		case "<=":
			met = order <= 0
		case ">":
			met = order > 0
		case "<":
			met = order < 0
		case "~=":
			met = order >= 0 && len(want) > 1 && startsWith(have, want[:len(want)-1])
		}
		if !met {
			return false
		}
	}
	return true
}

func release(text string) ([]int, bool) {
	var numbers []int
	for part := range strings.SplitSeq(text, ".") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return nil, false
		}
		numbers = append(numbers, n)
	}
	return numbers, true
}

func compareReleases(a, b []int) int {
	for i := range max(len(a), len(b)) {
		if d := at(a, i) - at(b, i); d != 0 {
			return d
		}
	}
	return 0
}

func startsWith(a, prefix []int) bool {
	for i := range prefix {
		if at(a, i) != prefix[i] {
			return false
		}
	}
	return true
}

// at is a release's number, 0 behind its end.
func at(release []int, i int) int {
	if i < len(release) {
		return release[i]
	}
	return 0
}
