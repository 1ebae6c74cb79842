package chain_test

import (
	"strings"
	"testing"

	"regain/recovery/chain"
)

// What a node knew of its store is read as it was written, with this key alone; a head is none, and it is no head.
func FuzzParseSeen(f *testing.F) {
	key := keyOf(f, 1)
	seen := chain.Seen{Number: 1<<40 + 7, Epoch: [8]byte{0xab, 1, 2, 3, 4, 5, 6, 0xff}}
	line := key.EncodeSeen(seen)
	f.Add(line)
	f.Add("")
	f.Add(strings.ToUpper(line))
	f.Add(" " + line)
	f.Add(line + line)
	f.Add(keyOf(f, 2).EncodeSeen(seen))
	f.Add(key.EncodeHead(chain.Head{Segment: 1, Seq: 1, MAC: strings.Repeat("ab", 32)}))
	f.Fuzz(func(t *testing.T, text string) {
		got, err := key.ParseSeen(text)
		if (text == line) != (err == nil) || err == nil && got != seen {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
		if _, err := key.ParseHead(text); text == line && err == nil {
			t.Error("it is taken for a head")
		}
	})
}

// A line of another number or epoch than its MAC covers is refused.
func TestAChangedSeenIsRefused(t *testing.T) {
	key := keyOf(t, 1)
	line := key.EncodeSeen(chain.Seen{Number: 12, Epoch: [8]byte{1}})
	for _, changed := range []string{strings.Replace(line, "12 ", "13 ", 1), strings.Replace(line, " 01", " 02", 1)} {
		if changed == line {
			t.Fatal("nothing was changed")
		}
		_, err := key.ParseSeen(changed)
		mustSay(t, changed, err, "was not written with this key")
	}
}
