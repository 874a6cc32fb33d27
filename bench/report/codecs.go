package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"bst/bench/codecs"
	"bst/bench/harness"
)

// A codec replaces what crosses if it takes less than this share of its time on
// every session, loses nothing, and its bytes are not more than twice as many.
const (
	codecTime  = 0.7
	codecBytes = 2.0
)

// chosen is the codec that crosses, among those of bench/codecs.
const chosen = "wire"

// writeCodecs writes the report on codecs.
func (s *Set) writeCodecs(w io.Writer) error {
	parts := s.Codecs
	p := &page{w: w}
	p.printf("# Codecs\n\n"+partIntro, "codecs")
	p.printf(`What could carry events between two processes, on all events of real sessions, as
` + "`BST_WIRE_TRACE`" + ` recorded them. Every figure is for one event. What the events go through on
their way besides (queues, frames, pipes) is in none of them.

`)
	if len(parts) == 0 {
		p.printf("Nothing has been measured. This does:\n\n    bin/bst-bench run --plan codec\n")
		return p.err
	}
	for _, part := range parts {
		p.codecs(part)
	}
	return p.err
}

func (p *page) codecs(part *Part) {
	p.printf("## %s\n\nRaw: [raw/parts/%[1]s.txt](raw/parts/%[1]s.txt)\n\n", part.Name)
	p.partFacts(part, "lost-", "mix-")
	encode, decode := harness.BaseUnit(codecs.UnitEncode), harness.BaseUnit(codecs.UnitDecode)
	bytes := harness.BaseUnit(codecs.UnitBytes)
	both := func(session, codec string) series {
		keys := map[string]string{"session": session, "codec": codec}
		return part.series(encode, keys).plus(part.series(decode, keys))
	}
	better := map[string]int{}
	for _, session := range part.axis("session") {
		p.printf("### %s\n\n%s\n\n", session, part.Fact("mix-"+session))
		t := &table{header: []string{"codec", "encode", "decode", "both", "to what crosses", "bytes", "allocations", "allocated", "loses"}, text: 1}
		ours := part.series(bytes, map[string]string{"session": session, "codec": chosen})
		for _, codec := range part.axis("codec") {
			keys := map[string]string{"session": session, "codec": codec}
			time, size := both(session, codec).over(both(session, chosen)), part.series(bytes, keys)
			lost := part.Fact("lost-" + codec + "-" + session)
			t.add(codec, nanos(part.series(encode, keys)), nanos(part.series(decode, keys)), nanos(both(session, codec)),
				format(ratio, time), plain(size), plain(part.series(harness.BaseUnit(codecs.UnitAllocs), keys)),
				plain(part.series(harness.BaseUnit(codecs.UnitAllocated), keys)), strings.ReplaceAll(lost, " ", ", "))
			if codec != chosen && len(time) > 0 && time.summary().Center < codecTime && lost == "" &&
				len(size) > 0 && size.over(ours).summary().Center <= codecBytes {
				better[codec]++
			}
		}
		p.table(t)
	}
	if part.standIn() {
		p.printf("Platform %s stands in for another: no codec is chosen by it.\n\n", part.Platform())
		return
	}
	var winners []string
	for codec, n := range better {
		if n == len(part.axis("session")) {
			winners = append(winners, codec)
		}
	}
	slices.Sort(winners)
	p.printf("The rule: another codec takes the place of what crosses if, on every session, it takes less\nthan %.0f %% of the time, loses nothing, and needs at most %.0f times the bytes. ", 100*codecTime, codecBytes)
	if len(winners) == 0 {
		p.printf("None does.\n\n")
	} else {
		p.printf("**By it, what crosses should be changed for: %s.**\n\n", strings.Join(winners, ", "))
	}
}

// nanos writes a time of an event.
func nanos(s series) string { return scaled(s, 1e9, " ns") }

// plain writes a count.
func plain(s series) string { return scaled(s, 1, "") }

func scaled(s series, by float64, unit string) string {
	if len(s) == 0 {
		return "—"
	}
	number := func(v float64) string {
		if v *= by; unit == "" && v == math.Trunc(v) {
			return strconv.FormatFloat(v, 'f', -1, 64)
		}
		return digits(v)
	}
	sum := s.summary()
	text := number(sum.Center)
	if math.IsInf(sum.Lo, 0) || math.IsInf(sum.Hi, 0) || number(sum.Lo) == number(sum.Hi) {
		return text + unit
	}
	return fmt.Sprintf("%s%s [%s – %s]", text, unit, number(sum.Lo), number(sum.Hi))
}
