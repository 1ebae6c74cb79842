package wallet

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
)

// clientMetadata is what a request says about its verifier (OpenID4VP 1.0 §5.1, §11.1).
type clientMetadata struct {
	JWKS struct {
		Keys []json.RawMessage `json:"keys"`
	} `json:"jwks"`
	Encodings []string `json:"encrypted_response_enc_values_supported"`
	Formats   map[string]struct {
		KeyBinding []string `json:"kb-jwt_alg_values"`
		Issuer     []string `json:"sd-jwt_alg_values"`
	} `json:"vp_formats_supported"`
}

// envelope is how the answer has to be encrypted (§8.3).
type envelope struct {
	key *ecdh.PublicKey
	kid string
	enc string
}

// envelope takes the first key and the first encoding that the wallet can use.
func (m *clientMetadata) envelope() (envelope, error) {
	if m == nil {
		return envelope{}, turnDown("invalid_request", "client_metadata is missing")
	}
	format, ok := m.Formats[sdJWTFormat]
	if !ok || (format.KeyBinding != nil && !contains(format.KeyBinding, "ES256")) {
		return envelope{}, turnDown("vp_formats_not_supported", "vp_formats_supported does not take dc+sd-jwt with ES256")
	}
	kids := map[string]bool{}
	var chosen *envelope
	for _, raw := range m.JWKS.Keys {
		var key jose.JSONWebKey
		if err := json.Unmarshal(raw, &key); err != nil {
			continue // a kind of key this wallet does not know may well be there for others
		}
		if key.KeyID == "" || kids[key.KeyID] {
			return envelope{}, turnDown("invalid_request", "a key of the verifier has no kid, or the kid of another")
		}
		kids[key.KeyID] = true
		if !key.IsPublic() {
			return envelope{}, turnDown("invalid_request", "client_metadata holds a private key")
		}
		if public := agreementKey(key); public != nil && chosen == nil {
			chosen = &envelope{key: public, kid: key.KeyID}
		}
	}
	if chosen == nil {
		return envelope{}, turnDown("invalid_request", "%w", errNoKey)
	}
	chosen.enc = m.encoding()
	if chosen.enc == "" {
		return envelope{}, turnDown("invalid_request", "no offered enc is one this wallet can do")
	}
	return *chosen, nil
}

func (m *clientMetadata) encoding() string {
	if m.Encodings == nil {
		return "A128GCM" // the default, §5.1
	}
	for _, enc := range m.Encodings {
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

// seal writes the JWE: ECDH-ES direct key agreement (RFC 7518 §4.6) and AES-GCM (§5.3). go-jose
// cannot send apu and apv, and a verifier has to accept any, so they are sent and random.
func (e envelope) seal(plaintext []byte, random io.Reader) (string, error) {
	ephemeral, err := ecdh.P256().GenerateKey(random)
	if err != nil {
		return "", fmt.Errorf("making an ephemeral key: %w", err)
	}
	parties := make([]byte, 32)
	if _, err := io.ReadFull(random, parties); err != nil {
		return "", fmt.Errorf("reading randomness: %w", err)
	}
	apu, apv := parties[:16], parties[16:]
	secret, err := ephemeral.ECDH(e.key)
	if err != nil {
		return "", fmt.Errorf("agreeing on a key: %w", err)
	}
	header, err := e.header(ephemeral.PublicKey(), apu, apv)
	if err != nil {
		return "", err
	}
	block, err := aes.NewCipher(deriveKey(secret, e.enc, apu, apv))
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

func (e envelope) header(epk *ecdh.PublicKey, apu, apv []byte) (string, error) {
	b64 := base64.RawURLEncoding.EncodeToString
	point := epk.Bytes() // 0x04, x, y
	raw, err := json.Marshal(map[string]any{
		"alg": "ECDH-ES", "enc": e.enc, "kid": e.kid, "apu": b64(apu), "apv": b64(apv),
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

func contains(list []string, want string) bool {
	for _, s := range list {
		if s == want {
			return true
		}
	}
	return false
}
