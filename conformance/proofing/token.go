package proofing

import (
	"mime"
	"net/http"
)

// oauthError is an error answer of RFC 6749 §5.2, RFC 6750 §3.1 and OpenID4VCI 1.0 §8.3.1.
type oauthError struct {
	status int
	code   string
	detail string // ASCII, no personal data: it goes to the caller
}

func (e oauthError) Error() string { return e.code + ": " + e.detail }

func refuse(code, detail string) error { return oauthError{http.StatusBadRequest, code, detail} }

// serveToken redeems a pre-authorized code for an access token (OpenID4VCI 1.0 §6).
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	answer, err := s.redeem(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

func (s *Server) redeem(r *http.Request) (any, error) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/x-www-form-urlencoded" {
		return nil, refuse("invalid_request", "the request must be a form")
	}
	if err := r.ParseForm(); err != nil {
		return nil, refuse("invalid_request", "the form cannot be read")
	}
	for _, values := range r.PostForm {
		if len(values) != 1 {
			return nil, refuse("invalid_request", "a parameter occurs twice") // RFC 6749 §3.2
		}
	}
	switch {
	case r.PostForm.Get("grant_type") == "":
		return nil, refuse("invalid_request", "grant_type is missing")
	case r.PostForm.Get("grant_type") != grantType:
		return nil, refuse("unsupported_grant_type", "only pre-authorized codes are redeemed here")
	case r.PostForm.Has("tx_code"):
		return nil, refuse("invalid_request", "no transaction code is expected")
	case r.PostForm.Has("authorization_details"):
		return nil, refuse("invalid_request", "authorization_details are not supported")
	case r.PostForm.Get("pre-authorized_code") == "":
		return nil, refuse("invalid_request", "pre-authorized_code is missing")
	}
	return s.exchange(r.PostForm.Get("pre-authorized_code"))
}

func (s *Server) exchange(code string) (any, error) {
	access, err := s.token(32)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now, key := s.config.Clock(), digest(code)
	o, found := s.codes[key]
	if !found || o.redeemed || now.After(o.expires) {
		return nil, refuse("invalid_grant", "the pre-authorized code is unknown, expired or used")
	}
	o.redeemed = true
	s.grants[digest(access)] = &grant{offer: o, expires: now.Add(shortLife)}
	return map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": int(shortLife.Seconds()),
	}, nil
}

// serveNonce gives out a c_nonce (OpenID4VCI 1.0 §7).
func (s *Server) serveNonce(w http.ResponseWriter, r *http.Request) {
	nonce, err := s.nonces.Issue(s.config.Clock())
	if err != nil {
		s.fault(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"c_nonce": nonce})
}
