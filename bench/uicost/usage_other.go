//go:build !linux

package uicost

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"time"
)

// interrupts says whether ^C can be measured.
const interrupts = false

func cpu() (time.Duration, error) {
	return 0, errors.New("processor time is not measured on " + runtime.GOOS)
}

func threadCPU() (time.Duration, bool) { return 0, false }

func (o *Options) interrupt(context.Context, string, *rand.Rand) (string, error) {
	return "", errors.New("^C is not measured on " + runtime.GOOS)
}
