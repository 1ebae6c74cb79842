// Package jwe encrypts answers to a verifier, and opens request objects that a verifier encrypted
// to the wallet (OpenID4VP 1.0 §8.3, §5.10): ECDH-ES with P-256 and AES-GCM in both directions.
package jwe

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
)

// Recipient is whom an answer is encrypted to, and how. Only Choose makes one.
type Recipient struct {
	key        *ecdh.PublicKey
	kid        string
	enc        string
	thumbprint []byte
}

// Encodings are the content encryptions the wallet can do.
func Encodings() []string { return []string{"A128GCM", "A192GCM", "A256GCM"} }

// Choose takes the first key and the first encoding of the verifier's that the wallet can use.
// Keys of kinds it does not know are passed over: they are there for other wallets (RFC 7517 §5).
// Without a list of encodings, A128GCM is meant (§5.1).
func Choose(keys []json.RawMessage, encodings []string) (Recipient, error) {
	kids := map[string]bool{}
	var chosen *Recipient
	for _, raw := range keys {
		var key jose.JSONWebKey
		if err := json.Unmarshal(raw, &key); err != nil {
			continue
		}
		if key.KeyID == "" || kids[key.KeyID] {
			return Recipient{}, errors.New("a key of the verifier has no kid, or the kid of another")
		}
		kids[key.KeyID] = true
		if !key.IsPublic() {
			return Recipient{}, errors.New("client_metadata holds a private key")
		}
		if public := agreementKey(key); public != nil && chosen == nil {
			thumbprint, err := key.Thumbprint(crypto.SHA256)
			if err != nil {
				continue
			}
			chosen = &Recipient{key: public, kid: key.KeyID, thumbprint: thumbprint}
		}
	}
	if chosen == nil {
		return Recipient{}, errors.New("client_metadata offers no ECDH-ES key on P-256 for encryption")
	}
	chosen.enc = firstEncoding(encodings)
	if chosen.enc == "" {
		return Recipient{}, errors.New("no offered enc is one this wallet can do")
	}
	return *chosen, nil
}

func firstEncoding(offered []string) string {
	if offered == nil {
		return "A128GCM"
	}
	for _, enc := range offered {
		if keyBytes(enc) != 0 {
			return enc
		}
	}
	return ""
}

// agreementKey returns the key if it is for ECDH-ES on P-256 and not marked for something else.
func agreementKey(key jose.JSONWebKey) *ecdh.PublicKey {
	public, ok := key.Key.(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() || key.Algorithm != string(jose.ECDH_ES) {
		return nil
	}
	if key.Use != "" && key.Use != "enc" {
		return nil
	}
	agreement, err := public.ECDH()
	if err != nil {
		return nil
	}
	return agreement
}

func keyBytes(enc string) int {
	switch enc {
	case "A128GCM":
		return 16
	case "A192GCM":
		return 24
	case "A256GCM":
		return 32
	}
	return 0
}

// Thumbprint is the key's RFC 7638 thumbprint, which an mdoc's session transcript names.
func (r Recipient) Thumbprint() []byte { return r.thumbprint }

// WithUnknownKeyID is the same recipient under a kid that the verifier did not offer, for tests of
// verifiers.
func (r Recipient) WithUnknownKeyID() Recipient {
	r.kid = "not-" + r.kid
	return r
}

// Seal writes the JWE: ECDH-ES direct key agreement (RFC 7518 §4.6) and AES-GCM (§5.3). go-jose
// cannot send apu and apv, and a verifier has to accept any, so they are sent and random.
func (r Recipient) Seal(plaintext []byte, random io.Reader) (string, error) {
	ephemeral, err := ecdh.P256().GenerateKey(random)
	if err != nil {
		return "", fmt.Errorf("making an ephemeral key: %w", err)
	}
	parties := make([]byte, 32)
	if _, err := io.ReadFull(random, parties); err != nil {
		return "", fmt.Errorf("reading randomness: %w", err)
	}
	apu, apv := parties[:16], parties[16:]
	secret, err := ephemeral.ECDH(r.key)
	if err != nil {
		return "", fmt.Errorf("agreeing on a key: %w", err)
	}
	header, err := r.header(ephemeral.PublicKey(), apu, apv)
	if err != nil {
		return "", err
	}
	block, err := aes.NewCipher(deriveKey(secret, r.enc, apu, apv))
	if err != nil {
		return "", fmt.Errorf("making a cipher: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return "", fmt.Errorf("making a cipher: %w", err)
	}
	iv := make([]byte, gcm.NonceSize())
	if _, err := io.ReadFull(random, iv); err != nil {
		return "", fmt.Errorf("reading randomness: %w", err)
	}
	sealed := gcm.Seal(nil, iv, plaintext, []byte(header))
	text, tag := sealed[:len(sealed)-gcm.Overhead()], sealed[len(sealed)-gcm.Overhead():]
	b64 := base64.RawURLEncoding.EncodeToString
	return header + ".." + b64(iv) + "." + b64(text) + "." + b64(tag), nil
}

func (r Recipient) header(epk *ecdh.PublicKey, apu, apv []byte) (string, error) {
	b64 := base64.RawURLEncoding.EncodeToString
	point := epk.Bytes() // 0x04, x, y
	raw, err := json.Marshal(map[string]any{
		"alg": "ECDH-ES", "enc": r.enc, "kid": r.kid, "apu": b64(apu), "apv": b64(apv),
		"epk": map[string]string{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])},
	})
	if err != nil {
		return "", fmt.Errorf("encoding the header: %w", err)
	}
	return b64(raw), nil
}

// deriveKey is the Concat KDF of RFC 7518 §4.6.2. One round of SHA-256 is enough for every enc here.
func deriveKey(secret []byte, enc string, apu, apv []byte) []byte {
	h := sha256.New()
	h.Write([]byte{0, 0, 0, 1})
	h.Write(secret)
	for _, part := range [][]byte{[]byte(enc), apu, apv} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		h.Write(part)
	}
	h.Write(binary.BigEndian.AppendUint32(nil, uint32(keyBytes(enc)*8)))
	return h.Sum(nil)[:keyBytes(enc)]
}
