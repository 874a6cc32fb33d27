package platform

import "golang.org/x/sys/windows"

// isWine asks for a function that Wine's ntdll has and that of Windows has not.
func isWine() bool {
	return windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
}
