package bolt

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
	"strings"
	"testing"
)

// withMeta writes a meta page into a file at an offset, as bbolt does.
func withMeta(file []byte, at int, m meta) []byte {
	b := file[at+pageHeader : at+pageHeader+metaSize]
	order := binary.NativeEndian
	order.PutUint32(b, metaMagic)
	order.PutUint32(b[8:], uint32(m.pageSize))
	order.PutUint64(b[40:], uint64(m.pages))
	order.PutUint64(b[48:], uint64(m.transaction))
	sum := fnv.New64a()
	_, _ = sum.Write(b[:metaSize-8])
	order.PutUint64(b[56:], sum.Sum64())
	return file
}

// Each row says what there is in a file of 256 KiB, and how many of its bytes are needed: one byte less is refused.
func TestInspectBelievesTheLaterWholePage(t *testing.T) {
	const room, none = 256 << 10, "its first pages are none of a store"
	type at map[int]meta
	for name, row := range map[string]struct {
		metas at
		spoil func(b []byte)
		needs int64 // 0: refused whatever its size
		says  string
	}{
		"one page":                         {at{0: {4096, 4, 1}}, nil, 16384, ""},
		"the first is the later one":       {at{0: {4096, 8, 2}, 4096: {4096, 4, 1}}, nil, 32768, ""},
		"the second is the later one":      {at{0: {4096, 4, 1}, 4096: {4096, 8, 2}}, nil, 32768, ""},
		"both of one transaction":          {at{0: {4096, 4, 1}, 4096: {4096, 8, 1}}, nil, 16384, ""},
		"the later one is torn":            {at{0: {4096, 4, 1}, 4096: {4096, 8, 2}}, func(b []byte) { b[4096+pageHeader+40]++ }, 16384, ""},
		"the first is torn":                {at{0: {4096, 4, 1}, 4096: {4096, 8, 2}}, func(b []byte) { b[pageHeader+48]++ }, 32768, ""},
		"both are torn":                    {at{0: {4096, 4, 1}, 4096: {4096, 8, 2}}, func(b []byte) { b[pageHeader+48]++; b[4096+pageHeader+63]++ }, 0, none},
		"no magic":                         {at{0: {4096, 4, 1}}, func(b []byte) { b[pageHeader]++ }, 0, none},
		"a data page that looks like one":  {at{0: {4096, 4, 1}, 4096: {8192, 30, 9}}, nil, 16384, ""},
		"only such a page":                 {at{4096: {8192, 4, 9}}, nil, 0, none},
		"the smallest pages":               {at{1024: {1024, 4, 2}}, nil, 4096, ""},
		"the largest pages":                {at{65536: {65536, 2, 2}}, nil, 131072, ""},
		"pages that are too small":         {at{0: {1023, 4, 1}}, nil, 0, none},
		"pages that are too large":         {at{0: {65537, 2, 1}}, nil, 0, none},
		"pages of twice the largest":       {at{131072: {131072, 1, 1}}, nil, 0, none},
		"less than no page":                {at{0: {4096, -1, 1}}, nil, 0, none},
		"as many pages as may be":          {at{0: {4096, 1<<40 - 1, 1}}, nil, 0, "it has 262144 bytes, and had 4503599627366400"},
		"one page more":                    {at{0: {4096, 1 << 40, 1}}, nil, 0, none},
		"a file that says it has no pages": {at{0: {4096, 0, 1}}, nil, pageHeader + metaSize, ""},
	} {
		data := make([]byte, room)
		for offset, m := range row.metas {
			data = withMeta(data, offset, m)
		}
		if row.spoil != nil {
			row.spoil(data)
		}
		err := inspect(bytes.NewReader(data), room)
		if row.needs == 0 {
			if err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%s: %v, want %q", name, err, row.says)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := inspect(bytes.NewReader(data[:row.needs]), row.needs); err != nil {
			t.Errorf("%s, of as many bytes as it needs: %v", name, err)
		}
		if err := inspect(bytes.NewReader(data[:row.needs-1]), row.needs-1); err == nil {
			t.Errorf("%s, of one byte less: no error", name)
		}
	}
}
