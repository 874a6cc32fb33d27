package expiry

import "golang.org/x/sys/windows"

// diskFree is how many bytes are left for this user on the volume of dir.
func diskFree(dir string) (int64, error) {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var left uint64
	if err := windows.GetDiskFreeSpaceEx(path, &left, nil, nil); err != nil {
		return 0, err
	}
	return int64(left), nil
}
