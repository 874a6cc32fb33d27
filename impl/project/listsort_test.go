package project

import (
	"slices"
	"testing"
)

// mix is a hash that the golden values' script has, too.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// compares are relations by name: orders, and such that contradict themselves.
var compares = map[string]func(seed, a, b uint64) int{
	"total": func(seed, a, b uint64) int { return compareUint(mix(a+seed), mix(b+seed)) },
	"random": func(seed, a, b uint64) int {
		if mix(a*1000003+b+seed)&1 == 1 {
			return -1
		}
		return 1
	},
	"coarse": func(seed, a, b uint64) int { return compareUint(mix(a+seed)%7, mix(b+seed)%7) },
	"runs":   func(_, a, b uint64) int { return compareUint(a%97*3+a/97, b%97*3+b/97) },
	"cyclic": func(seed, a, b uint64) int {
		if ((int(a)-int(b)+int(seed))%11+11)%11 < 5 {
			return -1
		}
		return 1
	},
	"partial": func(_, a, b uint64) int {
		switch {
		case a%(b+2) == 1:
			return 1
		case b%(a+2) == 1:
			return -1
		}
		return compareUint(mix(a), mix(b))
	},
}

func compareUint(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// TestListSortGolden holds the sort against CPython 3.12: the hash of its
// results and of the number of comparisons, for five seeds.
func TestListSortGolden(t *testing.T) {
	for _, golden := range listSortGolden {
		var hash uint64
		for seed := range uint64(5) {
			items := make([]uint64, golden.n)
			for i := range items {
				items[i] = uint64(i)
			}
			count := uint64(0)
			listSort(items, func(a, b uint64) bool {
				count++
				return compares[golden.relation](seed, a, b) < 0
			})
			for _, item := range append(items, count) {
				hash = mix(hash*31 + item)
			}
		}
		if hash != golden.hash {
			t.Errorf("%s of %d: got %#x, want %#x", golden.relation, golden.n, hash, golden.hash)
		}
	}
}

var listSortGolden = []struct {
	relation string
	n        int
	hash     uint64
}{
	{"total", 2, 0xc2295910a5fbe2d9},
	{"total", 3, 0xffebc94aaedaebe6},
	{"total", 10, 0x56a7040bb0b7d2c4},
	{"total", 63, 0x4320de7b23300092},
	{"total", 64, 0x10412b4871dbf538},
	{"total", 65, 0x30e4a0a21448aea8},
	{"total", 100, 0xc18c3ca02e519bde},
	{"total", 128, 0x9e6719bdb9f46651},
	{"total", 200, 0x8d00798a0b43c862},
	{"total", 500, 0x9e29b97fdee45676},
	{"total", 1000, 0x79f1fa693e835e5f},
	{"total", 3000, 0x91f9c8ddc798f41c},
	{"random", 2, 0x2ccaf32df14c6ff5},
	{"random", 3, 0x4a04a0606a370f44},
	{"random", 10, 0x9e1113f799aeec4e},
	{"random", 63, 0xa2768469112b99cb},
	{"random", 64, 0x465a6c52602057a1},
	{"random", 65, 0xb1b3f9c35160b1a1},
	{"random", 100, 0x03f9044e916d83c1},
	{"random", 128, 0x5049244afce71efa},
	{"random", 200, 0x5224563e9188f26e},
	{"random", 500, 0x37b9862bcd3a49ca},
	{"random", 1000, 0x3c87ebeb70eb1a10},
	{"random", 3000, 0x0d9c6f3f746f4fc6},
	{"coarse", 2, 0x1982448eb1330324},
	{"coarse", 3, 0xbd1c5ae4a6dde0e8},
	{"coarse", 10, 0xff4b793832ccc666},
	{"coarse", 63, 0x099ac5f49ed346cd},
	{"coarse", 64, 0xb7ca8ad95622389e},
	{"coarse", 65, 0xdc4a2e4e74fcd004},
	{"coarse", 100, 0xee2526fe96b2ab12},
	{"coarse", 128, 0xb44c0e7ecd986c07},
	{"coarse", 200, 0x4cf3aad254a76e2c},
	{"coarse", 500, 0xc5cc37bc95d25547},
	{"coarse", 1000, 0x98dd38955948193d},
	{"coarse", 3000, 0xf5b9f0e7518ebc86},
	{"runs", 2, 0x4206f4ad045393df},
	{"runs", 3, 0xad07b7a3006f9a1e},
	{"runs", 10, 0x70879b603600d604},
	{"runs", 63, 0xb1bbcb5b8ce3a265},
	{"runs", 64, 0x36feb6a726576668},
	{"runs", 65, 0xf5f8b18b8cc881e4},
	{"runs", 100, 0x71f9ba780c052fa3},
	{"runs", 128, 0xd5a379f7f83a8626},
	{"runs", 200, 0x082fa49eb7cda396},
	{"runs", 500, 0x8e1d8de8bcac0ce8},
	{"runs", 1000, 0xabb4e9bffde4f005},
	{"runs", 3000, 0xd0ce863a212948fa},
	{"cyclic", 2, 0xdab1b322a60186cc},
	{"cyclic", 3, 0x1541ba1b43416e34},
	{"cyclic", 10, 0x37ef2f51d6539dce},
	{"cyclic", 63, 0x2735ee7f929c2736},
	{"cyclic", 64, 0xb988b66f8a8e022d},
	{"cyclic", 65, 0xa82efa92aac5ee35},
	{"cyclic", 100, 0x73e4896c15d0d20a},
	{"cyclic", 128, 0x51aa0c3a0e210c06},
	{"cyclic", 200, 0x917a8f97b3e0b6de},
	{"cyclic", 500, 0x898c0411f032bc55},
	{"cyclic", 1000, 0x8ce1df6003ae69c4},
	{"cyclic", 3000, 0x89a8fe664f3af394},
	{"partial", 2, 0x4206f4ad045393df},
	{"partial", 3, 0x6ecb82ed1e402569},
	{"partial", 10, 0xc77354d27af3959c},
	{"partial", 63, 0x090f80d27a27250c},
	{"partial", 64, 0x28d1d6af299a6c54},
	{"partial", 65, 0x5c6be1149303de6d},
	{"partial", 100, 0x35b9145720bf6d51},
	{"partial", 128, 0x367cdcd3ee2abdcf},
	{"partial", 200, 0x9f40e7ffb2ad4334},
	{"partial", 500, 0x4c1cec3cb0bc3127},
	{"partial", 1000, 0x1c08675569eff8a9},
	{"partial", 3000, 0xbca361ac3970a6c8},
}

// FuzzListSort looks for relations that break the sort, and for orders that it
// does not sort stably.
func FuzzListSort(f *testing.F) {
	f.Add([]byte("the quick brown fox jumps over the lazy dog"), uint64(0))
	f.Fuzz(func(t *testing.T, keys []byte, seed uint64) {
		items := make([]uint64, len(keys))
		for i, key := range keys {
			items[i] = uint64(key)<<32 | uint64(i)
		}
		sorted := slices.Clone(items)
		listSort(sorted, func(a, b uint64) bool { return a>>32 < b>>32 })
		if !slices.IsSorted(sorted) {
			t.Errorf("not sorted stably: %x", sorted)
		}
		wild := slices.Clone(items)
		listSort(wild, func(a, b uint64) bool { return mix(a*1000003+b+seed)&1 == 1 })
		slices.Sort(wild)
		if !slices.Equal(wild, sorted) {
			t.Errorf("items lost: %x", wild)
		}
	})
}
