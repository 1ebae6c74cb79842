package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ory/fosite"

	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/problem"
	"regain/storage"
)

// Authorization is a validated authorization request of a registered client. It is stored, encrypted, with the
// transaction, and answered once, by Grant or Reject.
type Authorization struct {
	ClientID          string            `json:"client_id"`
	RedirectURI       string            `json:"redirect_uri"`
	State             string            `json:"state,omitempty"`
	Mode              ResponseMode      `json:"mode,omitempty"`
	Form              url.Values        `json:"form"`    // the parameters for fosite, which validates them again when it issues the code
	Account           string            `json:"account"` // from login_hint or id_token_hint; "" if the person must name it
	AuthnRequirements AuthnRequirements `json:"authn_requirements"`
	Claims            string            `json:"claims,omitempty"`   // the claims parameter as sent
	CodeKey           string            `json:"code_key,omitempty"` // thumbprint of the DPoP key that the code will be bound to (RFC 9449 §10)
	Pushed            string            `json:"pushed,omitempty"`
	Held              bool              `json:"held,omitempty"` // its lifetime was extended for the person, which happens once
	Echo              *echo             `json:"echo,omitempty"` // entra-external-method only
}

// Recovers reports whether the request asks for a recovery token.
func (a Authorization) Recovers() bool {
	return slices.Contains(strings.Fields(a.Form.Get("scope")), clients.ScopeRecovery)
}

// Encode returns the encoding for storage.
func (a Authorization) Encode() ([]byte, error) { return storage.Encode(a) }

// DecodeAuthorization decodes a stored authorization.
func DecodeAuthorization(data []byte) (Authorization, error) {
	var a Authorization
	if err := storage.Decode(data, &a); err != nil {
		return Authorization{}, fmt.Errorf("decode authorization request: %w", err)
	}
	return a, nil
}

// Authorize validates the request of GET or POST /authorize, pushed (the default) or by value. Errors are
// *AuthorizeError; only those with a Response may reach the client.
func (s *Server) Authorize(ctx context.Context, form url.Values) (Authorization, error) {
	uri := form.Get("request_uri")
	id, err := s.clientOf(ctx, form.Get("client_id"), uri)
	if err != nil {
		return Authorization{}, &AuthorizeError{Problem: asError(err)}
	}
	client, err := s.Client(ctx, id)
	if err != nil {
		return Authorization{}, &AuthorizeError{Problem: asError(err)}
	}
	switch {
	case client.Contract == contract.EntraExternalMethod:
		return s.readEntra(ctx, client, form)
	case uri != "" && !strings.HasPrefix(uri, requestURIPrefix):
		return s.refuse(client, form, problem.New(http.StatusBadRequest, "request_uri_not_supported", "Only request URIs of this server's PAR endpoint are supported."))
	case uri == "" && !client.AllowUnpushed:
		return s.refuse(client, form, problem.InvalidRequest("This client must push its requests to the PAR endpoint, and send the request_uri here."))
	case uri == "":
		return s.validate(ctx, client, form)
	}
	a, err := s.pushed(ctx, client, uri)
	if err != nil {
		return Authorization{}, &AuthorizeError{Problem: asError(err)}
	}
	a.Pushed = uri // validated when it was pushed; fosite validates it again when it issues the code
	return a, nil
}

// AuthorizeHeld is Authorize for the form of the page that asks for the account. If the request is over, because the person
// took too long or went back to the page after the end, the client hears of it where the form says, which is no more than what
// any request by value may say: the redirect URI has to be registered.
func (s *Server) AuthorizeHeld(ctx context.Context, form url.Values) (Authorization, error) {
	a, err := s.Authorize(ctx, form)
	var refused *AuthorizeError
	if !errors.As(err, &refused) || refused.Problem.Code != codeRequestURI {
		return a, err
	}
	client, unknown := s.Client(ctx, form.Get("client_id"))
	if unknown != nil {
		return a, err
	}
	_, answer := s.refuse(client, form, problem.AccessDenied("The person did not name the account in time.").WithCause(err))
	var told *AuthorizeError
	if errors.As(answer, &told) && told.Response == nil {
		return a, err
	}
	return a, answer
}

// validate checks the form, and has fosite check the parameters that it may see.
func (s *Server) validate(ctx context.Context, client *clients.Client, form url.Values) (Authorization, error) {
	form, refusal := s.unpack(ctx, client, form)
	if refusal != nil {
		return s.refuse(client, form, refusal)
	}
	requirements, cleaned, refusal := read(client, form)
	if refusal != nil {
		return s.refuse(client, form, refusal)
	}
	wanted, err := s.readClaims(form.Get("claims"))
	if err != nil {
		return s.refuse(client, form, asError(err))
	}
	if client.Contract == contract.OktaIDV {
		if refusal := checkOkta(wanted); refusal != nil {
			return s.refuse(client, form, refusal)
		}
	}
	if _, err := s.fositeRequest(ctx, cleaned); err != nil { // which requires the redirect_uri, and a registered one
		return s.refuse(client, form, asError(err))
	}
	account, err := s.namedAccount(ctx, client, form, wanted)
	if err != nil {
		return s.refuse(client, form, asError(err))
	}
	if refusal := checkAccount(account); refusal != nil {
		return s.refuse(client, form, refusal)
	}
	return Authorization{
		ClientID: client.ID, RedirectURI: form.Get("redirect_uri"), State: form.Get("state"), Mode: ResponseMode(form.Get("response_mode")),
		Form: cleaned, Account: account, AuthnRequirements: requirements, Claims: form.Get("claims"), CodeKey: form.Get("dpop_jkt"),
	}, nil
}

