package oauth

import (
	"net/url"
	"time"

	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/problem"
	"regain/provider/requests"
)

// Response is an authorization response, which the browser carries to the client. Every response, errors included,
// contains the issuer (RFC 9207 §2) and the state.
type Response struct {
	RedirectURI string
	Mode        requests.ResponseMode
	Parameters  url.Values
	CodeID      string // identifies the code in Parameters, for Withdraw; "" without a code
}

// Location returns the URL of a response in the query.
func (r Response) Location() string { return requests.WithQuery(r.RedirectURI, r.Parameters) }

// responseLifetime is the lifetime of a signed response. The browser delivers it at once; JARM §2.1 recommends ten
// minutes at most.
const responseLifetime = 5 * time.Minute

// respond adds state and iss to the response's parameters, and signs them if the mode requires it.
func (s *Server) respond(client *clients.Client, a requests.Authorization, parameters url.Values) (Response, error) {
	if a.State != "" {
		parameters.Set("state", a.State)
	}
	if client.Contract == contract.EntraExternalMethod { // defines no iss, and form_post only
		return Response{RedirectURI: a.RedirectURI, Mode: requests.ModeFormPost, Parameters: parameters}, nil
	}
	if !a.Mode.Signed() {
		parameters.Set("iss", s.issuer)
		return Response{RedirectURI: a.RedirectURI, Mode: a.Mode, Parameters: parameters}, nil
	}
	claims := map[string]any{"iss": s.issuer, "aud": client.ID, "exp": s.clock().Add(responseLifetime).Unix()}
	for name := range parameters {
		claims[name] = parameters.Get(name)
	}
	token, err := s.ring.MintWith(client.Algorithm(), "jarm+jwt", claims)
	if err != nil {
		return Response{}, err
	}
	return Response{RedirectURI: a.RedirectURI, Mode: a.Mode, Parameters: url.Values{"response": {token}}}, nil
}

func errorParameters(refusal *problem.Error) url.Values {
	return url.Values{"error": {refusal.Code}, "error_description": {refusal.Description}}
}
