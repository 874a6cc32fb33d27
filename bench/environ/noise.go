package environ

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"

	"bst/impl/platform"
)

// Times are what all processors together did since the machine started.
type Times struct {
	// Busy is time in which something ran, Steal time in which a virtual machine's
	// processor was ready and its host ran something else.
	Busy, Steal time.Duration
}

// machineTold says that /proc tells of the whole machine. In gVisor it tells of the
// sandbox, which is alone in it: a busy machine would look idle.
func machineTold() bool { return platform.Name() != platform.GVisor }

// ProcessorTimes reads them, where the platform tells: it is Linux alone.
// They are in steps of 10 ms.
func ProcessorTimes() (Times, bool) {
	if !machineTold() {
		return Times{}, false
	}
	return parseTimes(readLine("/proc/stat"))
}

func parseTimes(line string) (Times, bool) {
	const tick = time.Second / 100 // USER_HZ
	fields := strings.Fields(line)
	// cpu user nice system idle iowait irq softirq steal guest guest_nice, of which
	// the last two are part of the first two.
	if len(fields) < 9 || fields[0] != "cpu" {
		return Times{}, false
	}
	var ticks [9]int64
	for i := 1; i < len(ticks); i++ {
		var err error
		if ticks[i], err = strconv.ParseInt(fields[i], 10, 64); err != nil {
			return Times{}, false
		}
	}
	t := Times{
		Busy:  time.Duration(ticks[1]+ticks[2]+ticks[3]+ticks[6]+ticks[7]) * tick,
		Steal: time.Duration(ticks[8]) * tick,
	}
	return t, t.Busy > 0 // some kernels have the line, of zeros
}

// Sub is what was done between two looks. A counter that went back, as some
// machines' do, counts as nothing.
func (t Times) Sub(before Times) Times {
	return Times{Busy: max(t.Busy-before.Busy, 0), Steal: max(t.Steal-before.Steal, 0)}
}

// Busy is which part of the processors was busy between two looks, in percent,
// stolen time included.
func Busy(t Times, took time.Duration) float64 {
	if took <= 0 {
		return 0
	}
	return 100 * float64(t.Busy+t.Steal) / (float64(took) * float64(runtime.NumCPU()))
}

// Load is the load average of the last minute, "" where it is not told.
func Load() string {
	if !machineTold() {
		return ""
	}
	return load(readLine("/proc/loadavg"))
}

// Frequency is the processors' present frequency in MHz, their mean; 0 where it is
// not told.
func Frequency() float64 { return frequency(readAll("/proc/cpuinfo")) }

func frequency(cpuinfo string) float64 {
	sum, n := 0.0, 0
	for line := range strings.Lines(cpuinfo) {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) != "cpu MHz" {
			continue
		}
		if mhz, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil {
			sum += mhz
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// governor says by which rule the first processor's frequency is chosen.
func governor() string { return readLine("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") }

// busyAtStart looks for a moment at what the machine does already.
func busyAtStart() string {
	const moment = 300 * time.Millisecond
	before, ok := ProcessorTimes()
	if !ok {
		return ""
	}
	begin := time.Now()
	time.Sleep(moment)
	after, ok := ProcessorTimes()
	if !ok {
		return ""
	}
	return fmt.Sprintf("%.0f %%", Busy(after.Sub(before), time.Since(begin)))
}
