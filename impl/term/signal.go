package term

// Signal is what a system tells the program.
type Signal uint8

const (
	// Interrupt is ^C.
	Interrupt Signal = iota
	// Terminate is SIGTERM.
	Terminate
	// Hangup says that the terminal is gone.
	Hangup
	// Suspend is ^Z.
	Suspend
	// Continued says that the program runs again after a stop.
	Continued
	// Resized says that the terminal has another size.
	Resized
)
