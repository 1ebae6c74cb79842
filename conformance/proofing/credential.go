package proofing

import (
	"crypto/ecdsa"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"regain/conformance/proofing/jws"

	"github.com/go-jose/go-jose/v4"
)

// credentialRequest is a Credential Request (OpenID4VCI 1.0 §8.2). Parameters not listed are ignored, as §8.2 says.
type credentialRequest struct {
	Configuration string `json:"credential_configuration_id"`
	Identifier    string `json:"credential_identifier"`
	Encryption    any    `json:"credential_response_encryption"`
	Proofs        *struct {
		JWT         []string `json:"jwt"`
		Other       any      `json:"di_vp"`
		Attestation any      `json:"attestation"`
	} `json:"proofs"`
}

// serveCredential issues Verified IDs to the bearer of an access token.
func (s *Server) serveCredential(w http.ResponseWriter, r *http.Request) {
	issued, err := s.answerCredential(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	type entry struct {
		Credential string `json:"credential"`
	}
	list := make([]entry, len(issued))
	for i, one := range issued {
		list[i].Credential = one.Credential
	}
	writeJSON(w, http.StatusOK, map[string]any{"credentials": list})
}

func (s *Server) answerCredential(r *http.Request) ([]Issued, error) {
	held, err := s.claimGrant(r)
	if err != nil {
		return nil, err
	}
	defer s.releaseGrant(held)
	request, err := readCredentialRequest(r)
	if err != nil {
		return nil, err
	}
	keys, err := s.checkProofs(request.Proofs.JWT)
	if err != nil {
		return nil, err
	}
	if len(held.offer.issued)+len(keys) > s.limits.batch {
		return nil, refuse("credential_request_denied", "all credentials of this offer were issued")
	}
	issued := make([]Issued, 0, len(keys))
	for _, key := range keys {
		one, err := s.issue(held.offer.file, key)
		if err != nil {
			return nil, err
		}
		issued = append(issued, one)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range issued {
		held.offer.issued = append(held.offer.issued, one.JTI)
	}
	return issued, nil
}

// claimGrant finds the access token and takes it for the time of the request, so that two requests at once cannot
// both stay below the limit of the batch.
func (s *Server) claimGrant(r *http.Request) (*grant, error) {
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || value == "" {
		return nil, oauthError{http.StatusUnauthorized, "", "an access token is required"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	held, found := s.grants[digest(value)]
	if !found || s.config.Clock().After(held.expires) {
		return nil, oauthError{http.StatusUnauthorized, "invalid_token", "the access token is unknown or expired"}
	}
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

func readCredentialRequest(r *http.Request) (credentialRequest, error) {
	var request credentialRequest
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return request, refuse("invalid_credential_request", "the request must be application/json")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return request, readError(err, "invalid_credential_request")
	}
	if err := decodeJSON(body, &request); err != nil {
		return request, refuse("invalid_credential_request", "the request is not a JSON object of the right shape")
	}
	switch {
	case request.Identifier != "" && request.Configuration != "":
		return request, refuse("invalid_credential_request", "identifier and configuration exclude each other")
	case request.Identifier != "":
		return request, refuse("unknown_credential_identifier", "no credential identifiers are given out here")
	case request.Configuration == "":
		return request, refuse("invalid_credential_request", "credential_configuration_id is missing")
	case request.Configuration != ConfigurationID:
		return request, refuse("unknown_credential_configuration", "only "+ConfigurationID+" is issued here")
	case request.Encryption != nil:
		return request, refuse("invalid_encryption_parameters", "responses are not encrypted here")
	case request.Proofs == nil || len(request.Proofs.JWT) == 0:
		return request, refuse("invalid_proof", "proofs of type jwt are required")
	case request.Proofs.Other != nil || request.Proofs.Attestation != nil:
		return request, refuse("invalid_proof", "proofs has more than one type")
	}
	return request, nil
}

// checkProofs verifies the key proofs (OpenID4VCI 1.0 Appendix F.1, F.4) and returns the holder's keys. All proofs
// carry the same nonce, which is spent when everything else is right; each has a key of its own.
func (s *Server) checkProofs(proofs []string) ([]jose.JSONWebKey, error) {
	if len(proofs) > s.limits.batch {
		return nil, refuse("invalid_credential_request", "too many proofs")
	}
	var nonce string
	keys := make([]jose.JSONWebKey, 0, len(proofs))
	for i, proof := range proofs {
		key, found, err := s.checkProof(proof)
		if err != nil {
			return nil, err
		}
		if i > 0 && found != nonce {
			return nil, refuse("invalid_nonce", "the proofs carry different nonces")
		}
		nonce = found
		for _, other := range keys {
			if public, ok := other.Key.(*ecdsa.PublicKey); ok && public.Equal(key.Key) {
				return nil, refuse("invalid_proof", "two proofs have the same key")
			}
		}
		keys = append(keys, key)
	}
	if !s.nonces.Spend(nonce, s.config.Clock()) {
		return nil, refuse("invalid_nonce", "the nonce is not known, expired or used")
	}
	return keys, nil
}

func (s *Server) checkProof(proof string) (jose.JSONWebKey, string, error) {
	none := jose.JSONWebKey{}
	parsed, err := jws.Parse(proof, "openid4vci-proof+jwt")
	if err != nil {
		return none, "", refuse("invalid_proof", "not an openid4vci-proof+jwt signed with ES256")
	}
	// The header names its key in exactly one way (Appendix F.1); a kid or x5c beside the jwk could mean another key.
	if !jws.PublicP256(parsed.Header.JSONWebKey) || parsed.Header.KeyID != "" || parsed.HasCertificates() {
		return none, "", refuse("invalid_proof", "the header must name its key by a public P-256 jwk and nothing else")
	}
	var claims struct {
		Issuer   *string `json:"iss"`
		Audience string  `json:"aud"`
		Issued   int64   `json:"iat"`
		Nonce    string  `json:"nonce"`
	}
	if err := parsed.Open(parsed.Header.JSONWebKey.Key, &claims); err != nil {
		return none, "", refuse("invalid_proof", "signature or claims cannot be verified")
	}
	switch {
	case claims.Issuer != nil:
		return none, "", refuse("invalid_proof", "iss must be absent after anonymous access")
	case claims.Audience != s.config.BaseURL:
		return none, "", refuse("invalid_proof", "aud is not this credential issuer")
	case !jws.Fresh(claims.Issued, s.config.Clock(), shortLife):
		return none, "", refuse("invalid_proof", "iat is too far from now")
	case claims.Nonce == "":
		return none, "", refuse("invalid_proof", "the nonce is missing")
	}
	return *parsed.Header.JSONWebKey, claims.Nonce, nil
}

// readError tells a body that is too long from one that cannot be read.
func readError(err error, code string) error {
	if tooLong := new(http.MaxBytesError); errors.As(err, &tooLong) {
		return oauthError{http.StatusRequestEntityTooLarge, code, "the request is too long"}
	}
	return refuse(code, "the request cannot be read")
}
