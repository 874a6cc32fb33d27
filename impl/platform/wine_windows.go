package platform

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// wineGetVersion is a function that Wine's ntdll has and that of Windows has not.
var wineGetVersion = windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version")

func isWine() bool { return wineGetVersion.Find() == nil }

// WineVersion is what Wine says that it is, as in "10.0"; "" where it is not Wine.
func WineVersion() string {
	if !isWine() {
		return ""
	}
	text, _, _ := wineGetVersion.Call() // const char *, of the library's own
	return windows.BytePtrToString(*(**byte)(unsafe.Pointer(&text)))
}
