package vci

import (
	"errors"
	"net/http"
	"strings"

	"regain/conformance/proofing/client"
	"regain/conformance/proofing/dpop"
	"regain/conformance/proofing/web"
)

// access checks the access token of a request.
type access struct {
	baseURL string
	door    *client.Door
	proofs  *dpop.Checker
	grants  *grants
	errors  web.Errors
}

// find finds the access token of a request, and holds it against the DPoP proof if it is bound to a key. A token in
// the query is no token: it would stand in logs.
func (a *access) find(r *http.Request) (*grant, error) {
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	bearer, bound := strings.EqualFold(scheme, "Bearer"), strings.EqualFold(scheme, "DPoP")
	if !bearer && !bound || value == "" {
		return nil, a.unauthorized(bound, "", "an access token is required")
	}
	held, found := a.grants.find(value)
	switch {
	case !found:
		return nil, a.unauthorized(bound, "invalid_token", "the access token is unknown or expired")
	case bound != (held.thumbprint != ""):
		return nil, a.unauthorized(held.thumbprint != "", "invalid_token", "the access token is of another type")
	case !bound:
		return held, nil
	}
	thumbprint, err := a.proofs.Check(r.Header, dpop.Request{Method: r.Method, URL: a.baseURL + r.URL.Path, AccessToken: value})
	switch {
	case errors.Is(err, dpop.ErrNonce):
		return nil, a.unauthorized(true, "use_dpop_nonce", err.Error())
	case errors.Is(err, dpop.ErrProof):
		return nil, a.unauthorized(true, "invalid_dpop_proof", err.Error())
	case err != nil:
		return nil, err
	case thumbprint != held.thumbprint:
		return nil, a.unauthorized(true, "invalid_token", "the access token is bound to another key")
	}
	return held, nil
}

// unauthorized challenges with the scheme that would have done.
func (a *access) unauthorized(bound bool, code, detail string) error {
	scheme := "Bearer"
	if bound || a.door.Closed() {
		scheme = dpop.Header
	}
	return web.Error{Status: http.StatusUnauthorized, Code: code, Detail: detail, Scheme: scheme}
}

// renewing gives a nonce for the next DPoP proof along with an answer, good or bad (RFC 9449 §8.2).
func (a *access) renewing(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if dpop.Present(r.Header) || a.door.Closed() {
			made, err := a.proofs.Nonce()
			if err != nil {
				a.errors.Fault(w, r, err)
				return
			}
			w.Header().Set(dpop.NonceHeader, made)
		}
		next(w, r)
	}
}
