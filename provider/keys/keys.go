// Package keys holds the signing keys of the OpenID provider, publishes them at its jwks_uri and signs JWTs with them.
// Every JWT that this server signs names its kind in the `typ` header, so that one kind is never accepted as another (RFC
// 8725 §3.11).
//
// A key ring is a PEM file with one or more private keys. A key is followed by its certificate if a client requires `x5c`,
// and has its dates in PEM headers:
//
//	-----BEGIN PRIVATE KEY-----
//	Signs-From: 2026-11-24T12:00:00Z         published at once, signs from then on; absent: signs at once
//	Published-Until: 2026-12-24T12:00:00Z    absent: until it is removed
//
// In place of a private key a ring may name one in a PKCS#11 token, which never leaves it: a block of the type PKCS11 URI,
// with the same dates, whose content is an URI of RFC 7512. `regain keys rotate FILE --pkcs11 URI` writes it.
//
//	pkcs11:token=regain;object=signing-2026?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/regain/token.pin
//
// For each algorithm, the key with the latest Signs-From that has passed signs. [Rotate] adds a key so that every verifier
// has fetched it before it signs, and retires its predecessor only when the last token that it signed has expired (OpenID
// Connect Core 1.0 §10.1.1).
package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"

	"regain/internal/publickey"
	"regain/provider/jwa"
)

// Key is a private key with its dates.
type Key struct {
	Private        crypto.Signer       // *ecdsa.PrivateKey on P-256, *rsa.PrivateKey of 2048 bits or more, ed25519.PrivateKey, or *TokenKey of the first two
	SignsFrom      time.Time           // zero: at once
	PublishedUntil time.Time           // zero: always
	Certificates   []*x509.Certificate // published as x5c, leaf first; may be empty

	signer     jose.OpaqueSigner
	public     jose.JSONWebKey
	algorithms []jose.SignatureAlgorithm
}

// prepare derives the public key and the algorithms from the private key. It returns an error for keys that no
// supported algorithm uses.
func (k *Key) prepare() error {
	if k.Private == nil {
		return errors.New("signing key: is missing")
	}
	if err := k.findAlgorithms(); err != nil {
		return err
	}
	k.public = jose.JSONWebKey{Key: k.Private.Public(), Use: "sig", Certificates: k.Certificates}
	if len(k.algorithms) == 1 {
		k.public.Algorithm = string(k.algorithms[0])
	}
	bare := jose.JSONWebKey{Key: k.public.Key}
	thumbprint, err := bare.Thumbprint(crypto.SHA256)
	if err != nil {
		return fmt.Errorf("signing key: thumbprint: %w", err)
	}
	k.public.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	if len(k.Certificates) > 0 && !publickey.Equal(k.Certificates[0].PublicKey, k.public.Key) {
		return errors.New("signing key: the certificate after it is another key's")
	}
	k.signer = cryptosigner.Opaque(saltOfHashLength{k.Private})
	return nil
}

// findAlgorithms returns an error for keys that no supported algorithm uses.
func (k *Key) findAlgorithms() error {
	var public crypto.PublicKey
	switch key := k.Private.(type) {
	case *ecdsa.PrivateKey:
		if key != nil {
			public = &key.PublicKey
		} else {
			public = (*ecdsa.PublicKey)(nil)
		}
	case *rsa.PrivateKey:
		if key != nil {
			public = &key.PublicKey
		} else {
			public = (*rsa.PublicKey)(nil)
		}
	case ed25519.PrivateKey:
		k.algorithms = []jose.SignatureAlgorithm{jose.EdDSA}
		return nil
	case *TokenKey:
		if err := key.prepare(); err != nil {
			return err
		}
		public = key.Public()
	default:
		return fmt.Errorf("signing key: a %T cannot be used; use EC on P-256, RSA or Ed25519", k.Private)
	}
	switch public := public.(type) {
	case *ecdsa.PublicKey:
		if public == nil || public.Curve != elliptic.P256() {
			return errors.New("signing key: EC keys must be on P-256")
		}
		k.algorithms = []jose.SignatureAlgorithm{jose.ES256}
	case *rsa.PublicKey:
		if public == nil || !publickey.Strong(public) {
			return fmt.Errorf("signing key: RSA keys must have %d bits at least", publickey.MinRSABits)
		}
		// One key serves both algorithms, so its JWK has no alg, which RFC 7517 §4.4 allows.
		k.algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.PS256}
	default:
		return fmt.Errorf("signing key: a token's %T cannot be used; use EC on P-256 or RSA", public)
	}
	return nil
}

// canSign reports whether the key can sign with alg.
func (k *Key) canSign(alg jose.SignatureAlgorithm) bool {
	for _, a := range k.algorithms {
		if a == alg {
			return true
		}
	}
	return false
}

// Generate returns a new P-256 key.
func Generate(random io.Reader) (*ecdsa.PrivateKey, error) {
	return ecdsa.GenerateKey(elliptic.P256(), random)
}

// GenerateFor returns a new key for an algorithm: ES256, RS256 or PS256 (3072 bits), or EdDSA.
func GenerateFor(alg jose.SignatureAlgorithm, random io.Reader) (crypto.Signer, error) {
	const rsaBits = 3072
	switch alg {
	case jose.ES256:
		return Generate(random)
	case jose.RS256, jose.PS256:
		return rsa.GenerateKey(random, rsaBits)
	case jose.EdDSA:
		_, key, err := ed25519.GenerateKey(random)
		return key, err
	}
	return nil, fmt.Errorf("algorithm %q: use %s", alg, jwa.Cure(jwa.All()))
}

// GenerateRing returns a ring with one new key for each algorithm.
func GenerateRing(random io.Reader, algorithms ...jose.SignatureAlgorithm) ([]Key, error) {
	list := make([]Key, 0, len(algorithms))
	for _, alg := range algorithms {
		key, err := GenerateFor(alg, random)
		if err != nil {
			return nil, err
		}
		list = append(list, Key{Private: key})
	}
	return list, nil
}
