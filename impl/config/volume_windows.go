//go:build windows

package config

import "golang.org/x/sys/windows"

// volumeSize is the size, in bytes, of the volume that holds dir.
func volumeSize(dir string) (int64, error) {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var total uint64
	if err := windows.GetDiskFreeSpaceEx(path, nil, &total, nil); err != nil {
		return 0, err
	}
	return int64(total), nil
}
