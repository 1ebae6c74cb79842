package vci

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"

	"regain/conformance/proofing/client"
	"regain/conformance/proofing/dpop"
	"regain/conformance/proofing/offer"
	"regain/conformance/proofing/random"
	"regain/conformance/proofing/web"
)

// tokens is the Token Endpoint.
type tokens struct {
	baseURL string
	door    *client.Door
	proofs  *dpop.Checker
	offers  *offer.Book
	grants  *grants
	random  *random.Source
	errors  web.Errors
}

// serve redeems a pre-authorized code for an access token (OpenID4VCI 1.0 §6).
func (t *tokens) serve(w http.ResponseWriter, r *http.Request) {
	answer, err := t.redeem(r)
	if err != nil {
		t.errors.Fail(w, r, err)
		return
	}
	web.WriteJSON(w, http.StatusOK, answer)
}

func (t *tokens) redeem(r *http.Request) (any, error) {
	if err := readForm(r); err != nil {
		return nil, err
	}
	form := r.PostForm
	who, err := t.door.Authenticate(form, r.Header)
	if err != nil {
		return nil, clientError(err)
	}
	switch {
	case form.Get("grant_type") == "":
		return nil, web.Refuse("invalid_request", "grant_type is missing")
	case form.Get("grant_type") != offer.GrantType:
		return nil, web.Refuse("unsupported_grant_type", "only pre-authorized codes are redeemed here")
	case form.Get("pre-authorized_code") == "":
		return nil, web.Refuse("invalid_request", "pre-authorized_code is missing")
	}
	wanted, err := readDetails(form)
	if err != nil {
		return nil, err
	}
	thumbprint, err := t.checkProof(r)
	if err != nil {
		return nil, err
	}
	return t.exchange(form, &grant{client: who, thumbprint: thumbprint}, wanted)
}

// readForm reads a form in which nothing occurs twice (RFC 6749 §3.2).
func readForm(r *http.Request) error {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/x-www-form-urlencoded" {
		return web.Refuse("invalid_request", "the request must be a form")
	}
	if err := r.ParseForm(); err != nil {
		return web.Refuse("invalid_request", "the form cannot be read")
	}
	for _, values := range r.PostForm {
		if len(values) != 1 {
			return web.Refuse("invalid_request", "a parameter occurs twice")
		}
	}
	return nil
}

// checkProof returns the thumbprint of the key that made the request's DPoP proof. Where wallets have to
// authenticate they have to bring one; elsewhere it is theirs to choose.
func (t *tokens) checkProof(r *http.Request) (string, error) {
	if !dpop.Present(r.Header) && !t.door.Closed() {
		return "", nil
	}
	thumbprint, err := t.proofs.Check(r.Header, dpop.Request{Method: http.MethodPost, URL: t.baseURL + "/token"})
	switch {
	case errors.Is(err, dpop.ErrNonce):
		return "", web.Refuse("use_dpop_nonce", err.Error())
	case errors.Is(err, dpop.ErrProof):
		return "", web.Refuse("invalid_dpop_proof", err.Error())
	}
	return thumbprint, err
}

func clientError(err error) error {
	switch {
	case errors.Is(err, client.ErrClient):
		return web.Error{Status: http.StatusUnauthorized, Code: "invalid_client", Detail: err.Error()}
	case errors.Is(err, client.ErrAttestation):
		return web.Refuse("invalid_client_attestation", err.Error())
	}
	return err
}

// exchange takes the code for a token. All randomness is drawn before: a code is not lost for the lack of it.
func (t *tokens) exchange(form url.Values, made *grant, wanted []string) (any, error) {
	access, err := t.random.Token(32)
	if err != nil {
		return nil, err
	}
	answer := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": int(offer.Life.Seconds())}
	if made.thumbprint != "" {
		answer["token_type"] = "DPoP"
	}
	if wanted != nil {
		if answer["authorization_details"], err = t.identify(made, wanted); err != nil {
			return nil, err
		}
	}
	if made.offer, err = t.offers.Redeem(form, wanted); err != nil {
		return nil, err
	}
	if wanted == nil {
		made.configurations = made.offer.Configurations
	}
	t.grants.give(access, made)
	return answer, nil
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
		return nil, web.Refuse("invalid_authorization_details", "authorization_details is no list of objects")
	}
	wanted := make([]string, 0, len(details))
	for _, d := range details {
		switch {
		case d.Type != "openid_credential":
			return nil, web.Refuse("invalid_authorization_details", "a type is not openid_credential")
		case d.Configuration == "" || slices.Contains(wanted, d.Configuration):
			return nil, web.Refuse("invalid_authorization_details", "a credential_configuration_id is missing or occurs twice")
		}
		wanted = append(wanted, d.Configuration)
	}
	return wanted, nil
}

// identify narrows the grant down to what is wanted and gives each a credential identifier (OpenID4VCI 1.0 §6.2).
func (t *tokens) identify(made *grant, wanted []string) (any, error) {
	made.configurations, made.identifiers = wanted, map[string]string{}
	details := make([]map[string]any, 0, len(wanted))
	for _, id := range wanted {
		random, err := t.random.Token(16)
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
