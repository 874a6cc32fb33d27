package node

// intern gives the words of the format a single copy: nearly every element
// file repeats them.
func intern(s string) string {
	if len(s) > longestWord {
		return s
	}
	if word, ok := words[s]; ok {
		return word
	}
	return s
}

const longestWord = 24

var words = func() map[string]string {
	m := make(map[string]string)
	for _, word := range []string{
		"", "kind", "description", "depends", "build-depends", "runtime-depends",
		"filename", "type", "junction", "strict", "config", "build", "runtime", "all",
		"sources", "variables", "environment", "environment-nocache", "public", "sandbox",
		"url", "ref", "track", "path", "directory", "bst", "split-rules", "location",
		"integration-commands", "overlap-whitelist", "commands", "configure-commands",
		"build-commands", "install-commands", "strip-commands", "source", "target",
		"import", "stack", "compose", "filter", "script", "manual", "link",
		"autotools", "make", "cmake", "meson", "pip", "setuptools",
		"local", "tar", "remote", "git", "git_repo", "git_tag", "patch", "patch_queue",
		"include", "exclude", "include-orphans", "devel", "(>)", "(<)", "(=)", "(?)", "(@)", "(!)",
		"True", "true", "False", "false", "name", "elements", "/",
	} {
		m[word] = word
	}
	return m
}()
