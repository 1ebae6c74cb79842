package proofing

import (
	"errors"
	"net/http"
	"strings"

	"regain/conformance/proofing/dpop"
)

// findGrant finds the access token of a request, and holds it against the DPoP proof if it is bound to a key. A token in
// the query is no token: it would stand in logs.
func (s *Server) findGrant(r *http.Request) (*grant, error) {
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	bearer, bound := strings.EqualFold(scheme, "Bearer"), strings.EqualFold(scheme, "DPoP")
	if !bearer && !bound || value == "" {
		return nil, s.unauthorized(bound, "", "an access token is required")
	}
	s.mu.Lock()
	held, found := s.grants[digest(value)]
	found = found && !s.config.Clock().After(held.expires)
	s.mu.Unlock()
	switch {
	case !found:
		return nil, s.unauthorized(bound, "invalid_token", "the access token is unknown or expired")
	case bound != (held.thumbprint != ""):
		return nil, s.unauthorized(held.thumbprint != "", "invalid_token", "the access token is of another type")
	case !bound:
		return held, nil
	}
	thumbprint, err := s.proofs.Check(r.Header, dpop.Request{Method: r.Method, URL: s.config.BaseURL + r.URL.Path, AccessToken: value})
	switch {
	case errors.Is(err, dpop.ErrNonce):
		return nil, s.unauthorized(true, "use_dpop_nonce", err.Error())
	case errors.Is(err, dpop.ErrProof):
		return nil, s.unauthorized(true, "invalid_dpop_proof", err.Error())
	case err != nil:
		return nil, err
	case thumbprint != held.thumbprint:
		return nil, s.unauthorized(true, "invalid_token", "the access token is bound to another key")
	}
	return held, nil
}

// unauthorized challenges with the scheme that would have done.
func (s *Server) unauthorized(bound bool, code, detail string) error {
	scheme := "Bearer"
	if bound || s.door.Closed() {
		scheme = dpop.Header
	}
	return oauthError{status: http.StatusUnauthorized, code: code, detail: detail, scheme: scheme}
}

// claimGrant takes the access token for the time of the request, so that two requests at once cannot both stay below
// the limit of the batch.
func (s *Server) claimGrant(r *http.Request) (*grant, error) {
	held, err := s.findGrant(r)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if held.busy {
		return nil, refuse("credential_request_denied", "another request with this access token is under way")
	}
	held.busy = true
	return held, nil
}

func (s *Server) releaseGrant(held *grant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held.busy = false
}

// renewing gives a nonce for the next DPoP proof along with an answer, good or bad (RFC 9449 §8.2).
func (s *Server) renewing(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if dpop.Present(r.Header) || s.door.Closed() {
			made, err := s.proofs.Nonce()
			if err != nil {
				s.fault(w, r, err)
				return
			}
			w.Header().Set(dpop.NonceHeader, made)
		}
		next(w, r)
	}
}
