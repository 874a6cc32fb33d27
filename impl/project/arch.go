package project

import (
	"runtime"
	"strings"
)

// CanonicalArch gives the reference's name of an architecture for any name in
// use, and false for an unknown one.
func CanonicalArch(arch string) (string, bool) {
	canonical, ok := arches[strings.ToLower(strings.ReplaceAll(arch, "_", "-"))]
	return canonical, ok
}

var arches = map[string]string{
	"aarch32": "aarch32", "arm": "aarch32",
	"aarch64": "aarch64", "armv8l": "aarch64",
	"aarch64-be": "aarch64-be", "armv8b": "aarch64-be",
	"i386": "x86-32", "i486": "x86-32", "i586": "x86-32", "i686": "x86-32", "x86-32": "x86-32",
	"amd64": "x86-64", "x86-64": "x86-64",
	"la64v100": "la64v100", "loong64": "la64v100", "loongarch64": "la64v100",
	"power-isa-be": "power-isa-be", "powerpc": "power-isa-be", "powerpc64": "power-isa-be", "ppc64": "power-isa-be",
	"power-isa-le": "power-isa-le", "powerpc64le": "power-isa-le", "ppc64le": "power-isa-le",
	"riscv32": "rv32g", "rv32g": "rv32g",
	"riscv64": "rv64g", "rv64g": "rv64g",
	"sparc": "sparc-v9", "sparc64": "sparc-v9", "sparc-v9": "sparc-v9", "sun4v": "sparc-v9",
}

// HostArch is the canonical name of the machine that this runs on. Go has
// names of its own for two of them.
func HostArch() string {
	switch runtime.GOARCH {
	case "386":
		return "x86-32"
	case "arm64":
		return "aarch64"
	}
	if arch, ok := CanonicalArch(runtime.GOARCH); ok {
		return arch
	}
	return runtime.GOARCH
}

// hostOS is what uname calls the operating system.
func hostOS() string {
	switch runtime.GOOS {
	case "darwin":
		return "Darwin"
	case "freebsd":
		return "FreeBSD"
	case "netbsd":
		return "NetBSD"
	case "openbsd":
		return "OpenBSD"
	case "solaris", "illumos":
		return "SunOS"
	}
	return strings.ToUpper(runtime.GOOS[:1]) + runtime.GOOS[1:]
}
