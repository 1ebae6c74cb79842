package identity_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	jose "github.com/go-jose/go-jose/v4"

	"regain/presentation/identity"
)

// Several sign one payload; each of the signatures can be verified without the others (RFC 7515 §7.2.1), and what differs
// from signer to signer is in the protected header (OpenID4VP 1.0 Appendix A.3.2).
func TestSignOneOf(t *testing.T) {
	c, key := newChain(t, nil), newKey(t)
	byHash, err := identity.X509Hash(c.key, []*x509.Certificate{c.leaf}, noon)
	must(t, byHash, err)
	byDID, err := identity.DID("did:web:recover.example.org", "key-1", key)
	must(t, byDID, err)
	payload := base64.RawURLEncoding.EncodeToString([]byte(`{"nonce":"n"}`))
	first, err := byHash.SignOneOf(payload, json.RawMessage(`[ {"format": "jwt", "data": "x"} ]`))
	must(t, first, err)
	second, err := byDID.SignOneOf(payload, nil)
	must(t, second, err)

	object, err := json.Marshal(map[string]any{"payload": payload, "signatures": []identity.Signature{first, second}})
	must(t, object, err)
	parsed, err := jose.ParseSignedJSON(string(object), []jose.SignatureAlgorithm{jose.ES256})
	must(t, parsed, err)
	for i, public := range []crypto.PublicKey{c.leaf.PublicKey, key.Public()} {
		at, _, got, err := parsed.VerifyMulti(public)
		if err != nil || at != i || string(got) != `{"nonce":"n"}` {
			t.Errorf("go-jose, signature %d: %d, %q, %v", i, at, got, err)
		}
		verify(t, public, []string{first.Protected, second.Protected}[i]+"."+payload, []string{first.Signature, second.Signature}[i])
	}
	one, two := decode(t, first.Protected), decode(t, second.Protected)
	if one["client_id"] != byHash.ClientID("") || one["x5c"] == nil || len(one["verifier_info"].([]any)) != 1 || len(one) != 5 {
		t.Errorf("the first header is %v", one)
	}
	if two["client_id"] != byDID.ClientID("") || two["kid"] != "did:web:recover.example.org#key-1" || two["typ"] != "oauth-authz-req+jwt" || len(two) != 4 {
		t.Errorf("the second header is %v", two)
	}
	if header := signed(t, byHash, c.leaf.PublicKey); header["client_id"] != nil || header["verifier_info"] != nil {
		t.Errorf("a request signed alone afterwards has the header of one signed with others: %v", header)
	}
}

// A verifier_info that is no JSON is no header either.
func TestSignOneOfRefuses(t *testing.T) {
	who, err := identity.DID("did:web:recover.example.org", "key-1", newKey(t))
	must(t, who, err)
	if one, err := who.SignOneOf("e30", json.RawMessage(`[`)); err == nil || one != (identity.Signature{}) {
		t.Errorf("%v, %v", one, err)
	}
}

// broken is an HSM that does not answer.
type broken struct{ hsm }

var errBroken = errors.New("the HSM does not answer")

func (broken) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errBroken }

func TestAKeyThatDoesNotSign(t *testing.T) {
	who, err := identity.DID("did:web:recover.example.org", "key-1", broken{hsm{newKey(t)}})
	must(t, who, err)
	if object, err := who.Sign([]byte("{}")); !errors.Is(err, errBroken) || object != nil {
		t.Errorf("alone: %s, %v", object, err)
	}
	if one, err := who.SignOneOf("e30", nil); !errors.Is(err, errBroken) || one != (identity.Signature{}) {
		t.Errorf("with others: %v, %v", one, err)
	}
}

// An identity is used by all requests at once.
func TestSigningAtOnce(t *testing.T) {
	key := newKey(t)
	who, err := identity.DID("did:web:recover.example.org", "key-1", key)
	must(t, who, err)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			payload := bytes.Repeat([]byte{'a' + byte(i)}, 32)
			object, err := who.Sign(payload)
			if err != nil || strings.Split(string(object), ".")[1] != base64.RawURLEncoding.EncodeToString(payload) {
				t.Errorf("%s, %v", object, err)
			}
			if _, err := who.SignOneOf("e30", json.RawMessage(`[]`)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}
