package strategies

// Defaults are all rows of the table of defaults.
func Defaults() []Choice { return defaults }
