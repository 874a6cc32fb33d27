package usage

import "syscall"

// Of asks what this process has used. Of children Windows keeps no account.
func Of() (self, children *Usage) {
	process, err := syscall.GetCurrentProcess() // a name for it, nothing to close
	if err != nil {
		return nil, nil
	}
	var created, ended, kernel, user syscall.Filetime
	if err := syscall.GetProcessTimes(process, &created, &ended, &kernel, &user); err != nil {
		return nil, nil
	}
	// A Filetime of a duration counts 100 ns.
	span := func(f syscall.Filetime) int64 { return (int64(f.HighDateTime)<<32 | int64(f.LowDateTime)) * 100 }
	return &Usage{User: span(user), System: span(kernel)}, nil
}
