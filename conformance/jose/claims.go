package jose

import (
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// Claims are the registered claims (RFC 7519 §4.1), times in seconds since 1970; nil for one that is not there.
type Claims struct {
	Issuer    string   `json:"iss,omitempty"`
	Subject   string   `json:"sub,omitempty"`
	Audience  Audience `json:"aud,omitempty"`
	ID        string   `json:"jti,omitempty"`
	IssuedAt  *int64   `json:"iat,omitempty"`
	NotBefore *int64   `json:"nbf,omitempty"`
	Expiry    *int64   `json:"exp,omitempty"`
}

// Audience is one string or a list of them (RFC 7519 §4.1.3).
type Audience []string

// UnmarshalJSON reads either.
func (a *Audience) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*a = Audience{one}
		return nil
	}
	var several []string
	err := json.Unmarshal(raw, &several)
	*a = several
	return err
}

// Check says why the claims are not by this issuer, for this audience, and of now. A clock is as right as another.
func (c Claims) Check(issuer, audience string, now time.Time) error {
	switch {
	case c.Issuer != issuer:
		return errors.New("iss is another issuer")
	case !slices.Contains(c.Audience, audience):
		return errors.New("aud is another audience")
	case c.Expiry == nil || now.Unix() >= *c.Expiry:
		return errors.New("it has expired")
	case c.NotBefore != nil && now.Unix() < *c.NotBefore, c.IssuedAt != nil && now.Unix() < *c.IssuedAt:
		return errors.New("it is not valid yet")
	}
	return nil
}

// ClientAssertion are the claims by which a client authenticates at an authorization server (RFC 7523 §3). The audience
// is the server's issuer, never an endpoint: an endpoint that lies about itself must not get one that is good
// elsewhere.
func ClientAssertion(client, issuer, id string, now time.Time) Claims {
	issued, expiry := now.Unix(), now.Add(time.Minute).Unix()
	return Claims{Issuer: client, Subject: client, Audience: Audience{issuer}, ID: id, IssuedAt: &issued, Expiry: &expiry}
}
