package term

import "github.com/xo/terminfo"

// fewestColors is how many colors text is coloured with, which are the first of
// every terminal's: those of SGR 30 to 37.
const fewestColors = 8

// described is what the machine's terminfo database says of the terminal's name.
// A name that it does not have, or no database, is taken for a terminal as all
// are that are made today: they bring no entry of their own to the machines that
// people reach from them.
func described(getenv func(string) string) (moves, colors bool) {
	ti, err := terminfo.Load(getenv("TERM"))
	if err != nil {
		return true, true
	}
	up := len(ti.Strings[terminfo.CursorUp])+len(ti.Strings[terminfo.ParmUpCursor]) > 0
	return up && len(ti.Strings[terminfo.ClrEos]) > 0, ti.Num(terminfo.MaxColors) >= fewestColors
}
