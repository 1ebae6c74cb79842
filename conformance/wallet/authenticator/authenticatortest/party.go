package authenticatortest

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	koblitz "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	jose "github.com/go-jose/go-jose/v4"

	"regain/conformance/wallet/wallettest"
)

// Party is somebody with a DID.
type Party struct {
	DID  string
	Name string // of the key, after the # of a kid
	Alg  string // ES256K, ES256, ES384 or EdDSA
	key  any
}

// NewParty makes a party with a did:web, or, when the DID is empty, with a did:jwk.
func NewParty(t testing.TB, did, alg string) Party {
	t.Helper()
	p := Party{DID: did, Name: "key-1", Alg: alg}
	var err error
	switch alg {
	case "ES256K":
		p.key, err = secp256k1.GeneratePrivateKey()
	case "ES256":
		p.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		p.key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "EdDSA":
		_, p.key, err = ed25519.GenerateKey(rand.Reader)
	default:
		t.Fatalf("no algorithm %s", alg)
	}
	if err != nil {
		t.Fatal(err)
	}
	if did == "" {
		p.DID, p.Name = "did:jwk:"+wallettest.Encode([]byte(wallettest.ToJSON(t, p.JWK(t)))), "0"
	}
	return p
}

// JWK returns the public key.
func (p Party) JWK(t testing.TB) map[string]any {
	t.Helper()
	if key, ok := p.key.(*secp256k1.PrivateKey); ok {
		point := key.PubKey().SerializeUncompressed()
		return map[string]any{"kty": "EC", "crv": "secp256k1", "x": wallettest.Encode(point[1:33]), "y": wallettest.Encode(point[33:])}
	}
	public := jose.JSONWebKey{Key: p.key}
	public = public.Public()
	raw, err := public.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	wallettest.FromJSON(t, raw, &members)
	return members
}

// KID is the absolute DID URL of the key.
func (p Party) KID() string { return p.DID + "#" + p.Name }

// Document is the party's DID document, with the origin linked when it is not empty.
func (p Party) Document(t testing.TB, origin string) map[string]any {
	t.Helper()
	document := map[string]any{
		"@context": []string{"https://www.w3.org/ns/did/v1"}, "id": p.DID,
		"verificationMethod": []any{map[string]any{"id": p.KID(), "controller": p.DID, "type": "JsonWebKey2020", "publicKeyJwk": p.JWK(t)}},
		"authentication":     []string{p.KID()}, "assertionMethod": []string{p.KID()},
	}
	if origin != "" {
		document["service"] = []any{map[string]any{"id": p.DID + "#linkeddomains", "type": "LinkedDomains",
			"serviceEndpoint": map[string]any{"origins": []string{origin}}}}
	}
	return document
}

// Sign writes a compact JWS with these members in its header, and alg.
func (p Party) Sign(t testing.TB, header map[string]any, claims any) string {
	t.Helper()
	members := map[string]any{"alg": p.Alg}
	for name, value := range header {
		members[name] = value
	}
	signed := wallettest.Encode([]byte(wallettest.ToJSON(t, members))) + "." + wallettest.Encode([]byte(wallettest.ToJSON(t, claims)))
	return signed + "." + wallettest.Encode(p.signature(t, []byte(signed)))
}

func (p Party) signature(t testing.TB, message []byte) []byte {
	t.Helper()
	sum := sha256.Sum256(message)
	switch key := p.key.(type) {
	case *secp256k1.PrivateKey:
		signature := koblitz.Sign(key, sum[:])
		r, s := signature.R(), signature.S()
		rb, sb := r.Bytes(), s.Bytes()
		return append(rb[:], sb[:]...)
	case *ecdsa.PrivateKey:
		digest, size := sum[:], 32
		if p.Alg == "ES384" {
			long := sha512.Sum384(message)
			digest, size = long[:], 48
		}
		r, s, err := ecdsa.Sign(rand.Reader, key, digest)
		if err != nil {
			t.Fatal(err)
		}
		return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
	case ed25519.PrivateKey:
		return ed25519.Sign(key, message)
	}
	t.Fatal("a party without a key")
	return nil
}

// JWT signs with the header that JWT VCs have.
func (p Party) JWT(t testing.TB, claims any) string {
	t.Helper()
	return p.Sign(t, map[string]any{"typ": "JWT", "kid": p.KID()}, claims)
}
