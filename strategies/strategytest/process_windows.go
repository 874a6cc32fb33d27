package strategytest

import (
	"time"

	"golang.org/x/sys/windows"
)

// alive tells whether a process runs. One that has ended can still be opened as
// long as somebody has it open.
func alive(pid int) bool {
	h, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(pid))
	if err != nil {
		return false
	}
	defer windows.CloseHandle(h)
	event, err := windows.WaitForSingleObject(h, 0)
	return err == nil && event == uint32(windows.WAIT_TIMEOUT)
}

// cpu is not measured here: the children's time is kept with each child.
func cpu() time.Duration { return 0 }
