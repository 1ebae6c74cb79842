package sdjwt_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"regain/verifier/sdjwt"
	"regain/verifier/verifiertest"
)

// FuzzParse holds that reading never panics, and that what is read has one spelling: each part encodes back to the very
// text that was sent. What sd_hash, the digests and the signatures cover is then what was read.
func FuzzParse(f *testing.F) {
	s := newScene(f)
	f.Add(s.present(f))
	s.draft.Claims["list"] = []any{map[string]any{"...": verifiertest.Hash("decoy")}}
	f.Add(s.present(f))
	f.Add(s.holder.Present(f, s.issuer.Receipt(s.draft, 50), s.bind))
	f.Add("e30.e30.AA~W10~a.b.c")
	f.Add("~~~")
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := sdjwt.ParseInsecure(text)
		if err != nil {
			return
		}
		parts := strings.Split(text, "~")
		for i, part := range parts[:len(parts)-1] {
			pieces := strings.Split(part, ".")
			for j, piece := range pieces {
				raw, err := base64.RawURLEncoding.DecodeString(piece)
				if err != nil {
					t.Fatalf("part %d.%d is not base64url", i, j)
				}
				pieces[j] = verifiertest.Encode(raw)
			}
			parts[i] = strings.Join(pieces, ".")
		}
		if strings.Join(parts, "~") != text {
			t.Error("it does not encode back to the same text")
		}
		for _, name := range []string{"_sd", "_sd_alg", "..."} {
			if _, left := parsed.Claims()[name]; left {
				t.Errorf("%s is left in the claims", name)
			}
		}
		_, _ = parsed.VerifyHolder(s.binding())
	})
}
