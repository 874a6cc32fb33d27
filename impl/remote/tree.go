package remote

import (
	"context"
	"fmt"

	"bst/impl/cas"

	"google.golang.org/grpc/codes"
)

// Bounds of one tree. A tree is walked breadth first, each directory once, so what
// a hostile message can cost is what the server is willing to send.
const (
	// maxDirectories is how many different directories there are, maxEntries how
	// many names in them.
	maxDirectories = 1 << 20
	maxEntries     = 1 << 22
	// someFiles is how many files are gathered before they are fetched.
	someFiles = 32 << 10
)

// FetchTree brings whole trees of directories and their files into a store, and
// more objects with the first message. What is there already is not asked for, so
// that a fetch which was interrupted goes on.
func (c *Client) FetchTree(ctx context.Context, store *cas.Store, roots []cas.Digest, more ...cas.Digest) error {
	return c.fetchTree(ctx, store, roots, more, true)
}

// fetchTree is FetchTree with or without the files.
func (c *Client) fetchTree(ctx context.Context, store *cas.Store, roots, more []cas.Digest, all bool) error {
	seen := make(map[cas.Digest]bool)
	var level, files []cas.Digest
	add := func(list *[]cas.Digest, d cas.Digest) {
		if d != cas.EmptyDigest && !d.IsZero() && !seen[d] {
			seen[d] = true
			*list = append(*list, d)
		}
	}
	for _, d := range roots {
		add(&level, d)
	}
	entries := 0
	files = append(files, more...)
	for depth := 0; len(level) > 0 || len(files) > 0; depth++ {
		if depth > cas.MaxDepth {
			return c.hostile(fmt.Sprintf("a tree that is more than %d directories deep", cas.MaxDepth))
		}
		// Files go with the directories of the next level: one trip less.
		together := level
		if len(level) == 0 || depth == 0 || len(files) >= someFiles {
			together = append(together[:len(together):len(together)], files...)
			files = nil
		}
		if err := c.Fetch(ctx, store, together); err != nil {
			return err
		}
		var next []cas.Digest
		for _, d := range level {
			dir, err := store.OpenDir(d)
			if err != nil {
				if casCorrupt(err) {
					return c.hostile("a directory that is none: " + err.Error())
				}
				return err
			}
			list := dir.Entries()
			if entries += len(list); entries > maxEntries {
				return c.hostile(fmt.Sprintf("a tree of more than %d entries", maxEntries))
			}
			for i := range list {
				switch e := &list[i]; e.Type {
				case cas.TypeDirectory:
					add(&next, e.Digest)
				case cas.TypeFile:
					if all && !store.Has(e.Digest) {
						files = append(files, e.Digest)
					}
				}
			}
			if len(files) >= someFiles {
				if err := c.Fetch(ctx, store, files); err != nil {
					return err
				}
				files = nil
			}
		}
		if len(seen) > maxDirectories {
			return c.hostile(fmt.Sprintf("a tree of more than %d directories", maxDirectories))
		}
		level = next
	}
	return nil
}

func (c *Client) hostile(what string) error {
	return c.error(ReasonWrong, codes.DataLoss, fmt.Sprintf("%s sent %s, which was refused", c, what), "")
}

// Tree lists the objects of a tree in a store: its directories and their files,
// each once. The error is cas's, where one is missing.
func Tree(store *cas.Store, root cas.Digest) ([]cas.Digest, error) {
	seen := make(map[cas.Digest]bool)
	var all []cas.Digest
	level := []cas.Digest{root}
	for depth := 0; len(level) > 0; depth++ {
		if depth > cas.MaxDepth {
			return nil, fmt.Errorf("the tree %s is more than %d directories deep", root, cas.MaxDepth)
		}
		var next []cas.Digest
		for _, d := range level {
			if seen[d] || d.IsZero() || d == cas.EmptyDigest { // of which no store needs an object
				continue
			}
			seen[d] = true
			all = append(all, d)
			dir, err := store.OpenDir(d)
			if err != nil {
				return nil, err
			}
			list := dir.Entries()
			for i := range list {
				switch e := &list[i]; {
				case e.Type == cas.TypeDirectory:
					next = append(next, e.Digest)
				case e.Type == cas.TypeFile && !seen[e.Digest]:
					seen[e.Digest] = true
					all = append(all, e.Digest)
				}
			}
		}
		level = next
	}
	return all, nil
}
