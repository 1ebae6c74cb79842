package did_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/wallet/authenticator/agent"
	"regain/conformance/wallet/authenticator/did"
	"regain/conformance/wallet/authenticator/jws"
	"regain/conformance/wallet/authenticator/spoil"
)

func vector(t testing.TB, name string) string {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(raw))
}

// offline resolves what needs nobody.
func offline() did.Resolver { return did.Resolver{Agent: agent.New(http.DefaultClient)} }

// A domain linkage credential of the profile's, by a did:ion in long form.
func TestThePublishedToken(t *testing.T) {
	compact := vector(t, "profile-domain-linkage.jwt")
	signed, err := offline().Verify(t.Context(), compact)
	if err != nil {
		t.Fatal(err)
	}
	if signed.Algorithm != jws.ES256K || signed.Document.ID != signed.DID || !signed.Document.Asserts(signed.KeyName) {
		t.Errorf("by %s of %s", signed.Algorithm, signed.DID)
	}
	if got := strings.Join(signed.Document.Domains, " "); got != "https://www.vcsatoshi.com/" {
		t.Errorf("its domains are %s", got)
	}
	if _, err := offline().Verify(t.Context(), spoil.Signature(compact)); !errors.Is(err, jws.ErrSignature) {
		t.Errorf("with another signature: %v", err)
	}
}

// The vector of Sidetree and of ion-sdk, made again from its keys.
func TestLongFormIsThePublishedOne(t *testing.T) {
	key := func(x, y string) map[string]any {
		return map[string]any{"kty": "EC", "crv": "secp256k1", "x": x, "y": y}
	}
	long, err := did.LongForm(map[string]any{
		"publicKeys": []any{map[string]any{"id": "publicKeyModel1Id", "type": "EcdsaSecp256k1VerificationKey2019",
			"publicKeyJwk": key("tXSKB_rubXS7sCjXqupVJEzTcW3MsjmEvq1YpXn96Zg", "dOicXqbjFxoGJ-K0-GJ1kHYJqic_D_OMuUwkQ7Ol6nk"),
			"purposes":     []any{"authentication", "keyAgreement"}}},
		"services": []any{map[string]any{"id": "service1Id", "type": "service1Type", "serviceEndpoint": "http://www.service1.com"}},
	}, key("wfwQCJ3ORqVdnHXkT8P-Lg_GtxBEhX3ty9NUnwnHrmw", "uie8qL_VuAnRDduphZuxLO6qT9kPp3KRGEIRlTpWrfU"),
		key("nIqlRCx0eyBSXcQnqDpReSv4zuWhwCRWssoc9L_nj6A", "iG29VK6l2U5sKBZUSJePvyFusXgSlK2dDFlWaCM8F7k"))
	if err != nil {
		t.Fatal(err)
	}
	if want := vector(t, "sidetree-long-form.txt"); long != want {
		t.Errorf("got %s\nnot %s", long, want)
	}
	document, err := offline().Resolve(t.Context(), long)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := document.Key("publicKeyModel1Id"); err != nil || document.Asserts("publicKeyModel1Id") {
		t.Errorf("its key: %v", err)
	}
}

