package did

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"regain/conformance/jose"
)

const (
	jwkPrefix  = "did:jwk:"
	jwkKeyName = "0" // the only one there is
)

// resolveJWK reads the key out of the identifier. A key for encryption signs nothing (did:jwk, Read).
func resolveJWK(did string) (Document, error) {
	raw, err := decode(strings.TrimPrefix(did, jwkPrefix))
	if err != nil {
		return Document{}, err
	}
	var key jose.JWK
	if err := json.Unmarshal(raw, &key); err != nil {
		return Document{}, fmt.Errorf("%w: it holds no public JWK", ErrDocument)
	}
	d := Document{ID: did, methods: []method{{name: jwkKeyName, key: key.Key}}}
	if key.Use != "enc" {
		d.asserts, d.authenticates = []string{jwkKeyName}, []string{jwkKeyName}
	}
	return d, nil
}

// decode reads base64url in its one spelling: without padding, stray bits and line breaks.
func decode(text string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || base64.RawURLEncoding.EncodedLen(len(raw)) != len(text) {
		return nil, fmt.Errorf("%w: it is not base64url", ErrDocument)
	}
	return raw, nil
}
