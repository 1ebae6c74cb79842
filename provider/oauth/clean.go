package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-jose/go-jose/v4/jwt"
)

// Limits on single parameters.
const (
	maxHint  = 8 << 10
	maxNonce = 1 << 10
)

// placeholderState stands in for the client's state inside fosite, which insists on one; ours goes back to the client.
const placeholderState = "state-is-kept-outside"

// forFosite lists the parameters that fosite may see. Everything else is handled here or ignored, as unknown
// parameters must be (RFC 6749 §3.1).
func forFosite() []string {
	return []string{"client_id", "response_type", "redirect_uri", "scope", "nonce", "code_challenge", "code_challenge_method"}
}

// clean checks what fosite would get wrong and returns the form it may see.
func (s *Server) clean(client *Client, form url.Values) (url.Values, *Error) {
	switch {
	case form.Has("request"):
		return nil, newError(http.StatusBadRequest, "request_not_supported", "Request objects are not supported; push the parameters instead.")
	case form.Has("request_uri"):
		return nil, newError(http.StatusBadRequest, "request_uri_not_supported", "Only request URIs of this server's PAR endpoint are supported.")
	case form.Has("registration"):
		return nil, newError(http.StatusBadRequest, "registration_not_supported", "The registration parameter is not supported.")
	case form.Get("response_mode") != "" && form.Get("response_mode") != "query":
		return nil, InvalidRequest("The only supported response_mode is query.")
	case len(form.Get("state")) > maxState:
		return nil, InvalidRequest("The state is too long.")
	case len(form.Get("nonce")) > maxNonce:
		return nil, InvalidRequest("The nonce is too long.")
	case hasWord(form.Get("prompt"), "none"):
		// A recovery always needs the person: there is no session to answer from.
		return nil, newError(http.StatusBadRequest, "interaction_required", "A recovery needs the person; prompt=none cannot succeed.")
	case !hasWord(form.Get("scope"), "openid"):
		return nil, newError(http.StatusBadRequest, "invalid_scope", "The scope must contain openid.")
	case form.Get("code_challenge") == "" || form.Get("code_challenge_method") != "S256":
		return nil, InvalidRequest("PKCE is required: send code_challenge with code_challenge_method=S256.")
	}
	cleaned := url.Values{"state": {placeholderState}}
	for _, name := range forFosite() {
		if form.Has(name) {
			cleaned.Set(name, form.Get(name))
		}
	}
	cleaned.Set("client_id", client.ID)
	return cleaned, nil
}

func hasWord(list, word string) bool {
	for _, w := range strings.Fields(list) {
		if w == word {
			return true
		}
	}
	return false
}

// namedAccount reads the account to recover from login_hint or from an id_token_hint that the client signed. Both
// must agree when both are sent: the account is the one that the main IdP named, without doubt.
func (s *Server) namedAccount(client *Client, form url.Values) (string, error) {
	hint := form.Get("login_hint")
	if len(hint) > maxHint || len(form.Get("id_token_hint")) > maxHint {
		return "", InvalidRequest("The hint is too long.")
	}
	token := form.Get("id_token_hint")
	if token == "" {
		if hint == "" {
			return "", InvalidRequest("Name the account to recover in login_hint or in an id_token_hint signed by the client.")
		}
		return hint, nil
	}
	subject, err := s.hintSubject(client, token)
	if err != nil {
		return "", InvalidRequest("The id_token_hint is not a current JWT of the client: iss its client_id, aud the issuer, sub the account, exp, signed by a registered key.").Because(err)
	}
	if hint != "" && hint != subject {
		return "", InvalidRequest("login_hint and id_token_hint name different accounts.")
	}
	return subject, nil
}

func (s *Server) hintSubject(client *Client, hint string) (string, error) {
	token, err := jwt.ParseSigned(hint, assertionAlgorithms())
	if err != nil {
		return "", fmt.Errorf("parse id_token_hint: %w", err)
	}
	if err := verifyWithKeys(token, client); err != nil {
		return "", err
	}
	var claims jwt.Claims
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil { // they were verified
		return "", fmt.Errorf("read id_token_hint: %w", err)
	}
	now := s.clock()
	switch {
	case claims.Issuer != client.ID:
		return "", errors.New("iss is not the client id")
	case !hasExactly(claims.Audience, s.issuer):
		return "", errors.New("aud is not the issuer")
	case claims.Expiry == nil || !now.Before(claims.Expiry.Time()):
		return "", errors.New("exp is missing or past")
	case claims.IssuedAt == nil || claims.IssuedAt.Time().After(now.Add(clockSkew)):
		return "", errors.New("iat is missing or in the future")
	case claims.Subject == "":
		return "", errors.New("sub is missing")
	}
	return claims.Subject, nil
}
