package jose

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	strict "github.com/go-jose/go-jose/v4/json"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwe"
)

// ECDHES is the one key agreement, direct and on P-256 (RFC 7518 §4.6); Deflate the one compression (RFC 7516 §4.1.3).
const (
	ECDHES  = "ECDH-ES"
	Deflate = "DEF"
)

// ErrEncryption reports a JWE that cannot be opened here.
var ErrEncryption = errors.New("it is not a JWE to this key, of an accepted algorithm")

// Encodings are the content encryptions (RFC 7518 §5.3).
func Encodings() []string { return []string{"A128GCM", "A192GCM", "A256GCM"} }

// EncryptionKey opens what others encrypt to it.
type EncryptionKey struct {
	private *ecdsa.PrivateKey
	kid     string
}

// NewEncryptionKey makes a key under a random kid: a wallet makes one for each request, so that no verifier can follow
// it.
func NewEncryptionKey() (*EncryptionKey, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key for encryption: %w", err)
	}
	return &EncryptionKey{private: private, kid: rand.Text()}, nil
}

// Public is the key as metadata publish it.
func (k *EncryptionKey) Public() JWK {
	return JWK{Key: k.private.Public(), KeyID: k.kid, Algorithm: ECDHES, Use: "enc"}
}

// IsEncrypted reports whether the text has the five parts of a compact JWE.
func IsEncrypted(compact string) bool { return strings.Count(compact, ".") == 4 }

// Open decrypts a compact JWE to this key, which its header has to name.
func (k *EncryptionKey) Open(compact string) ([]byte, error) {
	plain, header, err := Decrypt(compact, k.private)
	if err == nil && header.KeyID != k.kid {
		return nil, fmt.Errorf("%w: its key was not offered", ErrEncryption)
	}
	return plain, err
}

// EncryptionHeader is the part of the header of a JWE that counterparts read.
type EncryptionHeader struct {
	Algorithm   string          `json:"alg"`
	Encoding    string          `json:"enc"`
	KeyID       string          `json:"kid"`
	Type        string          `json:"typ"`
	ContentType string          `json:"cty"`
	Zip         json.RawMessage `json:"zip"`
}

// Decrypt opens a compact JWE. One that says that it is compressed is refused: what a few bytes may swell to is known
// only afterwards.
func Decrypt(compact string, private *ecdsa.PrivateKey) ([]byte, EncryptionHeader, error) {
	segment, _, _ := strings.Cut(compact, ".")
	raw, err := base64.RawURLEncoding.DecodeString(segment)
	var header EncryptionHeader
	switch {
	case err != nil || strict.Unmarshal(raw, &header) != nil:
		return nil, header, fmt.Errorf("%w: its header is malformed", ErrEncryption)
	case header.Algorithm != ECDHES || !slices.Contains(Encodings(), header.Encoding):
		return nil, header, fmt.Errorf("%w: its algorithm or its encoding is another", ErrEncryption)
	case header.Zip != nil:
		return nil, header, fmt.Errorf("%w: it is compressed", ErrEncryption)
	}
	plain, err := jwe.Decrypt([]byte(compact), jwe.WithKey(jwa.ECDH_ES(), private))
	if err != nil {
		return nil, header, fmt.Errorf("%w: it cannot be decrypted", ErrEncryption)
	}
	return plain, header, nil
}

// Recipient is a public key on P-256 and how to encrypt to it, as credential_response_encryption has it (OpenID4VCI 1.0
// §8.2).
type Recipient struct {
	Key      JWK     `json:"jwk"`
	Encoding string  `json:"enc"`
	Zip      *string `json:"zip"` // DEF, nil for none
}

// ChooseRecipient takes the first key and the first encoding that can be used here. Keys of kinds that are not known
// are passed over: they are there for other wallets (RFC 7517 §5). Without a list of encodings, A128GCM is meant
// (OpenID4VP 1.0 §5.1).
func ChooseRecipient[JSON ~[]byte](keys []JSON, encodings []string) (Recipient, error) {
	kids := map[string]bool{}
	var chosen *Recipient
	for _, raw := range keys {
		var members struct {
			KeyID   string          `json:"kid"`
			Private json.RawMessage `json:"d"`
		}
		switch {
		case strict.Unmarshal(raw, &members) != nil:
			continue
		case members.KeyID == "" || kids[members.KeyID]:
			return Recipient{}, errors.New("a key of the verifier has no kid, or the kid of another")
		case members.Private != nil:
			return Recipient{}, errors.New("client_metadata holds a private key")
		}
		kids[members.KeyID] = true
		var key JWK
		if key.UnmarshalJSON(raw) != nil || chosen != nil {
			continue
		}
		if to := (Recipient{Key: key, Encoding: "A128GCM"}); to.Check() == nil {
			chosen = &to
		}
	}
	if chosen == nil {
		return Recipient{}, errors.New("client_metadata offers no ECDH-ES key on P-256 for encryption")
	}
	if encodings == nil {
		return *chosen, nil
	}
	at := slices.IndexFunc(encodings, func(offered string) bool { return slices.Contains(Encodings(), offered) })
	if at < 0 {
		return Recipient{}, errors.New("no offered enc is one this wallet can do")
	}
	chosen.Encoding = encodings[at]
	return *chosen, nil
}

// Check says why the recipient cannot be encrypted to, nil if it can.
func (r Recipient) Check() error {
	switch {
	case r.Key.Algorithm != ECDHES:
		return errors.New("the alg of the jwk is not ECDH-ES")
	case !IsP256(&r.Key):
		return errors.New("the jwk is no public P-256 key")
	case r.Key.Use != "" && r.Key.Use != "enc":
		return errors.New("the jwk is for something else")
	case !slices.Contains(Encodings(), r.Encoding):
		return errors.New("the enc is not supported")
	case r.Zip != nil && *r.Zip != Deflate:
		return errors.New("the zip is not supported")
	}
	return nil
}

// Seal writes a compact JWE with members of its header beside alg, enc, kid and zip. apu and apv are random: a
// recipient has to accept any (RFC 7518 §4.6.1.2).
func (r Recipient) Seal(plain []byte, header map[string]any) (string, error) {
	if err := r.Check(); err != nil {
		return "", fmt.Errorf("encrypting: %w", err)
	}
	protected := jwe.NewHeaders()
	err := errors.Join(protected.Set(jwe.AgreementPartyUInfoKey, []byte(rand.Text())), protected.Set(jwe.AgreementPartyVInfoKey, []byte(rand.Text())))
	if r.Key.KeyID != "" {
		err = errors.Join(err, protected.Set(jwe.KeyIDKey, r.Key.KeyID))
	}
	for name, value := range header {
		err = errors.Join(err, protected.Set(name, value))
	}
	encoding, known := jwa.LookupContentEncryptionAlgorithm(r.Encoding)
	if err != nil || !known {
		return "", fmt.Errorf("preparing the header of a JWE: %w", err)
	}
	options := []jwe.EncryptOption{
		jwe.WithKey(jwa.ECDH_ES(), r.Key.Key, jwe.WithPerRecipientHeaders(protected)), jwe.WithContentEncryption(encoding),
	}
	if r.Zip != nil {
		options = append(options, jwe.WithCompress(jwa.Deflate()))
	}
	sealed, err := jwe.Encrypt(plain, options...)
	if err != nil {
		return "", fmt.Errorf("encrypting: %w", err)
	}
	return string(sealed), nil
}
