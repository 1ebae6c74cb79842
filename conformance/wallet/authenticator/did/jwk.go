package did

import (
	"encoding/base64"
	"fmt"
	"strings"

	"regain/conformance/wallet/authenticator/jws"
)

const (
	jwkPrefix  = "did:jwk:"
	jwkKeyName = "0" // the only one there is
)

// resolveJWK reads the key out of the identifier (did:jwk, Read).
func resolveJWK(did string) (Document, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimPrefix(did, jwkPrefix))
	if err != nil || strings.ContainsAny(did, "\r\n") { // the decoder skips line breaks
		return Document{}, fmt.Errorf("%w: it is not base64url", ErrDocument)
	}
	key, err := jws.ParseJWK(raw)
	if err != nil {
		return Document{}, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	return Document{ID: did, methods: []method{{name: jwkKeyName, key: key}}, asserts: []string{jwkKeyName}}, nil
}
