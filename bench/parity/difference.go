package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// maxDifferences bounds how many differences are told of one element.
const maxDifferences = 12

// differences says where two JSON texts differ, a line for each place: its
// path, what is wanted and what is there instead.
func differences(want, got []byte) []string {
	var w, g any
	for _, side := range []struct {
		text []byte
		into *any
	}{{want, &w}, {got, &g}} {
		decoder := json.NewDecoder(bytes.NewReader(side.text))
		decoder.UseNumber()
		if err := decoder.Decode(side.into); err != nil {
			return []string{fmt.Sprintf("not JSON: %v", err)}
		}
	}
	d := &comparison{}
	d.compare("", w, g)
	if d.more > 0 {
		d.lines = append(d.lines, fmt.Sprintf("… and %d more", d.more))
	}
	return d.lines
}

type comparison struct {
	lines []string
	more  int
}

func (d *comparison) tell(path string, want, got any) {
	if len(d.lines) == maxDifferences {
		d.more++
		return
	}
	d.lines = append(d.lines, fmt.Sprintf("%s: want %s, got %s", path, short(want), short(got)))
}

// absent stands for what is on one side alone.
type absent struct{}

func short(v any) string {
	if _, ok := v.(absent); ok {
		return "nothing"
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	const enough = 160
	if len(text) > enough {
		return string(text[:enough]) + "…"
	}
	return string(text)
}

func (d *comparison) compare(path string, want, got any) {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		keys := maps.Clone(w)
		maps.Copy(keys, g)
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			d.compare(path+"."+key, side(w, key), side(g, key))
		}
		return
	case []any:
		g, ok := got.([]any)
		if !ok {
			break
		}
		for i := range max(len(w), len(g)) {
			d.compare(path+"["+strconv.Itoa(i)+"]", entry(w, i), entry(g, i))
		}
		return
	default:
		if _, nested := got.(map[string]any); nested {
			break
		}
		if _, nested := got.([]any); nested {
			break
		}
		if want == got {
			return
		}
	}
	d.tell(path, want, got)
}

func side(m map[string]any, key string) any {
	if v, ok := m[key]; ok {
		return v
	}
	return absent{}
}

func entry(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return absent{}
}
