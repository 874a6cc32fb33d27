package patient

import (
	"errors"
	"time"

	"golang.org/x/sys/windows"
)

const (
	// first is the first wait; each is twice the one before.
	first = time.Millisecond
	// tries bounds them: half a second in all, for something that stays so.
	tries = 9
)

// busy are the errors of a file that somebody has open. ERROR_ACCESS_DENIED is
// one, also of a file that is about to be gone, and also says that one may not.
var busy = []error{
	windows.ERROR_SHARING_VIOLATION, windows.ERROR_LOCK_VIOLATION, windows.ERROR_ACCESS_DENIED,
	windows.ERROR_USER_MAPPED_FILE, windows.ERROR_DIR_NOT_EMPTY, windows.ERROR_DELETE_PENDING,
}

func isBusy(err error) bool {
	for _, b := range busy {
		if errors.Is(err, b) {
			return true
		}
	}
	return false
}

func again(f func() error) error {
	wait := first
	for try := 1; ; try++ {
		err := f()
		if err == nil || try == tries || !isBusy(err) {
			return err
		}
		time.Sleep(wait)
		wait *= 2
	}
}
