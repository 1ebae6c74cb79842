// Package didtest is a holder of a DID for tests: it makes keys and DIDs and signs JWTs with as little help as possible.
package didtest

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	secp "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// Holder is somebody with a DID.
type Holder struct {
	DID, Name string // Name is the fragment of its key
	Alg       string
	JWK       map[string]any

	sign func(signed []byte) []byte
}

// KID is the DID URL of the key.
func (h Holder) KID() string { return h.DID + "#" + h.Name }

// JWK makes a holder whose DID is a did:jwk.
func JWK(t testing.TB, alg string) Holder {
	t.Helper()
	h := newKey(t, alg)
	h.DID, h.Name = "did:jwk:"+encode(toJSON(t, h.JWK)), "0"
	return h
}

// ION makes a holder whose DID is the long form of a did:ion.
func ION(t testing.TB, alg string) Holder {
	t.Helper()
	h := newKey(t, alg)
	h.DID, h.Name = LongForm(t, State(h.JWK)), "key-1"
	return h
}

// State is the document of a did:ion, as its patches hold it: one key for authentication. A test changes it.
func State(jwk map[string]any) map[string]any {
	return map[string]any{"patches": []any{map[string]any{"action": "replace", "document": map[string]any{
		"publicKeys": []any{map[string]any{"id": "key-1", "type": "JsonWebKey2020", "publicKeyJwk": jwk, "purposes": []any{"authentication"}}},
	}}}, "updateCommitment": multihash([]byte("nobody's"))}
}

// LongForm is the DID that begins with a delta. Go sorts the members of maps, which is all that is to canonical JSON here.
func LongForm(t testing.TB, delta map[string]any) string {
	t.Helper()
	suffix := map[string]any{"deltaHash": multihash(toJSON(t, delta)), "recoveryCommitment": multihash([]byte("nobody's"))}
	state := toJSON(t, map[string]any{"delta": delta, "suffixData": suffix})
	return "did:ion:" + multihash(toJSON(t, suffix)) + ":" + encode(state)
}

func multihash(raw []byte) string {
	sum := sha256.Sum256(raw)
	return encode(append([]byte{0x12, 0x20}, sum[:]...))
}

// Sign writes a compact JWS. Members of header that are nil are left out, as are those of claims.
func (h Holder) Sign(t testing.TB, header, claims map[string]any) string {
	t.Helper()
	all := map[string]any{"alg": h.Alg, "kid": h.KID()}
	for name, value := range header {
		all[name] = value
	}
	signed := encode(toJSON(t, present(all))) + "." + encode(toJSON(t, present(claims)))
	return signed + "." + encode(h.sign([]byte(signed)))
}

func present(members map[string]any) map[string]any {
	kept := map[string]any{}
	for name, value := range members {
		if value != nil {
			kept[name] = value
		}
	}
	return kept
}

// newKey makes a key for ES256K, ES256 or EdDSA.
func newKey(t testing.TB, alg string) Holder {
	t.Helper()
	h := Holder{Alg: alg}
	switch alg {
	case "ES256K":
		key, err := secp256k1.GeneratePrivateKey()
		must(t, err)
		h.JWK = point("secp256k1", key.PubKey().SerializeUncompressed())
		h.sign = func(signed []byte) []byte {
			sum := sha256.Sum256(signed)
			return secp.SignCompact(key, sum[:], false)[1:] // r and s, behind what recovers the key
		}
	case "ES256":
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(t, err)
		raw, err := key.PublicKey.Bytes()
		must(t, err)
		h.JWK = point("P-256", raw)
		h.sign = func(signed []byte) []byte { return signP256(t, key, signed) }
	default:
		public, key, err := ed25519.GenerateKey(rand.Reader)
		must(t, err)
		h.JWK = map[string]any{"kty": "OKP", "crv": "Ed25519", "x": encode(public)}
		h.sign = func(signed []byte) []byte { return ed25519.Sign(key, signed) }
	}
	return h
}

func signP256(t testing.TB, key *ecdsa.PrivateKey, signed []byte) []byte {
	sum := sha256.Sum256(signed)
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	must(t, err)
	return append(fill(r), fill(s)...)
}

func fill(n *big.Int) []byte { return n.FillBytes(make([]byte, 32)) }

func point(curve string, raw []byte) map[string]any {
	return map[string]any{"kty": "EC", "crv": curve, "x": encode(raw[1:33]), "y": encode(raw[33:])}
}

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func toJSON(t testing.TB, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	must(t, err)
	return raw
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
