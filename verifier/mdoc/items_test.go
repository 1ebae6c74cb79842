package mdoc_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"regain/verifier/mdoc"
	"regain/verifier/verifiertest"
)

// rows is an array of n arrays of 512 empty ones: each is a byte to send, and hundreds to build.
func rows(n int) verifiertest.Raw {
	row := "\x99\x02\x00" + strings.Repeat("\x80", 512)
	return verifiertest.Raw(fmt.Sprintf("\x99%c%c", n>>8, n&0xff) + strings.Repeat(row, n))
}

// Items are counted altogether, wherever they stand, and before anything is built of them.
func TestItemsAltogether(t *testing.T) {
	type change = func(s *scene, response *verifiertest.Map)
	unknown := func(n int) change { return func(_ *scene, r *verifiertest.Map) { r.Set("of tomorrow", rows(n)) } }
	element := func(n int) change { return func(s *scene, _ *verifiertest.Map) { s.draft.Add("a", "x", rows(n)) } }
	for name, row := range map[string]struct {
		change change
		ok     bool
	}{
		"ten thousand":                       {unknown(20), true},
		"of an element":                      {element(5), true}, // they are walked over three times
		"twenty thousand that nobody signed": {unknown(40), false},
		"a hundred and eighty thousand":      {unknown(350), false},
		"twenty thousand of an element":      {element(40), false},
		"in two places":                      {func(s *scene, r *verifiertest.Map) { unknown(20)(s, r); element(8)(s, r) }, false},
	} {
		s := newScene(t)
		row.change(s, verifiertest.NewMap()) // before the issuer signs
		response := s.holder.Respond(t, s.draft, s.device)
		row.change(s, response)
		_, err := mdoc.ParseInsecure(write(t, response))
		if row.ok && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !row.ok && (!errors.Is(err, mdoc.ErrMalformed) || !strings.Contains(err.Error(), "more than 16384 items altogether")) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// BenchmarkWorstItems is the most that items cost which nobody signed: as many as there may be.
func BenchmarkWorstItems(b *testing.B) {
	s := newScene(b)
	response := s.holder.Respond(b, s.draft, s.device)
	response.Set("of tomorrow", rows(30))
	text := verifiertest.Encode(verifiertest.CBOR(b, response))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := mdoc.ParseInsecure(text); err != nil {
			b.Fatal(err)
		}
	}
}
