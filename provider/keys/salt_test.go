package keys_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/provider/keys"
)

// TestPS256SaltHasTheLengthOfTheHash holds RFC 7518 §3.5 as the verifiers of other languages do: Go's own takes any length.
func TestPS256SaltHasTheLengthOfTheHash(t *testing.T) {
	key := generate(t, jose.PS256)
	r, err := keys.NewRing([]keys.Key{{Private: generate(t, jose.ES256)}, {Private: key}}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	token, err := r.MintWith(jose.PS256, "JWT", map[string]any{"iss": "https://regain.example"})
	if err != nil {
		t.Fatal(err)
	}
	dot := strings.LastIndex(token, ".")
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(token[:dot]))
	if err := rsa.VerifyPSS(key.Public().(*rsa.PublicKey), crypto.SHA256, digest[:], signature, &rsa.PSSOptions{SaltLength: sha256.Size}); err != nil {
		t.Errorf("with a salt of %d octets: %v", sha256.Size, err)
	}
}
