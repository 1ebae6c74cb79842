// Package requestobject verifies request objects: authorization requests signed by the client (RFC 9101, FAPI 2.0 Message
// Signing §5.3). Only the parameters in the object are used, not those beside it (RFC 9101 §5).
//
// Request objects are accepted by value only, at the PAR endpoint and the authorization endpoint. Nothing is fetched from
// a request_uri of the client, which would allow server-side request forgery (RFC 9101 §10.4).
package requestobject

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	rawmessage "github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/internal/clock"
	"regain/internal/publickey"
	"regain/internal/strictjson"
	"regain/provider/clients"
)

const (
	maxLength = 32 << 10
	maxDepth  = 16

	// FAPI 2.0 Message Signing §5.3.1: nbf at most an hour ago, exp at most an hour after nbf.
	maxAge  = time.Hour
	maxLife = time.Hour
)

// ErrUnregistered means that the client registered no algorithm for request objects, so they are not supported for
// it.
var ErrUnregistered = errors.New("the client registered no request_object_signing_alg")

// Expect holds what a request object is verified against.
type Expect struct {
	Client *clients.Client
	Keys   *clients.KeySource // keys of the client
	Issuer string             // the audience
	Now    time.Time
}

// claims are the object's JWT claims and client_id; the other members are request parameters.
type claims struct {
	jwt.Claims
	ClientID string `json:"client_id"`
}

// reserved reports whether a member is a JWT claim and not a request parameter.
func reserved(name string) bool {
	switch name {
	case "iss", "aud", "exp", "nbf", "iat", "jti", "sub":
		return true
	}
	return false
}

// Verify checks the object's signature, audience and times, and returns the authorization request in it. An error of
// the key source means that the keys are unavailable, not that the object is invalid.
func Verify(ctx context.Context, object string, e Expect) (url.Values, error) {
	alg := e.Client.RequestObjectAlgorithm
	if alg == "" {
		return nil, ErrUnregistered
	}
	if len(object) > maxLength {
		return nil, errors.New("request object: is too long")
	}
	token, err := publickey.ParseToken(object, []jose.SignatureAlgorithm{alg})
	if err != nil {
		return nil, fmt.Errorf("request object: parse (%s is registered): %w", alg, err)
	}
	if err := checkType(token.Headers[0]); err != nil {
		return nil, err
	}
	if err := e.Keys.Verify(ctx, token, e.Client); err != nil {
		return nil, fmt.Errorf("request object: %w", err)
	}
	members, err := membersOf(token)
	if err != nil {
		return nil, fmt.Errorf("request object: %w", err)
	}
	var own claims
	if err := token.UnsafeClaimsWithoutVerification(&own); err != nil { // verified above
		return nil, fmt.Errorf("request object: read claims: %w", err)
	}
	if err := own.check(e); err != nil {
		return nil, fmt.Errorf("request object: %w", err)
	}
	return parameters(members)
}

// checkType refuses JWTs of another kind (RFC 9101 §10.8). It allows an absent typ and the generic JWT, since RFC
// 9101 §4 leaves the explicit type to the client.
func checkType(header jose.Header) error {
	said, present := header.ExtraHeaders[jose.HeaderType]
	typ, _ := said.(string) // "" for what is no text: present, and no kind of JWT
	switch strings.ToLower(strings.TrimPrefix(typ, "application/")) {
	case "oauth-authz-req+jwt", "jwt":
		return nil
	case "":
		if !present {
			return nil
		}
	}
	return fmt.Errorf("request object: typ %.40q is another kind of JWT", typ)
}

// membersOf parses the payload strictly: this server and the signer could interpret a duplicate name differently.
func membersOf(token *jwt.JSONWebToken) (map[string]any, error) {
	var payload rawmessage.RawMessage
	if err := token.UnsafeClaimsWithoutVerification(&payload); err != nil { // verified by the caller
		return nil, err
	}
	return strictjson.Object(payload, maxDepth)
}

// check compares the claims with e. FAPI 2.0 Message Signing §5.3.1 requires each of them, of every client of a FAPI
// profile that sends objects: without nbf and exp an object that leaked is good for ever. OpenID Connect Core 1.0 §6.1
// allows them to be absent, but not wrong.
func (c claims) check(e Expect) error {
	strict := e.Client.Profile.FAPI()
	switch {
	case c.Issuer != e.Client.ID && (strict || c.Issuer != ""):
		return errors.New("iss is not the client id")
	case c.ClientID != "" && c.ClientID != e.Client.ID:
		return errors.New("client_id is another client's")
	case c.Subject == e.Client.ID:
		return errors.New("sub is the client id, as in a client assertion") // RFC 9101 §10.8
	case !c.Audience.Contains(e.Issuer) && (strict || len(c.Audience) > 0):
		return errors.New("aud does not name the issuer")
	case c.Expiry == nil && strict:
		return errors.New("exp is missing")
	case c.Expiry != nil && clock.Over(c.Expiry.Time(), e.Now):
		return errors.New("exp is past")
	case c.NotBefore == nil && strict:
		return errors.New("nbf is missing")
	case clock.Clients.InFuture(c.NotBefore.Time(), e.Now): // a date that is absent is long ago
		return errors.New("nbf is in the future")
	case clock.Clients.InFuture(c.IssuedAt.Time(), e.Now):
		return errors.New("iat is in the future")
	case strict && e.Now.Sub(c.NotBefore.Time()) > maxAge:
		return errors.New("nbf is more than an hour ago")
	case strict && c.Expiry.Time().Sub(c.NotBefore.Time()) > maxLife:
		return errors.New("exp is more than an hour after nbf")
	}
	return nil
}

// parameters converts the members to a form as in a request without an object: strings unchanged, all else as JSON.
func parameters(members map[string]any) (url.Values, error) {
	form := make(url.Values, len(members))
	for name, member := range members {
		switch {
		case reserved(name):
			continue
		case name == "request" || name == "request_uri":
			return nil, errors.New("request object: holds another request object") // RFC 9101 §4
		}
		switch value := member.(type) {
		case string:
			form.Set(name, value)
		case nil: // absent
		default:
			text, err := json.Marshal(value)
			if err != nil {
				return nil, fmt.Errorf("request object: parameter %.40q: %w", name, err)
			}
			form.Set(name, string(text))
		}
	}
	return form, nil
}
