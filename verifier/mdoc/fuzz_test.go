package mdoc_test

import (
	"encoding/json"
	"testing"

	"regain/verifier/mdoc"
	"regain/verifier/verifiertest"
)

// FuzzParse holds that reading never panics, that what comes out of it is JSON, and that no DeviceResponse fits a request
// that its device never saw. It starts from CBOR: TestParseRefusesOtherSpellings has the text around it.
func FuzzParse(f *testing.F) {
	s := newScene(f)
	add := func() { f.Add(verifiertest.CBOR(f, s.holder.Respond(f, s.draft, s.device))) }
	add()
	f.Add(example(f, "device_response"))
	s.draft.MSO.Set("digestAlgorithm", "SHA-512")
	s.device.NameSpaces = verifiertest.NewMap("a", verifiertest.NewMap("b", 1))
	add()
	for _, one := range s.draft.Items {
		one.Withheld = true
	}
	add()
	f.Add([]byte{0xa0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := mdoc.ParseInsecure(verifiertest.Encode(raw))
		if err != nil {
			return
		}
		if _, err := json.Marshal(p.Claims()); err != nil {
			t.Errorf("claims are no JSON: %v", err)
		}
		_, _, _, _ = p.Status()
		_ = p.VerifyIssuer(&s.issuer.SignsDocuments.Key.PublicKey)
		if _, err := p.VerifyHolder(mdoc.Session{Origin: "https://a.example", Nonce: "another"}); err == nil {
			t.Error("it fits every request")
		}
	})
}

// FuzzElement is FuzzParse for the value of an element, which no digest keeps a fuzzer from changing.
func FuzzElement(f *testing.F) {
	s := newScene(f)
	for _, value := range []any{"x", -1, 1.5, nil, true, []byte{1}, []any{1}, verifiertest.NewMap("a", 1), tagged(1004, "x")} {
		f.Add(verifiertest.CBOR(f, value))
	}
	f.Add([]byte("\xa2\x61a\x01\x61a\x02"))
	f.Fuzz(func(t *testing.T, value []byte) {
		s.draft.MSO.Delete("valueDigests")
		s.draft.Element("given_name").Set("elementValue", verifiertest.Raw(value))
		p, err := mdoc.ParseInsecure(s.present(t))
		if err != nil {
			return
		}
		if _, err := json.Marshal(p.Claims()); err != nil {
			t.Errorf("claims are no JSON: %v", err)
		}
	})
}
