package jwtvc_test

import (
	"encoding/base64"
	"os"
	"strings"
	"testing"

	"regain/verifier/jwtvc"
	"regain/verifier/verifiertest"
)

// FuzzParse holds that reading never panics, and that what is read has one spelling: each part encodes back to the very
// text that was sent. What the signature covers is then what was read.
func FuzzParse(f *testing.F) {
	for _, algorithm := range []string{"ES256", "ES256K", "EdDSA"} {
		s := newScene(f, algorithm)
		f.Add(s.present(f))
	}
	for _, name := range []string{"profile-es256k.jwt", "profile-eddsa.jwt"} {
		raw, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(strings.TrimSpace(string(raw)))
	}
	f.Add("e30.e30.AA")
	s := newScene(f, "ES256")
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := jwtvc.ParseInsecure(text, 0)
		if err != nil {
			return
		}
		parts := strings.Split(text, ".")
		for i, part := range parts {
			raw, err := base64.RawURLEncoding.DecodeString(part)
			if err != nil {
				t.Fatalf("part %d is not base64url", i)
			}
			parts[i] = verifiertest.Encode(raw)
		}
		if strings.Join(parts, ".") != text {
			t.Error("it does not encode back to the same text")
		}
		_, _ = parsed.VerifyHolder(t.Context(), newResolver(t, offline{}), s.binding())
	})
}

// FuzzClaims signs any VC, and holds that what is read says nothing else than the JWT.
func FuzzClaims(f *testing.F) {
	f.Add([]byte(`{"@context":["https://www.w3.org/2018/credentials/v1"],"type":["VerifiableCredential"],"credentialSubject":{"id":"did:web:a"},"issuer":{"id":"did:web:b"}}`), "did:web:b", "did:web:a", "urn:a")
	f.Add([]byte(`{"id":"urn:a","issuanceDate":"2031-05-04T12:00:00Z","credentialStatus":{"type":"x"}}`), "", "", "")
	signer := verifiertest.NewSigner(f, "EdDSA")
	f.Fuzz(func(t *testing.T, vc []byte, iss, sub, jti string) {
		for _, text := range []*string{&iss, &sub, &jti} {
			*text = strings.ToValidUTF8(*text, "")
		}
		payload := []byte(`{"iss":` + quote(t, iss) + `,"sub":` + quote(t, sub) + `,"jti":` + quote(t, jti) + `,"exp":1935662400,"vc":` + string(vc) + `}`)
		parsed, err := jwtvc.ParseCredentialInsecure(signer.SignRaw(t, []byte(`{"alg":"EdDSA"}`), payload))
		if err != nil {
			return
		}
		if parsed.ID() != jti || parsed.Issuer() != iss || parsed.Subject() != sub || parsed.Types() == nil {
			t.Errorf("%s: %q, %q, %q", payload, parsed.ID(), parsed.Issuer(), parsed.Subject())
		}
		issuer := parsed.Claims()["issuer"]
		if object, ok := issuer.(map[string]any); ok {
			issuer = object["id"]
		}
		if at, there, err := parsed.Time("exp"); issuer != iss || at != 1935662400 || !there || err != nil {
			t.Errorf("%s: from %v, expires %d", payload, issuer, at)
		}
	})
}

func quote(t *testing.T, text string) string {
	t.Helper()
	return string(verifiertest.JSON(t, text))
}
