package identity

import (
	"crypto"
	"crypto/ecdsa"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
)

// Web is our did:web, and makes the documents that wallets fetch from us to resolve and verify it. Host and path in
// the DID must be the issuer's, since wallets fetch the DID document from there (did:web Method Specification, Read).
type Web struct {
	DID    string
	KeyID  string // fragment of the key's verification method, without #
	Origin string // the issuer, such as https://recover.example.org; with a path the DID has it too
	Key    crypto.Signer
}

// IsOurs reports whether wallets fetch the document of the DID from the issuer's host, below its path. The colon before a
// port is percent-encoded in a did:web, and colons stand in place of the path's slashes.
func (w Web) IsOurs() bool {
	u, err := url.Parse(w.Origin)
	return err == nil && u.Host != "" && w.DID == "did:web:"+strings.ReplaceAll(u.Host, ":", "%3A")+strings.ReplaceAll(u.EscapedPath(), "/", ":")
}

// origin is the linked domain: an origin has no path.
func (w Web) origin() string {
	u, err := url.Parse(w.Origin)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func (w Web) check() error {
	if !w.IsOurs() {
		return fmt.Errorf("client_id %s: its document would be fetched from another address than below %s", w.DID, w.Origin)
	}
	return checkKey(w.Key)
}

// Document returns the DID document, for /.well-known/did.json, or did.json below the path of the issuer. It has one key, which signs requests and the Domain
// Linkage Credential, and the linked domain (DIF Well Known DID Configuration, Linked Domain Service Endpoint).
func (w Web) Document() ([]byte, error) {
	if err := w.check(); err != nil {
		return nil, err
	}
	public, _ := w.Key.Public().(*ecdsa.PublicKey)
	method := w.DID + "#" + w.KeyID
	return json.Marshal(map[string]any{
		"@context": []string{"https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"},
		"id":       w.DID,
		"verificationMethod": []any{map[string]any{
			"id": method, "type": "JsonWebKey2020", "controller": w.DID, "publicKeyJwk": jose.JSONWebKey{Key: public},
		}},
		"authentication":  []string{method},
		"assertionMethod": []string{method},
		"service": []any{map[string]any{
			"id": w.DID + "#linkeddomains", "type": "LinkedDomains", "serviceEndpoint": map[string]any{"origins": []string{w.origin() + "/"}},
		}},
	})
}

// linkageLife is the lifetime of a Domain Linkage Credential. A new one is made for every fetch.
const linkageLife = 30 * 24 * time.Hour

// Configuration returns the DID Configuration Resource, for /.well-known/did-configuration.json: a Domain Linkage
// Credential, by which the DID names its origin (DIF Well Known DID Configuration, Domain Linkage Credential). A wallet
// that finds it shows the domain of a request as verified.
func (w Web) Configuration(now time.Time) ([]byte, error) {
	if err := w.check(); err != nil {
		return nil, err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: cryptosigner.Opaque(w.Key)},
		(&jose.SignerOptions{}).WithHeader("kid", w.DID+"#"+w.KeyID)) // without typ (DIF Well Known DID Configuration, JSON Web Token Proof Format)
	if err != nil {
		return nil, fmt.Errorf("did:web: %w", err)
	}
	expires := now.Add(linkageLife)
	payload, err := json.Marshal(map[string]any{
		"iss": w.DID, "sub": w.DID, "nbf": now.Unix(), "exp": expires.Unix(),
		"vc": map[string]any{
			"@context":          []string{"https://www.w3.org/2018/credentials/v1", "https://identity.foundation/.well-known/did-configuration/v1"},
			"type":              []string{"VerifiableCredential", "DomainLinkageCredential"},
			"issuer":            w.DID,
			"issuanceDate":      now.UTC().Format(time.RFC3339),
			"expirationDate":    expires.UTC().Format(time.RFC3339),
			"credentialSubject": map[string]any{"id": w.DID, "origin": w.origin() + "/"},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("did:web: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return nil, fmt.Errorf("did:web: %w", err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		return nil, fmt.Errorf("did:web: %w", err)
	}
	return json.Marshal(map[string]any{
		"@context": "https://identity.foundation/.well-known/did-configuration/v1", "linked_dids": []string{compact},
	})
}
