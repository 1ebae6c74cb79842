package oauth

import (
	"fmt"
	"net/url"

	"regain/provider/problem"
)

// ResponseMode is how an authorization response travels (OAuth 2.0 Multiple Response Type Encoding Practices §2.1).
type ResponseMode string

// The supported modes; the empty one is query, the default of response_type=code.
const (
	ModeQuery    ResponseMode = "query"
	ModeFormPost ResponseMode = "form_post" // OAuth 2.0 Form Post Response Mode
)

// ResponseModes lists the supported modes.
func ResponseModes() []ResponseMode { return []ResponseMode{ModeQuery, ModeFormPost} }

func (m ResponseMode) valid() bool {
	switch m {
	case "", ModeQuery, ModeFormPost:
		return true
	}
	return false
}

// Response is an authorization response: what the browser carries to the client. Every one names its issuer (RFC 9207
// §2, errors included) and gives back the state.
type Response struct {
	RedirectURI string
	Mode        ResponseMode
	Parameters  url.Values
}

// Location is where a response in the query goes.
func (r Response) Location() (string, error) {
	u, err := url.Parse(r.RedirectURI)
	if err != nil {
		return "", fmt.Errorf("parse redirect_uri: %w", err)
	}
	query := u.Query()
	for name, values := range r.Parameters {
		query[name] = values
	}
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// respond completes the response's parameters.
func (s *Server) respond(a Authorization, parameters url.Values) Response {
	if a.State != "" {
		parameters.Set("state", a.State)
	}
	parameters.Set("iss", s.issuer)
	return Response{RedirectURI: a.RedirectURI, Mode: a.Mode, Parameters: parameters}
}

func errorParameters(refusal *problem.Error) url.Values {
	return url.Values{"error": {refusal.Code}, "error_description": {refusal.Description}}
}