// The vector of did:jwk.
func TestThePublishedJWK(t *testing.T) {
	const text = "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6OTFQSDZDZEgyVjAiLCJ5IjoiX0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9"
	document, err := offline().Resolve(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	key, err := document.Key("0")
	if err != nil || key.JWK()["x"] != "acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0" || !document.Asserts("0") {
		t.Errorf("its key is %v, %v", key.JWK(), err)
	}
	if _, err := document.Key("1"); !errors.Is(err, did.ErrNoKey) {
		t.Errorf("a key of another name: %v", err)
	}
}

func TestIdentities(t *testing.T) {
	for _, method := range []did.Method{did.ION, did.JWK} {
		for _, alg := range []jws.Algorithm{jws.ES256K, jws.ES256, jws.ES384, jws.EdDSA} {
			t.Run(string(method)+" "+string(alg), func(t *testing.T) {
				identity, err := did.New(rand.Reader, method, alg)
				if err != nil {
					t.Fatal(err)
				}
				compact, err := identity.Sign(jws.Header{KeyID: identity.KeyID()}, map[string]any{"a": 1})
				if err != nil {
					t.Fatal(err)
				}
				signed, err := offline().Verify(t.Context(), compact)
				if err != nil || signed.DID != identity.DID || signed.KeyName != identity.KeyName || signed.Algorithm != alg {
					t.Fatalf("%+v, %v", signed, err)
				}
				if !strings.HasPrefix(identity.DID, string(method)+":") {
					t.Errorf("it is %s", identity.DID)
				}
				stranger, err := jws.Generate(rand.Reader, alg)
				if err != nil {
					t.Fatal(err)
				}
				forged, err := identity.WithKey(stranger).Sign(jws.Header{KeyID: identity.KeyID()}, map[string]any{"a": 1})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := offline().Verify(t.Context(), forged); !errors.Is(err, jws.ErrSignature) {
					t.Errorf("somebody else's key: %v", err)
				}
			})
		}
	}
	if _, err := did.New(rand.Reader, "did:web", jws.ES256); !errors.Is(err, did.ErrMethod) {
		t.Errorf("did:web: %v", err)
	}
}

// A holder's key in a did:ion stands as the Android library writes it.
func TestTheHoldersKeyIsThatOfTheLibrary(t *testing.T) {
	identity, err := did.New(rand.Reader, did.ION, jws.ES256K)
	if err != nil {
		t.Fatal(err)
	}
	state := decode(t, identity.DID)
	key := state["delta"].(map[string]any)["patches"].([]any)[0].(map[string]any)["document"].(map[string]any)["publicKeys"].([]any)[0].(map[string]any)
	jwk := key["publicKeyJwk"].(map[string]any)
	if key["id"] != identity.KeyName || key["type"] != "EcdsaSecp256k1VerificationKey2019" || fmt.Sprint(key["purposes"]) != "[authentication]" {
		t.Errorf("the key is %v", key)
	}
	if jwk["kid"] != key["id"] || jwk["use"] != "sig" || len(identity.KeyName) != 32 {
		t.Errorf("its JWK is %v", jwk)
	}
}

func TestIdentitiesDoNotPrint(t *testing.T) {
	identity, err := did.New(rand.Reader, did.JWK, jws.ES256)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(map[string]any{"i": identity})
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []string{fmt.Sprint(identity), fmt.Sprintf("%+v", identity), fmt.Sprintf("%#v", identity), identity.LogValue().String(), string(raw)} {
		if strings.Contains(got, identity.DID) || !strings.Contains(got, "did:jwk identity") {
			t.Errorf("it prints as %q", got)
		}
	}
	if got := fmt.Sprint(did.Identity{}); got != "no identity" {
		t.Errorf("none prints as %q", got)
	}
}

func TestVerifyRefusesWhatNamesNoKey(t *testing.T) {
	identity, err := did.New(rand.Reader, did.JWK, jws.ES256)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		kid  string
		want error
	}{
		"no kid":              {"", did.ErrKID},
		"a relative kid":      {"#0", did.ErrKID},
		"a DID only":          {identity.DID, did.ErrKID},
		"no name":             {identity.DID + "#", did.ErrKID},
		"no DID":              {"https://x.example#0", did.ErrKID},
		"another name":        {identity.DID + "#1", did.ErrNoKey},
		"an unknown method":   {"did:example:1#0", did.ErrMethod},
		"a short did:ion":     {"did:ion:EiDyOQbbZAa3aiRzeCkV7LOx3SERjjH93EXoIM3UoN4oWg#0", did.ErrMethod},
		"a broken did:jwk":    {"did:jwk:e30#0", did.ErrDocument},
		"a did:jwk padded":    {"did:jwk:e30=#0", did.ErrDocument},
		"a DID without end":   {"did:jwk:" + strings.Repeat("A", 20<<10) + "#0", did.ErrMethod},
		"a did:web of an IP":  {"did:web:127.0.0.1#0", did.ErrMethod},
		"a did:web of nobody": {"did:web:#0", did.ErrMethod},
	} {
		compact, err := identity.Sign(jws.Header{KeyID: test.kid}, map[string]any{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := offline().Verify(context.Background(), compact); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, not %v", name, err, test.want)
		}
	}
}

// decode reads the state of a long form.
func decode(t testing.TB, long string) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(long[strings.LastIndexByte(long, ':')+1:])
	if err != nil {
		t.Fatal(err)
	}
	var state map[string]any
	if err := json.Unmarshal(raw, &state); err != nil {
		t.Fatal(err)
	}
	return state
}
