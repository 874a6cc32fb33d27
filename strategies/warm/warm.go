// Package warm speaks to a backend that stays: the first command that needs one
// for a project starts it, later ones find it, and it ends when nobody has needed
// it for a while. What its sessions loaded is kept between them.
//
// It knows how such a backend is found, started, recognised as the right one and
// ended, and how a session goes on while its frontend is away (hub.go). What is
// kept between sessions, and for how long it is true, is the backend's business.
//
// Which backend is the right one is told by its socket's name (place_linux.go):
// the project, this executable, and all of the environment that a backend could
// behave by. So a backend never has another environment, nor another version,
// than the frontend that speaks to it; where they differ, another is started, and
// the old one ends by itself.
package warm

import "time"

// Name is the strategy's name.
const Name = "warm"

// IdleVariable names the environment variable that says how long a backend stays
// without a session, as time.ParseDuration reads it.
const IdleVariable = "BST_WARM_IDLE"

const (
	defaultIdle = 10 * time.Minute
	maxIdle     = 24 * time.Hour
)
