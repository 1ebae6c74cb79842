package publickey

import (
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/internal/strictjson"
)

// Bounds of a JWS.
const (
	maxToken    = 64 << 10
	headerDepth = 8
)

// ParseToken parses a compact JWT without verifying it. go-jose always parses the header's `jwk` and `x5c`, even if
// the caller does not use them; both are checked here first, within the bounds of keys and chains.
func ParseToken(text string, algorithms []jose.SignatureAlgorithm) (*jwt.JSONWebToken, error) {
	if len(text) > maxToken {
		return nil, fmt.Errorf("JWT: %w: %d characters; %d are the most", ErrBounds, len(text), maxToken)
	}
	encoded, _, _ := strings.Cut(text, ".")
	raw, err := decode(encoded)
	if err != nil {
		return nil, fmt.Errorf("JWT: %w: header is not base64url", ErrMalformed)
	}
	header, err := strictjson.Object(raw, headerDepth)
	if err != nil {
		return nil, fmt.Errorf("JWT: header: %w: %w", ErrMalformed, err)
	}
	if jwk, there := header["jwk"]; there {
		if _, err := joseKey(jwk); err != nil {
			return nil, fmt.Errorf("JWT: jwk: %w", err)
		}
	}
	if x5c, there := header["x5c"].([]any); there && len(x5c) > MaxChain {
		return nil, fmt.Errorf("JWT: x5c: %w: %d certificates; %d are the most", ErrBounds, len(x5c), MaxChain)
	}
	return jwt.ParseSigned(text, algorithms)
}
