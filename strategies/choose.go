package strategies

// Choice is a row of the table of defaults.
type Choice struct {
	// Platform and Terminal are names of package platform; both are "" in the row
	// that holds where no other does.
	Platform, Terminal string
	// Strategy is the name of a row of All.
	Strategy string
	// Why is the evidence, in words for a person.
	Why string
}

// Choose gives the strategy of a platform and a kind of terminal where the user
// names none. The rule by which the table is made is in docs/strategies.md.
func Choose(platform, terminal string) Choice {
	var other Choice
	for _, c := range defaults {
		switch {
		case c.Platform == platform && c.Terminal == terminal:
			return c
		case c.Platform == "":
			other = c
		}
	}
	return other
}

// Defaults are all rows of the table of defaults, for tests of what makes it and of
// what it says.
func Defaults() []Choice { return defaults }
