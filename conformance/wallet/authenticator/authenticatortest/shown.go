package authenticatortest

import (
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	koblitz "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	jose "github.com/go-jose/go-jose/v4"

	"regain/conformance/wallet/wallettest"
)

// Shown is a JWT taken apart by hand.
type Shown struct {
	Text   string
	Header map[string]any
	Claims map[string]any
}

// Read takes a JWT apart without verifying it.
func Read(t testing.TB, compact string) Shown {
	t.Helper()
	header, claims := wallettest.ReadJWT(t, compact)
	return Shown{Text: compact, Header: header, Claims: claims}
}

// KID returns the DID and the key's name in kid; a relative one belongs to self.
func (s Shown) KID(self string) (did, name string) {
	kid, _ := s.Header["kid"].(string)
	did, name, _ = strings.Cut(kid, "#")
	if did == "" {
		did, _ = s.Claims[self].(string)
	}
	return did, name
}

// text returns a claim that is a text.
func (s Shown) text(name string) string {
	text, _ := s.Claims[name].(string)
	return text
}

// IsSignedBy reports whether the JWS is signed by the key, a JWK, with the algorithm that goes with it.
func IsSignedBy(t testing.TB, compact string, jwk map[string]any) bool {
	t.Helper()
	header, _ := wallettest.ReadJWT(t, compact)
	if jwk["crv"] == "secp256k1" {
		return header["alg"] == "ES256K" && isKoblitz(t, compact, jwk)
	}
	want := map[any]jose.SignatureAlgorithm{"P-256": jose.ES256, "P-384": jose.ES384, "Ed25519": jose.EdDSA}[jwk["crv"]]
	jws, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{want})
	if err != nil {
		return false
	}
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON([]byte(wallettest.ToJSON(t, jwk))); err != nil {
		return false
	}
	_, err = jws.Verify(key)
	return err == nil
}

func isKoblitz(t testing.TB, compact string, jwk map[string]any) bool {
	t.Helper()
	cut := strings.LastIndexByte(compact, '.')
	signature := wallettest.Decode(t, compact[cut+1:])
	x, _ := jwk["x"].(string)
	y, _ := jwk["y"].(string)
	key, err := secp256k1.ParsePubKey(append(append([]byte{4}, wallettest.Decode(t, x)...), wallettest.Decode(t, y)...))
	if err != nil || len(signature) != 64 {
		return false
	}
	var r, s secp256k1.ModNScalar
	if r.SetByteSlice(signature[:32]) || s.SetByteSlice(signature[32:]) {
		return false
	}
	sum := sha256.Sum256([]byte(compact[:cut]))
	return koblitz.NewSignature(&r, &s).Verify(sum[:], key)
}

// HolderKey returns the key of that name in a did:jwk or the long form of a did:ion, nil when it is
// not there. The hashes of a did:ion are for the tests of package did.
func HolderKey(t testing.TB, did, name string) map[string]any {
	t.Helper()
	var jwk map[string]any
	if encoded, ok := strings.CutPrefix(did, "did:jwk:"); ok && name == "0" {
		wallettest.FromJSON(t, wallettest.Decode(t, encoded), &jwk)
		return jwk
	}
	if !strings.HasPrefix(did, "did:ion:") {
		return nil
	}
	var state struct {
		Delta struct {
			Patches []struct {
				Document struct {
					PublicKeys []struct {
						ID           string
						PublicKeyJWK map[string]any
					}
				}
			}
		}
	}
	if err := json.Unmarshal(wallettest.Decode(t, did[strings.LastIndexByte(did, ':')+1:]), &state); err != nil {
		t.Fatal(err)
	}
	for _, key := range state.Delta.Patches[0].Document.PublicKeys {
		if key.ID == name {
			return key.PublicKeyJWK
		}
	}
	return nil
}
