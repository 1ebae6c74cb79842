package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/problem"
	"regain/provider/pushed"
	"regain/provider/requests"
	"regain/storage"
)

// EncodeAuthorization returns the encoding for storage.
func EncodeAuthorization(a requests.Authorization) ([]byte, error) {
	return storage.Encode(a.Stored())
}

// DecodeAuthorization decodes a stored authorization.
func DecodeAuthorization(data []byte) (requests.Authorization, error) {
	var a requests.Authorization
	if err := storage.Decode(data, &a); err != nil {
		return requests.Authorization{}, fmt.Errorf("decode authorization request: %w", err)
	}
	return a.Restored(), nil
}

// Recovers reports whether a stored authorization asks for a recovery token. It decodes nothing else of it, since every page
// of a recovery asks.
func Recovers(data []byte) (bool, error) {
	var a struct {
		Form struct {
			Scope []string `json:"scope"`
		} `json:"form"`
	}
	if err := storage.DecodePart(data, &a); err != nil {
		return false, fmt.Errorf("decode authorization request: %w", err)
	}
	return requests.Authorization{Form: url.Values{"scope": a.Form.Scope}}.Recovers(), nil
}

// Authorize validates the request of GET or POST /authorize, pushed (the default) or by value. Errors are
// *AuthorizeError; only those with a Response may reach the client.
func (s *Server) Authorize(ctx context.Context, form url.Values) (requests.Authorization, error) {
	uri := form.Get("request_uri")
	id, err := s.clientOf(ctx, form.Get("client_id"), uri)
	if err != nil {
		return requests.Authorization{}, &AuthorizeError{Problem: asError(err)}
	}
	client, err := s.Client(ctx, id)
	if err != nil {
		return requests.Authorization{}, &AuthorizeError{Problem: asError(err)}
	}
	switch {
	case client.Contract == contract.EntraExternalMethod:
		a, refusal := s.requests.Entra(ctx, client, form)
		if refusal != nil {
			return s.refuse(client, a, refusal)
		}
		return a, nil
	case uri != "" && !pushed.Is(uri):
		return s.refuse(client, requests.Addressed(client, form), problem.New(http.StatusBadRequest, "request_uri_not_supported", "Only request URIs of this server's PAR endpoint are supported."))
	case uri == "" && !client.AllowUnpushed:
		return s.refuse(client, requests.Addressed(client, form), problem.InvalidRequest("This client must push its requests to the PAR endpoint, and send the request_uri here."))
	case uri == "":
		return s.read(ctx, client, form)
	}
	a, err := s.pushed.Of(ctx, client, uri)
	if err != nil {
		return requests.Authorization{}, &AuthorizeError{Problem: asError(err)}
	}
	a.Pushed = uri // validated when it was pushed; fosite validates it again when it issues the code
	return a, nil
}

// AuthorizeHeld is Authorize for the form of the page that asks for the account. If the request is over, because the person
// took too long or went back to the page after the end, the client hears of it where the form says, which is no more than what
// any request by value may say: the redirect URI has to be registered.
func (s *Server) AuthorizeHeld(ctx context.Context, form url.Values) (requests.Authorization, error) {
	a, err := s.Authorize(ctx, form)
	var refused *AuthorizeError
	if !errors.As(err, &refused) || refused.Problem.Code != pushed.CodeUnknown {
		return a, err
	}
	client, unknown := s.Client(ctx, form.Get("client_id"))
	if unknown != nil {
		return a, err
	}
	_, answer := s.refuse(client, requests.Addressed(client, form), problem.AccessDenied("The person did not name the account in time.").WithCause(err))
	var told *AuthorizeError
	if errors.As(answer, &told) && told.Response == nil {
		return a, err
	}
	return a, answer
}

// read reads a request, and refuses it as refuse does.
func (s *Server) read(ctx context.Context, client *clients.Client, form url.Values) (requests.Authorization, error) {
	a, refusal := s.requests.Authorization(ctx, client, form)
	if refusal != nil {
		return s.refuse(client, a, refusal)
	}
	return a, nil
}

// refuse sends the error to the client if, and only if, the redirect_uri that the request names is registered for it:
// anything else would be an open redirector (RFC 6749 §4.1.2.1).
func (s *Server) refuse(client *clients.Client, named requests.Authorization, refusal *problem.Error) (requests.Authorization, error) {
	if !s.core.Registered(client, named.RedirectURI) || len(named.State) > requests.MaxState {
		return requests.Authorization{}, &AuthorizeError{Problem: refusal}
	}
	if !named.Mode.Valid() {
		named.Mode = requests.ModeQuery
	}
	response, err := s.respond(client, named, errorParameters(refusal))
	if err != nil {
		return requests.Authorization{}, &AuthorizeError{Problem: problem.ServerError(err)}
	}
	return requests.Authorization{}, &AuthorizeError{Problem: refusal, Response: &response}
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
func (s *Server) Grant(ctx context.Context, a requests.Authorization, g Grant) (Response, error) {
	client, err := s.Client(ctx, a.ClientID)
	switch {
	case err != nil:
		return Response{}, err
	case g.Failed && client.Contract != contract.OktaIDV:
		return Response{}, errors.New("a person who was not approved gets no code")
	case client.Contract == contract.EntraExternalMethod:
		return s.grantEntra(ctx, client, a)
	}
	requester, err := s.core.request(ctx, a.Form)
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
	response, err := s.core.fosite.NewAuthorizeResponse(ctx, requester, sess.hydrate())
	if err != nil {
		return Response{}, fmt.Errorf("make authorization code: %w", err)
	}
	answer, err := s.answer(ctx, a, url.Values{"code": {response.GetCode()}})
	answer.CodeID = storage.Digest(s.codes.AuthorizeCodeSignature(ctx, response.GetCode()))
	return answer, err
}

// Reject ends the authorization with an error and returns the response for the client.
func (s *Server) Reject(ctx context.Context, a requests.Authorization, refusal *problem.Error) (Response, error) {
	return s.answer(ctx, a, errorParameters(refusal))
}

// answer ends the authorization: it deletes the pushed request and builds the response.
func (s *Server) answer(ctx context.Context, a requests.Authorization, parameters url.Values) (Response, error) {
	client, err := s.Client(ctx, a.ClientID)
	if err != nil {
		return Response{}, err
	}
	if err := s.pushed.Delete(ctx, a); err != nil {
		return Response{}, err
	}
	return s.respond(client, a, parameters)
}
