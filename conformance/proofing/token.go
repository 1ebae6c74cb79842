package proofing

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"time"

	"regain/conformance/proofing/client"
	"regain/conformance/proofing/dpop"
)

// maxMisses is how many wrong transaction codes an offer stands (OpenID4VCI 1.0 §13.6.3).
const maxMisses = 3

// grant is an access token: it is good for the credentials of one offer.
type grant struct {
	offer          *offer
	client         string // client_id; empty for a wallet that came anonymously
	thumbprint     string // of the DPoP key that the token is bound to; empty for a bearer token
	configurations []string
	identifiers    map[string]string // credential_identifier → configuration; nil if the wallet did not ask for any
	expires        time.Time
	busy           bool // a credential request is under way
}

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
	if err := readForm(r); err != nil {
		return nil, err
	}
	form := r.PostForm
	who, err := s.door.Authenticate(form, r.Header)
	if err != nil {
		return nil, clientError(err)
	}
	switch {
	case form.Get("grant_type") == "":
		return nil, refuse("invalid_request", "grant_type is missing")
	case form.Get("grant_type") != grantType:
		return nil, refuse("unsupported_grant_type", "only pre-authorized codes are redeemed here")
	case form.Get("pre-authorized_code") == "":
		return nil, refuse("invalid_request", "pre-authorized_code is missing")
	}
	wanted, err := readDetails(form)
	if err != nil {
		return nil, err
	}
	thumbprint, err := s.checkTokenProof(r)
	if err != nil {
		return nil, err
	}
	return s.exchange(form, &grant{client: who, thumbprint: thumbprint}, wanted)
}

// readForm reads a form in which nothing occurs twice (RFC 6749 §3.2).
func readForm(r *http.Request) error {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/x-www-form-urlencoded" {
		return refuse("invalid_request", "the request must be a form")
	}
	if err := r.ParseForm(); err != nil {
		return refuse("invalid_request", "the form cannot be read")
	}
	for _, values := range r.PostForm {
		if len(values) != 1 {
			return refuse("invalid_request", "a parameter occurs twice")
		}
	}
	return nil
}

// checkTokenProof returns the thumbprint of the key that made the request's DPoP proof. Where wallets have to
// authenticate they have to bring one; elsewhere it is theirs to choose.
func (s *Server) checkTokenProof(r *http.Request) (string, error) {
	if !dpop.Present(r.Header) && !s.door.Closed() {
		return "", nil
	}
	thumbprint, err := s.proofs.Check(r.Header, dpop.Request{Method: http.MethodPost, URL: s.config.BaseURL + "/token"})
	switch {
	case errors.Is(err, dpop.ErrNonce):
		return "", refuse("use_dpop_nonce", err.Error())
	case errors.Is(err, dpop.ErrProof):
		return "", refuse("invalid_dpop_proof", err.Error())
	}
	return thumbprint, err
}

func clientError(err error) error {
	switch {
	case errors.Is(err, client.ErrClient):
		return oauthError{status: http.StatusUnauthorized, code: "invalid_client", detail: err.Error()}
	case errors.Is(err, client.ErrAttestation):
		return refuse("invalid_client_attestation", err.Error())
	}
	return err
}

// exchange takes the code for a token. A code that was refused for its transaction code stays good, a few times.
func (s *Server) exchange(form url.Values, made *grant, wanted []string) (any, error) {
	access, err := s.token(32)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now, key := s.config.Clock(), digest(form.Get("pre-authorized_code"))
	o, found := s.codes[key]
	if !found || o.redeemed || o.misses >= maxMisses || now.After(o.expires) {
		return nil, refuse("invalid_grant", "the pre-authorized code is unknown, expired or used")
	}
	if err := o.checkTxCode(form); err != nil {
		return nil, err
	}
	made.offer, made.configurations, made.expires = o, o.configurations, now.Add(shortLife)
	answer := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": int(shortLife.Seconds())}
	if made.thumbprint != "" {
		answer["token_type"] = "DPoP"
	}
	if wanted != nil {
		if answer["authorization_details"], err = s.identify(made, wanted); err != nil {
			return nil, err
		}
	}
	o.redeemed = true
	s.grants[digest(access)] = made
	return answer, nil
}

// checkTxCode compares the transaction code (OpenID4VCI 1.0 §6.1, §6.3). The caller holds the lock.
func (o *offer) checkTxCode(form url.Values) error {
	given := form.Get("tx_code")
	switch {
	case o.txCode == "" && form.Has("tx_code"):
		return refuse("invalid_request", "no transaction code is expected")
	case o.txCode != "" && given == "":
		return refuse("invalid_request", "the transaction code is missing")
	case subtle.ConstantTimeCompare([]byte(given), []byte(o.txCode)) == 0:
		o.misses++
		return refuse("invalid_grant", "the transaction code is another one")
	}
	return nil
}

// readDetails returns the configurations that authorization_details ask for (OpenID4VCI 1.0 §6.1.1, RFC 9396 §2), nil if
// the wallet did not ask that way.
func readDetails(form url.Values) ([]string, error) {
	if !form.Has("authorization_details") {
		return nil, nil
	}
	var details []struct {
		Type          string `json:"type"`
		Configuration string `json:"credential_configuration_id"`
	}
	if err := json.Unmarshal([]byte(form.Get("authorization_details")), &details); err != nil || len(details) == 0 {
		return nil, refuse("invalid_authorization_details", "authorization_details is no list of objects")
	}
	wanted := make([]string, 0, len(details))
	for _, d := range details {
		switch {
		case d.Type != "openid_credential":
			return nil, refuse("invalid_authorization_details", "a type is not openid_credential")
		case d.Configuration == "" || slices.Contains(wanted, d.Configuration):
			return nil, refuse("invalid_authorization_details", "a credential_configuration_id is missing or occurs twice")
		}
		wanted = append(wanted, d.Configuration)
	}
	return wanted, nil
}

// identify narrows the grant down to what is wanted and gives each a credential identifier (OpenID4VCI 1.0 §6.2).
func (s *Server) identify(made *grant, wanted []string) (any, error) {
	made.configurations, made.identifiers = wanted, map[string]string{}
	details := make([]map[string]any, 0, len(wanted))
	for _, id := range wanted {
		if !slices.Contains(made.offer.configurations, id) {
			return nil, refuse("invalid_authorization_details", "a credential_configuration_id was not offered")
		}
		random, err := s.token(16)
		if err != nil {
			return nil, err
		}
		identifier := id + ":" + random
		made.identifiers[identifier] = id
		details = append(details, map[string]any{
			"type": "openid_credential", "credential_configuration_id": id, "credential_identifiers": []string{identifier},
		})
	}
	return details, nil
}

// serveNonce gives out a c_nonce, and a nonce for the DPoP proof of the request that will carry it (OpenID4VCI 1.0 §7.2).
func (s *Server) serveNonce(w http.ResponseWriter, r *http.Request) {
	made, err := s.nonces.Issue(s.config.Clock())
	if err != nil {
		s.fault(w, r, err)
		return
	}
	next, err := s.proofs.Nonce()
	if err != nil {
		s.fault(w, r, err)
		return
	}
	w.Header().Set(dpop.NonceHeader, next)
	writeJSON(w, http.StatusOK, map[string]string{"c_nonce": made})
}
