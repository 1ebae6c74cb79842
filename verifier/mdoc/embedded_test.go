package mdoc_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"regain/verifier/mdoc"
	"regain/verifier/verifiertest"
)

// TestEmbedded holds that an embedded item is tag 24 with a byte string and nothing else, in each length that CBOR has for
// them: what is signed and what is read are cut out by it.
func TestEmbedded(t *testing.T) {
	for _, n := range []int{0, 1, 23, 24, 255, 256, 65535, 65536} {
		content := bytes.Repeat([]byte{7}, n)
		got, err := mdoc.Embedded(verifiertest.CBOR(t, tagged(24, content)))
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes: %d, %v", n, len(got), err)
		}
	}
	for name, raw := range map[string][]byte{
		"nothing":                {},
		"a byte string alone":    verifiertest.CBOR(t, []byte{1}),
		"another tag":            verifiertest.CBOR(t, tagged(25, []byte{1})),
		"another tag, direct":    verifiertest.CBOR(t, tagged(0, []byte{1})),
		"a text in the tag":      verifiertest.CBOR(t, tagged(24, "x")),
		"an array of 24":         append([]byte{0x98, 24}, verifiertest.CBOR(t, []byte{1})...),
		"the number 24":          append([]byte{0x18, 24}, verifiertest.CBOR(t, []byte{1})...),
		"bytes after it":         append(verifiertest.CBOR(t, tagged(24, []byte{1})), 0),
		"a tag of no number":     {0xd8},
		"a tag of half a number": {0xd9, 0},
		"a tag of four":          {0xda, 0, 0, 24},
		"a tag of eight":         {0xdb, 0, 0, 0, 0, 0, 0, 24},
		"a tag of nothing":       {0xd8, 24},
		"of indefinite length":   {0xd8, 24, 0x5f, 0x41, 1, 0xff},
		"reserved":               {0xd8, 24, 0x5c, 0},
		"a string of no length":  {0xd8, 24, 0x58},
		"a string cut off":       {0xd8, 24, 0x42, 1},
		"a string too long":      {0xd8, 24, 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
	} {
		if got, err := mdoc.Embedded(raw); !errors.Is(err, mdoc.ErrMalformed) || !strings.Contains(err.Error(), "is not an embedded CBOR item (tag 24)") || got != nil {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
}

// TestLengthsOfPresentations holds that what is too long is not even decoded.
func TestLengthsOfPresentations(t *testing.T) {
	for n, why := range map[int]string{256 << 10: "DeviceResponse is missing or has the wrong type", 256<<10 + 1: "longer than 262144 characters"} {
		if _, err := mdoc.ParseInsecure(strings.Repeat("A", n)); !errors.Is(err, mdoc.ErrMalformed) || !strings.Contains(err.Error(), why) {
			t.Errorf("%d characters: %v", n, err)
		}
	}
}

// TestElementsAtTheirLimit holds how many elements may be disclosed, over all namespaces.
func TestElementsAtTheirLimit(t *testing.T) {
	for n, why := range map[int]string{512: "", 513: "more than 512 elements"} {
		s := newScene(t)
		shown := 0
		for _, one := range s.draft.Items {
			if !one.Withheld {
				shown++
			}
		}
		for i := range n - shown {
			s.draft.Add([]string{"a", "b"}[i%2], strings.Repeat("x", i/2+1), 1)
		}
		_, err := mdoc.ParseInsecure(s.present(t))
		if (err == nil) != (why == "") || err != nil && !strings.Contains(err.Error(), why) {
			t.Errorf("%d elements: %v", n, err)
		}
	}
}

// TestScalars holds that a number and a date are what they are without any reading into them, whatever reads the rest of
// the message: a float, a text, or another tag is none.
func TestScalars(t *testing.T) {
	for name, row := range map[string]struct {
		raw  []byte
		want int64
		ok   bool
	}{
		"zero": {[]byte{0}, 0, true}, "one byte": {[]byte{0x18, 24}, 24, true}, "below zero": {[]byte{0x20}, -1, true},
		"the largest":  {[]byte{0x1b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, math.MaxInt64, true},
		"the smallest": {[]byte{0x3b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, math.MinInt64, true},
		"larger":       {[]byte{0x1b, 0x80, 0, 0, 0, 0, 0, 0, 0}, 0, false}, "smaller": {[]byte{0x3b, 0x80, 0, 0, 0, 0, 0, 0, 0}, 0, false},
		"nothing": {nil, 0, false}, "half": {[]byte{0x19, 1}, 0, false}, "two": {[]byte{1, 2}, 0, false}, "bytes": {[]byte{0x40}, 0, false}, "a text": {[]byte{0x61, '1'}, 0, false},
		"a tag": {[]byte{0xc1, 1}, 0, false}, "a float": {[]byte{0xf9, 0, 0}, 0, false}, "true": {[]byte{0xf5}, 0, false}, "reserved": {[]byte{0x1c}, 0, false},
	} {
		if got, err := mdoc.Number(row.raw); (err == nil) != row.ok || got != row.want || err != nil && !strings.Contains(err.Error(), "a value has the wrong type") {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
	const text = "2031-05-04T12:00:00Z"
	good := verifiertest.CBOR(t, tagged(0, text))
	if at, err := mdoc.Date(good); err != nil || at.Format(time.RFC3339) != text {
		t.Errorf("%v, %v", at, err)
	}
	for name, raw := range map[string][]byte{
		"nothing": nil, "a text": verifiertest.CBOR(t, text), "another tag": verifiertest.CBOR(t, tagged(1, text)), "a full-date": verifiertest.CBOR(t, tagged(1004, text)),
		"an array": append([]byte{0x80}, good[1:]...), "the number 0": append([]byte{0}, good[1:]...), "bytes": verifiertest.CBOR(t, tagged(0, []byte(text))),
		"cut off": good[:len(good)-1], "more": append(bytes.Clone(good), 0), "half a head": {0xd8}, "no date": verifiertest.CBOR(t, tagged(0, "today")), "a day": verifiertest.CBOR(t, tagged(0, "2031-05-04")),
	} {
		if at, err := mdoc.Date(raw); err == nil || !strings.Contains(err.Error(), "a value has the wrong type") || !at.IsZero() {
			t.Errorf("%s: %v, %v", name, at, err)
		}
	}
}
