package requests

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"regain/provider/claims"
	"regain/provider/clients"
	"regain/provider/problem"
	"regain/provider/remotekeys"
	"regain/provider/requestobject"
)

// Limits on single parameters.
const (
	maxHint   = 8 << 10
	maxNonce  = 1 << 10
	maxClaims = 16 << 10
	maxMaxAge = 100 * 365 * 24 * 3600 // seconds: 100 years
)

// placeholderState replaces the client's state in the form for the core, which requires one. The client gets its own
// state back.
const placeholderState = "state-is-kept-outside"

// What clean accepts of parameters that have other values elsewhere.
const (
	responseTypeCode = "code" // the core accepts no other (RFC 9700 §2.1.2)
	challengeMethod  = "S256"
)

// forCore returns the parameters that the core may see. All others are handled by this package or ignored, as unknown
// parameters must be (RFC 6749 §3.1).
func forCore() []string {
	return []string{"client_id", "response_type", "redirect_uri", "scope", "nonce", "code_challenge", "code_challenge_method"}
}

// AuthnRequirements holds a request's requirements on the authentication (OpenID Connect Core 1.0 §3.1.2.1).
type AuthnRequirements struct {
	Silent bool   `json:"silent,omitempty"`  // prompt=none: no page may be shown
	Fresh  bool   `json:"fresh,omitempty"`   // prompt=login, consent or select_account, or max_age=0: a session does not suffice
	MaxAge *int64 `json:"max_age,omitempty"` // seconds
}

// Allow reports whether an authentication at a certain time meets the requirements.
func (d AuthnRequirements) Allow(at, now time.Time) bool {
	switch {
	case d.Fresh:
		return false
	case d.MaxAge != nil:
		return now.Sub(at) <= time.Duration(*d.MaxAge)*time.Second
	}
	return true
}

// clean checks the parameters that the core would handle wrongly. It returns the requirements on the authentication, and
// the form for the core.
func clean(client *clients.Client, form url.Values) (AuthnRequirements, url.Values, *problem.Error) {
	if refusal := checkParameters(client, form); refusal != nil {
		return AuthnRequirements{}, nil, refusal
	}
	requirements, refusal := readAuthnRequirements(form)
	if refusal != nil {
		return AuthnRequirements{}, nil, refusal
	}
	cleaned := url.Values{"state": {placeholderState}}
	for _, name := range forCore() {
		if form.Has(name) {
			cleaned.Set(name, form.Get(name))
		}
	}
	scope, refusal := readScope(client, form.Get("scope"))
	if refusal != nil {
		return AuthnRequirements{}, nil, refusal
	}
	cleaned.Set("scope", scope)
	cleaned.Set("client_id", client.ID)
	return requirements, cleaned, nil
}

// unpack returns the parameters of the request object, or the form itself if there is no request object and none is
// required. Parameters beside a request object are ignored (RFC 9101 §5). On a refusal it returns the form to use for
// the error response.
func (r *Reader) unpack(ctx context.Context, client *clients.Client, form url.Values) (url.Values, *problem.Error) {
	if !form.Has("request") {
		if client.RequireRequestObject {
			return form, problem.InvalidRequest("This client must sign its requests: send a request object in the parameter request.")
		}
		return form, nil
	}
	said, err := requestobject.Verify(ctx, form.Get("request"), requestobject.Expect{Client: client, Keys: r.keys, Issuer: r.issuer, Now: r.clock()})
	switch {
	case errors.Is(err, requestobject.ErrUnregistered):
		return form, problem.New(http.StatusBadRequest, "request_not_supported", "This client registered no request objects; push the parameters instead.")
	case errors.Is(err, remotekeys.ErrUnavailable):
		return form, problem.Unavailable(err)
	case err != nil:
		return form, problem.New(http.StatusBadRequest, "invalid_request_object",
			"The request object is not a current JWT of the client: check its signature, algorithm, iss, aud, exp and nbf.").WithCause(err)
	}
	return said, settleForm(said)
}

