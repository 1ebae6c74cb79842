package status

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"regain/internal/clock"
	"regain/verifier/internal/jws"
)

// The media type of a Status List Token, and its typ (Token Status List §5.1).
const (
	MediaType = "application/statuslist+jwt"
	tokenType = "statuslist+jwt" //nolint:gosec // a media type
)

// List is the content of a Status List Token.
type List struct {
	subject string
	bits    int
	entries string // compressed: zlib in base64url
	issued  time.Time
	expires time.Time // zero: never
	ttl     time.Duration
}

// life checks sub, iat and exp, and returns the list's ttl (Token Status List §8.3).
func (l List) life(uri string, now time.Time) (time.Duration, error) {
	switch {
	case l.subject != uri:
		return 0, errors.New("sub is not the list's URI")
	case clock.Issuers.InFuture(l.issued, now):
		return 0, errors.New("iat is in the future")
	case !l.expires.IsZero() && clock.Over(l.expires, now):
		return 0, errors.New("list has expired")
	}
	return l.ttl, nil
}

// Parse parses a Status List Token. It does not verify its signature, and does not decompress the list.
func Parse(compact string) (jws.JWS, List, error) {
	token, err := jws.ParseInsecure(compact, tokenType)
	if err != nil {
		return jws.JWS{}, List{}, err
	}
	list, err := readList(token.Payload)
	return token, list, err
}

func readList(payload map[string]any) (List, error) {
	var l List
	issued, err := jws.NumericDate(payload["iat"])
	if err != nil {
		return l, fmt.Errorf("iat: %w", err)
	}
	l.issued = time.Unix(issued, 0)
	if value, there := payload["exp"]; there {
		expires, err := jws.NumericDate(value)
		if err != nil {
			return l, fmt.Errorf("exp: %w", err)
		}
		l.expires = time.Unix(expires, 0)
	}
	if value, there := payload["ttl"]; there {
		seconds, err := jws.NumericDate(value)
		if err != nil || seconds == 0 {
			return l, fmt.Errorf("%w: ttl is not a positive number", jws.ErrMalformed)
		}
		const year = 365 * 24 * 3600
		l.ttl = time.Duration(min(seconds, year)) * time.Second
	}
	l.subject, _ = payload["sub"].(string)
	content, _ := payload["status_list"].(map[string]any)
	number, _ := content["bits"].(json.Number)
	switch number.String() {
	case "1", "2", "4", "8":
		l.bits = int(number.String()[0] - '0')
	default:
		return l, fmt.Errorf("%w: bits is not 1, 2, 4 or 8", jws.ErrMalformed)
	}
	if l.entries, _ = content["lst"].(string); l.entries == "" {
		return l, fmt.Errorf("%w: lst is not a string", jws.ErrMalformed)
	}
	return l, nil
}
