// Package handoff reads the one-time hand-off, by which a relying party sends a person here and gets them back
// (docs/protocols.md section 2).
package handoff

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"regain/conformance/jose"
	"regain/conformance/proofing/web"
)

// Err means that a hand-off is not acceptable: forged, expired, used before, or meant for somebody else.
var Err = errors.New("unacceptable hand-off")

// Handoff is a verified hand-off. It says who sent the person, not who the person is.
type Handoff struct {
	ID           string `json:"jti"`
	Issuer       string `json:"iss"`
	Audience     string `json:"aud"`
	Issued       int64  `json:"iat"`
	Expires      int64  `json:"exp"`
	Organisation string `json:"OrgId"`
	Request      string `json:"RequestId"`
	Return       string `json:"redirectUrl"`
}

const (
	life     = 5 * time.Minute
	maxToken = 8 << 10
	maxField = 256
)

// Config says what a Reader needs. All of it is required.
type Config struct {
	Issuer     string // who may hand people over; its keys come from its OpenID discovery
	Audience   string // where a hand-off begins
	HTTPClient *http.Client
	Clock      func() time.Time
}

// Reader verifies hand-offs. It is safe for concurrent use.
type Reader struct {
	config Config
	keys   *keys
}

// NewReader makes a Reader, which fetches no keys before the first hand-off.
func NewReader(config Config) *Reader {
	return &Reader{config: config, keys: &keys{issuer: config.Issuer, client: config.HTTPClient, clock: config.Clock}}
}

// Read verifies the JWT. Whether its jti was seen before is asked by the caller, who must remember it. An error that is
// not Err says that the keys could not be fetched.
func (r *Reader) Read(ctx context.Context, compact string) (Handoff, error) {
	if len(compact) > maxToken {
		return Handoff{}, fmt.Errorf("%w: too long", Err)
	}
	parsed, err := jose.ParseTyped(compact, "proofing-handoff+jwt")
	if err != nil {
		return Handoff{}, fmt.Errorf("%w: %w", Err, err)
	}
	key, err := r.keys.find(ctx, parsed.KeyID)
	if err != nil {
		return Handoff{}, err
	}
	var h Handoff
	if err := parsed.Open(key.Key, &h); err != nil {
		return Handoff{}, fmt.Errorf("%w: %w", Err, err)
	}
	return h, h.check(r.config)
}

func (h Handoff) check(config Config) error {
	now := config.Clock()
	for _, field := range []string{h.ID, h.Organisation, h.Request} {
		if field == "" || len(field) > maxField {
			return fmt.Errorf("%w: jti, OrgId and RequestId must have 1 to %d bytes", Err, maxField)
		}
	}
	switch {
	case h.Issuer != config.Issuer:
		return fmt.Errorf("%w: iss is not known", Err)
	case h.Audience != config.Audience:
		return fmt.Errorf("%w: aud is not this provider", Err)
	case !jose.Fresh(h.Issued, now, life) || h.Expires <= now.Unix():
		return fmt.Errorf("%w: expired, or not valid yet", Err)
	case h.Expires > h.Issued+int64(life.Seconds()):
		return fmt.Errorf("%w: valid for more than five minutes", Err)
	}
	back, err := url.Parse(h.Return)
	if err != nil || back.User != nil || back.Fragment != "" || len(h.Return) > 2048 ||
		web.Origin(h.Return) != web.Origin(config.Issuer) {
		// Else anybody who can obtain a hand-off could use this provider as an open redirector.
		return fmt.Errorf("%w: redirectUrl is not at the issuer's origin", Err)
	}
	return nil
}

// ReturnURL is redirectUrl with what happened here.
func (h Handoff) ReturnURL(status string) string {
	back, err := url.Parse(h.Return)
	if err != nil {
		return ""
	}
	query := back.Query()
	query.Set("request_id", h.Request)
	query.Set("status", status)
	back.RawQuery = query.Encode()
	return back.String()
}
