package cas

// Apply brings what changed from one tree of the store to another into d, which
// came of the first by other ways: into a build tree, what was edited in its
// sources. What changed there is in d as it is in after, and what is in neither
// stays. Permissions and times of modification count as changes. Behaviour: the
// reference's CasBasedDirectory._apply_changes.
func (d *Dir) Apply(before, after Digest) error {
	count := 0
	return d.apply(before, after, 0, &count)
}

func (d *Dir) apply(before, after Digest, depth int, count *int) error {
	if before == after {
		return nil
	}
	if depth > MaxDepth {
		return depthError("'" + d.Path() + "'")
	}
	from, err := d.store.readDirectory(before)
	if err != nil {
		return err
	}
	to, err := d.store.readDirectory(after)
	if err != nil {
		return err
	}
	if *count += len(from.entries) + len(to.entries); *count > maxTreeEntries {
		return sizeError("'" + d.Path() + "'")
	}
	for _, e := range to.entries {
		was := Entry{Type: TypeDirectory, Digest: EmptyDigest}
		if i, ok := from.find(e.Name); ok {
			was = from.entries[i]
		}
		mine, have := d.entry(e.Name)
		switch {
		case e == was, have && e == d.fresh(mine):
		case have && e.Type == TypeDirectory && mine.Type == TypeDirectory:
			if was.Type != TypeDirectory {
				was.Digest = EmptyDigest
			}
			kid, err := d.kid(mine)
			if err != nil {
				return err
			}
			if err := kid.apply(was.Digest, e.Digest, depth+1, count); err != nil {
				return err
			}
		default:
			d.set(e)
		}
	}
	for _, was := range from.entries {
		if _, kept := to.find(was.Name); kept {
			continue
		}
		if _, ok := d.entry(was.Name); ok {
			d.removeEntry(was.Name)
		}
	}
	return nil
}
