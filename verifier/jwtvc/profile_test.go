package jwtvc_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"regain/verifier/did"
	"regain/verifier/jwtvc"
)

// TestProfileExamples verifies the presentations that the JWT VC Presentation Profile publishes: its VP Token example,
// made with ES256K (without the rest of the form, which stands behind it there), and the one of all-ed25519. Both
// issuers' keys stand under authentication alone, so that neither may issue anything here.
func TestProfileExamples(t *testing.T) {
	for name, tt := range map[string]struct {
		nonce string
		made  int64
		kind  string
	}{
		"profile-es256k.jwt": {"O1mZGnuet++Ilg2c1jR4jA==", 1646308737, "InteropExampleVC"},
		"profile-eddsa.jwt":  {"5b2ce3c3-39cf-4a16-aa63-fa83707eca9e", 1651773939, "WorkplaceCredential"},
	} {
		raw, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := jwtvc.ParseInsecure(strings.TrimSpace(string(raw)), 0)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := jwtvc.Binding{Nonce: tt.nonce, Audience: audience(t, raw), Now: time.Unix(tt.made, 0)}
		holder, err := parsed.VerifyHolder(t.Context(), newResolver(t, offline{}), want)
		if err != nil || holder.DID.String() != parsed.Subject() {
			t.Errorf("%s: %v", name, err)
		}
		if parsed.Types()[1] != tt.kind {
			t.Errorf("%s: types are %v", name, parsed.Types())
		}
		if _, err := parsed.VerifyIssuer(t.Context(), newResolver(t, offline{})); !errors.Is(err, jwtvc.ErrIssuer) || !errors.Is(err, did.ErrNoKey) {
			t.Errorf("%s: issuer: %v", name, err)
		}
		leaf := issuerKey(t, parsed)
		if err := jwtvc.VerifySignature(parsed, leaf); err != nil {
			t.Errorf("%s: issuer's signature: %v", name, err)
		}
	}
}

// audience reads aud: a DID in its long form, too long to write here.
func audience(t *testing.T, raw []byte) string {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(string(raw), ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var says struct {
		Aud string `json:"aud"`
	}
	if err := json.Unmarshal(payload, &says); err != nil {
		t.Fatal(err)
	}
	return says.Aud
}

// issuerKey finds the key that the VC's kid names, though it is for another purpose.
func issuerKey(t *testing.T, parsed *jwtvc.Parsed) any {
	t.Helper()
	url, err := did.ParseURL(jwtvc.KeyID(parsed), did.DID{})
	if err != nil {
		t.Fatal(err)
	}
	document, err := newResolver(t, offline{}).Resolve(t.Context(), url.DID)
	if err != nil {
		t.Fatal(err)
	}
	key, err := document.Key(url, did.Authentication)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
