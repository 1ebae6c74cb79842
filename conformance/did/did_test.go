package did_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/did"
	"regain/conformance/jose"
	"regain/conformance/spoil"
)

func vector(t testing.TB, name string) string {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(raw))
}

// offline resolves what has to be asked of no one else; a did:web is looked up in vain.
func offline() did.Resolver {
	return did.Resolver{Get: func(context.Context, string) ([]byte, error) { return nil, errors.New("there is no network") }}
}

func verify(t testing.TB, compact string) (did.Signed, error) {
	t.Helper()
	token, err := jose.Parse(compact)
	if err != nil {
		t.Fatal(err)
	}
	return offline().Verify(t.Context(), token)
}

// A domain linkage credential of the profile's, by a did:ion in long form.
func TestThePublishedToken(t *testing.T) {
	compact := vector(t, "profile-domain-linkage.jwt")
	signed, err := verify(t, compact)
	if err != nil {
		t.Fatal(err)
	}
	if signed.Algorithm != jose.ES256K || signed.Document.ID != signed.DID || !signed.Document.Asserts(signed.KeyName) {
		t.Errorf("by %s of %s", signed.Algorithm, signed.DID)
	}
	if got := strings.Join(signed.Document.Domains, " "); got != "https://www.vcsatoshi.com/" {
		t.Errorf("its domains are %s", got)
	}
	if _, err := verify(t, spoil.Signature(compact)); !errors.Is(err, jose.ErrSignature) {
		t.Errorf("with another signature: %v", err)
	}
}

// The vector of Sidetree and of ion-sdk, made again from its keys.
func TestLongFormIsThePublishedOne(t *testing.T) {
	key := func(x, y string) jose.JWK {
		var jwk jose.JWK
		if err := jwk.UnmarshalJSON([]byte(`{"kty":"EC","crv":"secp256k1","x":"` + x + `","y":"` + y + `"}`)); err != nil {
			t.Fatal(err)
		}
		return jwk
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
	if raw, _ := json.Marshal(&jose.JWK{Key: key}); err != nil || !strings.Contains(string(raw), "acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0") || !document.Asserts("0") {
		t.Errorf("its key is %s, %v", raw, err)
	}
	if _, err := document.Key("1"); !errors.Is(err, did.ErrNoKey) {
		t.Errorf("a key of another name: %v", err)
	}
}

func TestIdentities(t *testing.T) {
	for _, method := range []did.Method{did.ION, did.JWK} {
		for _, alg := range []string{jose.ES256K, jose.ES256, jose.ES384, jose.EdDSA} {
			t.Run(string(method)+" "+alg, func(t *testing.T) {
				identity, err := did.New(method, alg)
				if err != nil {
					t.Fatal(err)
				}
				compact, err := identity.Sign(map[string]any{"kid": identity.KeyID()}, map[string]any{"a": 1})
				if err != nil {
					t.Fatal(err)
				}
				signed, err := verify(t, compact)
				if err != nil || signed.DID != identity.DID || signed.KeyName != identity.KeyName || signed.Algorithm != alg {
					t.Fatalf("%+v, %v", signed, err)
				}
				if !strings.HasPrefix(identity.DID, string(method)+":") {
					t.Errorf("it is %s", identity.DID)
				}
				stranger, err := jose.Generate(alg)
				if err != nil {
					t.Fatal(err)
				}
				forged, err := identity.WithKey(stranger).Sign(map[string]any{"kid": identity.KeyID()}, map[string]any{"a": 1})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := verify(t, forged); !errors.Is(err, jose.ErrSignature) {
					t.Errorf("somebody else's key: %v", err)
				}
			})
		}
	}
	if _, err := did.New("did:web", jose.ES256); !errors.Is(err, did.ErrMethod) {
		t.Errorf("did:web: %v", err)
	}
}

// A holder's key in a did:ion stands as the Android library writes it.
func TestTheHoldersKeyIsThatOfTheLibrary(t *testing.T) {
	identity, err := did.New(did.ION, jose.ES256K)
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
	identity, err := did.New(did.JWK, jose.ES256)
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

// A holder signs with a key under authentication, of a kind that holders have.
func TestHolder(t *testing.T) {
	state := func(change func(map[string]any)) string {
		state := decode(t, vector(t, "sidetree-long-form.txt"))
		change(state)
		return encode(t, state)
	}
	same := state(func(map[string]any) {})
	jwk := func(text string) string { return "did:jwk:" + base64.RawURLEncoding.EncodeToString([]byte(text)) }
	const point = `"x":"acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0","y":"_KcyLj9vWMptnmKtm46GqDz8wf74I5LKgrl2GzH3nSE"`
	for name, test := range map[string]struct {
		id, key string
		want    error
	}{
		"did:ion":         {same, "publicKeyModel1Id", nil},
		"did:jwk":         {jwk(`{"kty":"EC","crv":"P-256",` + point + `}`), "0", nil},
		"for encryption":  {jwk(`{"kty":"EC","crv":"P-256","use":"enc",` + point + `}`), "0", did.ErrNoKey},
		"another purpose": {state(func(s map[string]any) { firstKey(s)["purposes"] = []any{"assertionMethod"} }), "publicKeyModel1Id", did.ErrNoKey},
		"another name":    {same, "another", did.ErrNoKey},
		"too long":        {state(func(s map[string]any) { s["delta"].(map[string]any)["updateCommitment"] = strings.Repeat("a", 1000) }), "publicKeyModel1Id", did.ErrDocument},
		"to be fetched":   {"did:web:wallet.example", "0", did.ErrMethod},
		"no DID":          {"x", "0", did.ErrKID},
	} {
		id, key, err := did.Holder(test.id + "#" + test.key)
		if !errors.Is(err, test.want) || (err == nil) != (id == test.id && key != nil) {
			t.Errorf("%s: %v", name, err)
		}
		if err := did.CheckHolder(test.id); name != "another name" && (err == nil) != (test.want == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerifyRefusesWhatNamesNoKey(t *testing.T) {
	identity, err := did.New(did.JWK, jose.ES256)
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
		compact, err := identity.Sign(map[string]any{"kid": test.kid}, map[string]any{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verify(t, compact); !errors.Is(err, test.want) {
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
