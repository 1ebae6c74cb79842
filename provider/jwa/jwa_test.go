package jwa_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"regain/provider/jwa"
)

func TestAlgorithms(t *testing.T) {
	for _, alg := range jwa.All() {
		if strings.HasPrefix(string(alg), "HS") || alg == "none" || !jwa.Known(alg) {
			t.Errorf("%s is no signature", alg)
		}
	}
	if jwa.InFAPI(jose.RS256) || slices.Contains(jwa.FAPI(), jose.RS256) || len(jwa.FAPI()) != len(jwa.All())-1 {
		t.Errorf("FAPI has %v of %v", jwa.FAPI(), jwa.All())
	}
	for _, alg := range []jose.SignatureAlgorithm{"", "none", jose.HS256, jose.ES384, "es256"} {
		if jwa.Known(alg) || jwa.InFAPI(alg) {
			t.Errorf("%q is known", alg)
		}
	}
	if !jwa.Known(jwa.Vendor) {
		t.Error("the vendors' is not known")
	}
}

func TestWords(t *testing.T) {
	for want, list := range map[string][]jose.SignatureAlgorithm{"": nil, "ES256": {jose.ES256}, "ES256 or EdDSA": {jose.ES256, jose.EdDSA}, "ES256, PS256, RS256 or EdDSA": jwa.All()} {
		if got := jwa.Cure(list); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := jwa.Challenge(jwa.FAPI()); got != "ES256 PS256 EdDSA" {
		t.Errorf("got %q", got)
	}
}