// refuse sends the error to the client if, and only if, the redirect_uri is registered for it: anything else would be
// an open redirector (RFC 6749 §4.1.2.1).
func (s *Server) refuse(client *clients.Client, form url.Values, refusal *problem.Error) (Authorization, error) {
	a := Authorization{ClientID: client.ID, RedirectURI: form.Get("redirect_uri"), State: form.Get("state"), Mode: ResponseMode(form.Get("response_mode"))}
	if !registered(client, a.RedirectURI) || len(a.State) > maxState {
		return Authorization{}, &AuthorizeError{Problem: refusal}
	}
	if !a.Mode.valid() {
		a.Mode = ModeQuery
	}
	response, err := s.respond(client, a, errorParameters(refusal))
	if err != nil {
		return Authorization{}, &AuthorizeError{Problem: problem.ServerError(err)}
	}
	return Authorization{}, &AuthorizeError{Problem: refusal, Response: &response}
}

// registered reports whether the request names a redirect URI, and exactly one that the client registered.
func registered(client *clients.Client, address string) bool {
	uri, err := fosite.MatchRedirectURIWithClientRedirectURIs(address, fositeClient{client})
	return address != "" && err == nil && fosite.IsValidRedirectURI(uri)
}

// fositeRequest has fosite validate a form that contains only the parameters that fosite may see.
func (s *Server) fositeRequest(ctx context.Context, cleaned url.Values) (fosite.AuthorizeRequester, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.issuer+"/authorize?"+cleaned.Encode(), nil) //nolint:gosec // fosite parses it; it is never sent
	if err != nil {
		return nil, fmt.Errorf("rebuild authorization request: %w", err)
	}
	return s.fosite.NewAuthorizeRequest(ctx, r)
}

// Grant describes the authenticated person: after a successful recovery, or by a session.
type Grant struct {
	Transaction string
	Profile     string // the recovery profile under which the person was verified
	Session     string // sid (OpenID Connect Back-Channel Logout 1.0 §2.1); "" without a session
	Account     string // the directory's id of the account; "" if Failed
	Subject     string // sub, which stays the same in every token that comes of this grant
	AuthTime    time.Time
	ACR         string
	AMR         []string
	// Failed means that the person was not approved. Only the contract okta-idv returns a code for that.
	Failed bool
	// FromSession means that the browser's session answers, and not the end of Transaction.
	FromSession bool
}

// Grant issues a code for the transaction and returns the response with it.
func (s *Server) Grant(ctx context.Context, a Authorization, g Grant) (Response, error) {
	client, err := s.Client(ctx, a.ClientID)
	switch {
	case err != nil:
		return Response{}, err
	case g.Failed && client.Contract != contract.OktaIDV:
		return Response{}, errors.New("a person who was not approved gets no code")
	case client.Contract == contract.EntraExternalMethod:
		return s.grantEntra(ctx, client, a)
	}
	requester, err := s.fositeRequest(ctx, a.Form)
	if err != nil {
		return Response{}, fmt.Errorf("check the authorization request again: %w", err)
	}
	for _, scope := range requester.GetRequestedScopes() {
		requester.GrantScope(scope)
	}
	sess := &session{
		Transaction: g.Transaction, Profile: g.Profile, SessionID: g.Session, Account: g.Account, Subject: g.Subject, AuthTime: g.AuthTime, ACR: g.ACR, AMR: g.AMR,
		Nonce: a.Form.Get("nonce"), ClaimsRequest: a.Claims, CodeKey: a.CodeKey,
		Failed: g.Failed, FromSession: g.FromSession,
	}
	response, err := s.fosite.NewAuthorizeResponse(ctx, requester, sess.hydrate())
	if err != nil {
		return Response{}, fmt.Errorf("make authorization code: %w", err)
	}
	answer, err := s.answer(ctx, a, url.Values{"code": {response.GetCode()}})
	answer.CodeID = storage.Digest(s.codes.AuthorizeCodeSignature(ctx, response.GetCode()))
	return answer, err
}

// Reject ends the authorization with an error and returns the response for the client.
func (s *Server) Reject(ctx context.Context, a Authorization, refusal *problem.Error) (Response, error) {
	return s.answer(ctx, a, errorParameters(refusal))
}

// answer ends the authorization: it deletes the pushed request and builds the response.
func (s *Server) answer(ctx context.Context, a Authorization, parameters url.Values) (Response, error) {
	client, err := s.Client(ctx, a.ClientID)
	if err != nil {
		return Response{}, err
	}
	if err := s.deletePushed(ctx, a); err != nil {
		return Response{}, err
	}
	return s.respond(client, a, parameters)
}
