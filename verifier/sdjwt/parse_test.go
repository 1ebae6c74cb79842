package sdjwt_test

import (
	"errors"
	"testing"

	"regain/verifier/sdjwt"
)

func TestParseRefusesWhatIsNoSDJWT(t *testing.T) {
	for _, text := range []string{"", "~", "a.b.c", "a.b.c~", "e30.e30.AA~", "~~~~", "e30.e30.AA~W10~"} {
		if _, err := sdjwt.ParseInsecure(text); !errors.Is(err, sdjwt.ErrMalformed) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}
