package jwtvc

import (
	"time"

	"regain/conformance/jose"
)

// The contexts of what is served. Readers of JSON-LD process them.
const (
	didV1           = "https://www.w3.org/ns/did/v1"
	jws2020V1       = "https://w3id.org/security/suites/jws-2020/v1"
	configurationV1 = "https://identity.foundation/.well-known/did-configuration/v1"
)

// linkLife is how long the domain vouches for the DID before the file has to be fetched again.
const linkLife = 30 * 24 * time.Hour

// Document is the DID document (W3C DID Core 1.0 §5): the key that speaks for the issuer, and the domain that it calls
// its own.
func (i *Issuer) Document() map[string]any {
	return map[string]any{
		"@context": []string{didV1, jws2020V1},
		"id":       i.DID,
		"verificationMethod": []any{map[string]any{
			"id": i.kid(), "type": "JsonWebKey2020", "controller": i.DID, "publicKeyJwk": jose.JWK{Key: i.key.Public()},
		}},
		"assertionMethod": []string{i.kid()},
		"service": []any{map[string]any{
			"id": i.DID + "#domain", "type": "LinkedDomains", "serviceEndpoint": map[string]any{"origins": []string{i.config.BaseURL}},
		}},
	}
}

// Configuration is what the domain says of the DID (DIF Well Known DID Configuration): a credential of the DID about
// itself and the domain, as a JWT whose header has alg and kid and nothing else.
func (i *Issuer) Configuration(now time.Time) (map[string]any, error) {
	from := now.UTC().Truncate(time.Hour)
	until := from.Add(linkLife)
	linkage, err := i.sign(map[string]any{}, map[string]any{
		"iss": i.DID, "sub": i.DID, "nbf": from.Unix(), "exp": until.Unix(),
		"vc": map[string]any{
			"@context": []string{credentialsV1, configurationV1}, "type": []string{genericType, "DomainLinkageCredential"}, "issuer": i.DID,
			"issuanceDate": from.Format(time.RFC3339), "expirationDate": until.Format(time.RFC3339),
			"credentialSubject": map[string]any{"id": i.DID, "origin": i.config.BaseURL},
		},
	})
	if err != nil {
		return nil, err
	}
	return map[string]any{"@context": configurationV1, "linked_dids": []string{linkage}}, nil
}
