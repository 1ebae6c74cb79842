package vci

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"slices"

	"regain/conformance/jose"
	"regain/conformance/proofing/credential"
	"regain/conformance/proofing/random"
	"regain/conformance/proofing/web"
)

// credentialRequest is a Credential Request (OpenID4VCI 1.0 §8.2). Parameters not listed are ignored, as §8.2 says.
type credentialRequest struct {
	Configuration string                     `json:"credential_configuration_id"`
	Identifier    string                     `json:"credential_identifier"`
	Encryption    json.RawMessage            `json:"credential_response_encryption"`
	Proofs        map[string]json.RawMessage `json:"proofs"`

	response *jose.Recipient // what Encryption says; nil for a response in the clear
}

// credentialResponse is a Credential Response (OpenID4VCI 1.0 §8.3).
type credentialResponse struct {
	Credentials  []credentialEntry `json:"credentials"`
	Notification string            `json:"notification_id"`
}

type credentialEntry struct {
	Credential string `json:"credential"`
}

// credentials is the Credential Endpoint.
type credentials struct {
	access   *access
	grants   *grants
	keys     keyProofs
	issuer   *credential.Issuer
	requests *jose.EncryptionKey
	random   *random.Source
	errors   web.Errors
}

// serve issues credentials to the holder of an access token. Errors are never encrypted (OpenID4VCI 1.0
// §8.3.1.2).
func (c *credentials) serve(w http.ResponseWriter, r *http.Request) {
	response, how, err := c.answer(r)
	if err != nil {
		c.errors.Fail(w, r, err)
		return
	}
	if how == nil {
		web.WriteJSON(w, http.StatusOK, response)
		return
	}
	plain, err := json.Marshal(response)
	if err != nil {
		c.errors.Fault(w, r, err)
		return
	}
	sealed, err := how.Seal(plain, map[string]any{"cty": "json"})
	if err != nil {
		c.errors.Fault(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/jwt")
	_, _ = io.WriteString(w, sealed)
}

func (c *credentials) answer(r *http.Request) (credentialResponse, *jose.Recipient, error) {
	none := credentialResponse{}
	held, err := c.access.find(r)
	if err != nil {
		return none, nil, err
	}
	if err := c.grants.claim(held); err != nil {
		return none, nil, err
	}
	defer c.grants.release(held)
	request, err := c.read(r)
	if err != nil {
		return none, nil, err
	}
	configuration, err := held.resolve(request)
	if err != nil {
		return none, nil, err
	}
	holders, err := c.keys.check(configuration, request.Proofs, held.client)
	if err != nil {
		return none, nil, err
	}
	if held.offer.Issued(configuration)+len(holders) > maxBatch {
		return none, nil, web.Refuse("credential_request_denied", "all credentials of this offer were issued")
	}
	issued := make([]credential.Issued, 0, len(holders))
	for _, holder := range holders {
		one, err := c.issuer.Issue(configuration, held.offer.File, holder)
		if err != nil {
			return none, nil, err
		}
		issued = append(issued, one)
	}
	response, err := c.hand(held, configuration, issued)
	return response, request.response, err
}

// hand notes what the wallet gets, and opens a notification for it.
func (c *credentials) hand(held *grant, configuration string, issued []credential.Issued) (credentialResponse, error) {
	response := credentialResponse{Credentials: make([]credentialEntry, len(issued))}
	names := make([]string, len(issued))
	for i, one := range issued {
		response.Credentials[i].Credential, names[i] = one.Credential, one.JTI
	}
	id, err := c.random.Token(16)
	if err != nil {
		return credentialResponse{}, err
	}
	response.Notification = id
	held.offer.Note(configuration, names)
	c.grants.expect(id, held, names)
	return response, nil
}

// read reads a request in the clear or encrypted. One that wants its response encrypted has to be
// encrypted itself: else somebody in between could put their own key into it (OpenID4VCI 1.0 §8.2).
func (c *credentials) read(r *http.Request) (credentialRequest, error) {
	var request credentialRequest
	body, encrypted, err := c.readSealed(r)
	if err != nil {
		return request, err
	}
	if err := web.DecodeJSON(body, &request); err != nil {
		return request, web.Refuse("invalid_credential_request", "the request is not a JSON object of the right shape")
	}
	if len(request.Encryption) == 0 || string(request.Encryption) == "null" {
		return request, nil
	}
	if !encrypted {
		return request, web.Refuse("invalid_encryption_parameters", "a request for an encrypted response must be encrypted")
	}
	request.response = &jose.Recipient{}
	if err := web.DecodeJSON(request.Encryption, request.response); err != nil {
		return request, web.Refuse("invalid_encryption_parameters", "credential_response_encryption is malformed")
	}
	if err := request.response.Check(); err != nil {
		return request, web.Refuse("invalid_encryption_parameters", err.Error())
	}
	return request, nil
}

// readSealed reads the body of a request, and decrypts it if it is a JWT (OpenID4VCI 1.0 §10).
func (c *credentials) readSealed(r *http.Request) (body []byte, encrypted bool, err error) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "application/json" && kind != "application/jwt" {
		return nil, false, web.Refuse("invalid_credential_request", "the request must be application/json, or application/jwt when it is encrypted")
	}
	if body, err = io.ReadAll(r.Body); err != nil {
		return nil, false, web.RefuseUnread(err, "invalid_credential_request")
	}
	if kind == "application/json" {
		return body, false, nil
	}
	plain, err := c.requests.Open(string(body))
	if err != nil {
		return nil, false, web.Refuse("invalid_credential_request", err.Error())
	}
	return plain, true, nil
}

// resolve finds the configuration that is asked for. A wallet that was given credential identifiers has to use them
// (OpenID4VCI 1.0 §8.2).
func (g *grant) resolve(request credentialRequest) (string, error) {
	switch {
	case request.Identifier != "" && request.Configuration != "":
		return "", web.Refuse("invalid_credential_request", "identifier and configuration exclude each other")
	case request.Identifier != "":
		id, found := g.identifiers[request.Identifier]
		if !found {
			return "", web.Refuse("unknown_credential_identifier", "this identifier was not given out with the access token")
		}
		return id, nil
	case request.Configuration == "":
		return "", web.Refuse("invalid_credential_request", "credential_configuration_id is missing")
	case !credential.Known(request.Configuration):
		return "", web.Refuse("unknown_credential_configuration", "no credential of that configuration is issued here")
	case g.identifiers != nil:
		return "", web.Refuse("invalid_credential_request", "the access token came with identifiers, which must be used")
	case !slices.Contains(g.configurations, request.Configuration):
		return "", web.Refuse("credential_request_denied", "that configuration was not offered")
	}
	return request.Configuration, nil
}
