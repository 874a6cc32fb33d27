package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"bst/impl/project"
	"bst/impl/stream"
)

// TestResolveServers: which servers win, as the reference has it.
func TestResolveServers(t *testing.T) {
	servers := func(urls ...string) (list []stream.Remote) {
		for _, u := range urls {
			list = append(list, stream.Remote{URL: u, From: "somewhere"})
		}
		return list
	}
	top := &project.Project{Name: "top"}
	sub := &project.Project{Name: "sub", Parent: top}
	recommended := func(p *project.Project) ([]stream.Remote, error) {
		return map[string][]stream.Remote{"top": servers("top", "user"), "sub": servers("sub")}[p.Name], nil
	}
	for _, test := range []struct {
		name   string
		caches stream.Caches
		own    stream.CacheServers
		of     *project.Project
		want   []string
	}{
		{"what the project recommends", stream.Caches{}, stream.CacheServers{}, top, []string{"top", "user"}},
		{"what those above it recommend first", stream.Caches{}, stream.CacheServers{}, sub, []string{"top", "user", "sub"}},
		{"the user's first, each once", stream.Caches{User: stream.CacheServers{Servers: servers("user")}}, stream.CacheServers{}, sub, []string{"user", "top", "sub"}},
		{"the user's for the project", stream.Caches{User: stream.CacheServers{Servers: servers("user")}},
			stream.CacheServers{Servers: servers("own")}, top, []string{"own", "top", "user"}},
		{"the command line's", stream.Caches{User: stream.CacheServers{Servers: servers("user")}, CommandLine: servers("line")},
			stream.CacheServers{Servers: servers("own")}, top, []string{"line", "top", "user"}},
		{"nothing recommended", stream.Caches{User: stream.CacheServers{Servers: servers("user"), Override: true}}, stream.CacheServers{}, top, []string{"user"}},
		{"nothing recommended for the project", stream.Caches{User: stream.CacheServers{Servers: servers("user")}},
			stream.CacheServers{Override: true}, top, []string{"user"}},
		{"ignored", stream.Caches{IgnoreProject: true}, stream.CacheServers{}, top, nil},
		{"ignored, with the command line's", stream.Caches{IgnoreProject: true, CommandLine: servers("line", "line2"),
			User: stream.CacheServers{Servers: servers("user")}}, stream.CacheServers{}, top, []string{"line", "line2"}},
	} {
		list, err := resolveServers(&test.caches, &test.own, test.of, recommended)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range list {
			got = append(got, r.URL)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}
