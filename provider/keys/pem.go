package keys

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/publickey"
)

// PEM headers with a key's dates, in RFC 3339.
const (
	headerSignsFrom      = "Signs-From"
	headerPublishedUntil = "Published-Until"
)

// ParsePEM parses one P-256 private key in PKCS #8 or SEC 1 form.
func ParsePEM(text []byte) (*ecdsa.PrivateKey, error) {
	list, err := ParseRing(text)
	if err != nil {
		return nil, err
	}
	key, ok := list[0].Private.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("private key is a %T: an EC key on P-256 is required", list[0].Private)
	}
	return key, nil
}

// ParseRing parses the keys of a ring file, in file order. Its errors never quote the text, which contains private
// keys.
func ParseRing(text []byte) ([]Key, error) {
	var list []Key
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		switch block.Type {
		case "CERTIFICATE":
			if len(list) == 0 {
				return nil, errors.New("a certificate stands before any private key: put it after its own")
			}
			certificate, err := publickey.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("certificate after key %d: %w", len(list), err)
			}
			last := &list[len(list)-1]
			last.Certificates = append(last.Certificates, certificate)
		case "PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY", blockToken:
			key, err := parseKey(block)
			if err != nil {
				return nil, fmt.Errorf("key %d: %w", len(list)+1, err)
			}
			list = append(list, key)
		case "EC PARAMETERS": // written by `openssl ecparam`; the key contains them too
		default:
			return nil, fmt.Errorf("a PEM block %q has no place among signing keys", block.Type)
		}
	}
	if len(list) == 0 {
		return nil, errors.New("no PEM block with a private key: make one with `regain keys rotate signing.pem`")
	}
	return list, nil
}

func parseKey(block *pem.Block) (Key, error) {
	var k Key
	var err error
	if k.Private, err = parseSigner(block); err != nil {
		return k, err
	}
	for name, text := range block.Headers {
		at, err := time.Parse(time.RFC3339, text)
		switch {
		case err != nil:
			return k, fmt.Errorf("header %s: not a time such as 2026-11-24T12:00:00Z", name)
		case name == headerSignsFrom:
			k.SignsFrom = at
		case name == headerPublishedUntil:
			k.PublishedUntil = at
		default:
			return k, fmt.Errorf("header %s is unknown: use %s and %s", name, headerSignsFrom, headerPublishedUntil)
		}
	}
	return k, nil
}

func parseSigner(block *pem.Block) (crypto.Signer, error) {
	if block.Type == blockToken {
		return parseToken(block)
	}
	parsed, err := parsePrivate(block)
	if err != nil {
		return nil, fmt.Errorf("parse private key: %w", err)
	}
	signer, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("private key is a %T, which cannot sign", parsed)
	}
	return signer, nil
}

func parsePrivate(block *pem.Block) (any, error) {
	switch block.Type {
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	}
	return x509.ParsePKCS8PrivateKey(block.Bytes)
}

// EncodeRing encodes a ring in the format of ParseRing.
func EncodeRing(list []Key) ([]byte, error) {
	var out bytes.Buffer
	for i, k := range list {
		block := &pem.Block{Headers: map[string]string{}}
		var err error
		if token, ok := k.Private.(*TokenKey); ok {
			block.Type, block.Bytes = blockToken, []byte(token.String())
		} else if block.Type, block.Bytes, err = encodePrivate(k.Private); err != nil {
			return nil, fmt.Errorf("encode key %d: %w", i+1, err)
		}
		if !k.SignsFrom.IsZero() {
			block.Headers[headerSignsFrom] = k.SignsFrom.UTC().Format(time.RFC3339)
		}
		if !k.PublishedUntil.IsZero() {
			block.Headers[headerPublishedUntil] = k.PublishedUntil.UTC().Format(time.RFC3339)
		}
		if err := pem.Encode(&out, block); err != nil {
			return nil, fmt.Errorf("encode key %d: %w", i+1, err)
		}
		for _, c := range k.Certificates {
			if err := pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}); err != nil {
				return nil, fmt.Errorf("encode certificate of key %d: %w", i+1, err)
			}
		}
	}
	return out.Bytes(), nil
}

func encodePrivate(key crypto.Signer) (kind string, der []byte, err error) {
	der, err = x509.MarshalPKCS8PrivateKey(key)
	return "PRIVATE KEY", der, err
}

// Rotation describes how a key is replaced.
type Rotation struct {
	Algorithm jose.SignatureAlgorithm
	New       crypto.Signer
	Now       time.Time
	Announce  time.Duration // how long the new key is published before it signs: longer than verifiers cache the JWK Set
	Overlap   time.Duration // how long the old key is published after it stops signing: longer than its tokens are valid
}

// Rotate returns the ring with a new key. The keys that signed with the algorithm so far get a Published-Until, and
// keys whose Published-Until has passed are removed. If no key signs with the algorithm yet, the new one signs at
// once.
func Rotate(list []Key, r Rotation) ([]Key, error) {
	fresh := Key{Private: r.New}
	if err := fresh.prepare(); err != nil {
		return nil, err
	}
	if !fresh.canSign(r.Algorithm) {
		return nil, fmt.Errorf("a %T cannot sign %s", r.New, r.Algorithm)
	}
	kept := make([]Key, 0, len(list)+1)
	for _, k := range slices.Clone(list) {
		if err := k.prepare(); err != nil {
			return nil, err
		}
		if !k.PublishedUntil.IsZero() && !r.Now.Before(k.PublishedUntil) {
			continue
		}
		if k.canSign(r.Algorithm) {
			fresh.SignsFrom = r.Now.Add(r.Announce).UTC().Truncate(time.Second)
			if k.PublishedUntil.IsZero() {
				k.PublishedUntil = fresh.SignsFrom.Add(r.Overlap)
			}
		}
		kept = append(kept, k)
	}
	return append([]Key{fresh}, kept...), nil
}