func checkParameters(client *clients.Client, form url.Values) *problem.Error {
	switch {
	case form.Has("registration"):
		return problem.New(http.StatusBadRequest, "registration_not_supported", "The registration parameter is not supported.")
	case form.Get("response_type") == "":
		return problem.InvalidRequest("The response_type is missing; the supported one is code.")
	case len(form.Get("state")) > MaxState:
		return problem.InvalidRequest("The state is too long.")
	case len(form.Get("nonce")) > maxNonce:
		return problem.InvalidRequest("The nonce is too long.")
	case len(form.Get("claims")) > maxClaims:
		return problem.InvalidRequest("The claims parameter is too long.")
	case !ResponseMode(form.Get("response_mode")).Valid():
		return problem.InvalidRequest("The response_mode is not supported; use query, form_post, query.jwt or form_post.jwt.")
	case client.Profile == clients.ProfileFAPI2Signing && !ResponseMode(form.Get("response_mode")).Signed():
		return problem.InvalidRequest("This client's responses must be signed: send response_mode=jwt.")
	}
	return checkPKCE(client, form)
}

// checkPKCE requires S256, and allows no challenge at all for a client that need not use PKCE; it never accepts a
// weaker method (RFC 9700 §2.1.1).
func checkPKCE(client *clients.Client, form url.Values) *problem.Error {
	challenge, method := form.Get("code_challenge"), form.Get("code_challenge_method")
	if challenge == "" && method == "" && client.AllowNoPKCE {
		return nil
	}
	if challenge == "" || method != challengeMethod {
		return problem.InvalidRequest("PKCE is required: send code_challenge with code_challenge_method=S256.")
	}
	if len(challenge) != base64.RawURLEncoding.EncodedLen(sha256.Size) || strings.ContainsFunc(challenge, notBase64URL) {
		return problem.InvalidRequest("The code_challenge must be the SHA-256 hash of the code_verifier: 43 characters of base64url without padding.") // RFC 7636 §4.2
	}
	return nil
}

func notBase64URL(r rune) bool {
	return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

func readAuthnRequirements(form url.Values) (AuthnRequirements, *problem.Error) {
	var d AuthnRequirements
	prompts := strings.Fields(form.Get("prompt"))
	for _, prompt := range prompts {
		switch prompt {
		case "none":
			d.Silent = true
		case "login", "consent", "select_account":
			d.Fresh = true
		default:
			return d, problem.InvalidRequest("The prompt is unknown; use none, login, consent or select_account.")
		}
	}
	if d.Silent && len(prompts) > 1 {
		return d, problem.InvalidRequest("prompt=none cannot be combined with another prompt.")
	}
	if form.Get("max_age") == "" {
		return d, nil
	}
	age, err := strconv.ParseInt(form.Get("max_age"), 10, 64)
	if err != nil || age < 0 || age > maxMaxAge {
		return d, problem.InvalidRequest("The max_age must be a number of seconds, 0 or more.")
	}
	d.MaxAge = &age
	d.Fresh = d.Fresh || age == 0
	return d, nil
}

// readClaims parses the claims parameter. It refuses an essential acr that no authentication here has: in that case
// the authentication as a whole fails (OpenID Connect Core 1.0 §5.5.1.1).
func (r *Reader) readClaims(text string) (claims.Request, *problem.Error) {
	wanted, err := claims.Parse(text)
	if err != nil {
		return nil, problem.InvalidRequest("The claims parameter is malformed.").WithCause(err)
	}
	values, demanded := wanted[claims.IDToken].Essential("acr")
	if demanded && !slices.ContainsFunc(values, func(acr string) bool { return acr == r.acr }) {
		return nil, problem.New(http.StatusBadRequest, "unmet_authentication_requirements", "None of the essential acr values can be met.")
	}
	return wanted, nil
}
