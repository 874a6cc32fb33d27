package config

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// expander expands paths the way the reference's user configuration has them
// expanded: ~ first, then variables.
type expander struct{ env Environment }

// get is a variable, with the XDG base directories' defaults where they are
// unset or empty.
func (e expander) get(name string) string {
	if v := e.env(name); v != "" {
		return v
	}
	switch name {
	case "XDG_CACHE_HOME":
		return filepath.Join(e.home(), ".cache")
	case "XDG_CONFIG_HOME":
		return filepath.Join(e.home(), ".config")
	case "XDG_DATA_HOME":
		return filepath.Join(e.home(), ".local", "share")
	}
	return ""
}

func (e expander) home() string {
	for _, name := range []string{"HOME", "USERPROFILE"} {
		if home := e.env(name); home != "" {
			return home
		}
	}
	if u, err := user.Current(); err == nil && u.HomeDir != "" {
		return u.HomeDir
	}
	return "~"
}

var variable = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$(?:\{([^}]*)\}|([A-Za-z0-9_]+))`) })

// path expands ~, ~name, $NAME and ${NAME}. A variable or user that is not
// known stays as it is written.
func (e expander) path(text string) string {
	if strings.HasPrefix(text, "~") {
		name, rest, _ := strings.Cut(text[1:], "/")
		if name == "" {
			text = filepath.Join(e.home(), rest)
		} else if u, err := user.Lookup(name); err == nil {
			text = filepath.Join(u.HomeDir, rest)
		}
	}
	text = variable().ReplaceAllStringFunc(text, func(match string) string {
		name := strings.Trim(match[1:], "{}")
		if v := e.get(name); v != "" {
			return v
		}
		return match
	})
	return filepath.Clean(text)
}

var size = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([0-9]+\.?[0-9]*)([KMGT%]?)$`) })

// parseSize reads a size in bytes; 0 is infinity. A percentage is of the volume
// that dir lies on, or will lie on once it exists.
func parseSize(text, dir string) (int64, error) {
	if text == "infinity" {
		return 0, nil
	}
	m := size().FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%s is not a valid data size", text)
	}
	number, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return 0, fmt.Errorf("%s is not a valid data size", text)
	}
	if m[2] == "%" {
		if number > 100 {
			return 0, fmt.Errorf("%s%% is not a valid percentage value", m[1])
		}
		for {
			if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
				break
			}
			dir = filepath.Dir(dir)
		}
		total, err := volumeSize(dir)
		if err != nil {
			return 0, fmt.Errorf("the size of the volume of %s is not known: %w", dir, err)
		}
		return int64(float64(total) * number / 100), nil
	}
	factor := int64(1)
	if m[2] != "" {
		factor <<= 10 * strings.Index(" KMGT", m[2])
	}
	bytes := number * float64(factor)
	if bytes >= 1<<62 {
		return 0, fmt.Errorf("%s is not a valid data size", text)
	}
	return int64(bytes), nil
}

// ParseSize reads a size as the user configuration has it: 800M, 10G, infinity (0),
// or a part of the disk that holds dir, as 5%.
func ParseSize(text, dir string) (int64, error) { return parseSize(text, dir) }

// parsePercentage gives whole percents.
func parsePercentage(text string) (int, error) {
	number, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	if err != nil || !strings.HasSuffix(text, "%") {
		return 0, fmt.Errorf("%s is not a valid percentage", text)
	}
	if number < 0 || number > 100 {
		return 0, fmt.Errorf("%s is not between 0%% and 100%%", text)
	}
	return int(number), nil
}
