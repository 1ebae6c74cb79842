package oauth

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/problem"
)

// ResponseMode is the encoding of an authorization response (OAuth 2.0 Multiple Response Type Encoding Practices
// §2.1).
type ResponseMode string

// The supported modes. The empty mode is query, the default for response_type=code.
const (
	ModeQuery    ResponseMode = "query"
	ModeFormPost ResponseMode = "form_post" // OAuth 2.0 Form Post Response Mode

	// JWT Secured Authorization Response Mode for OAuth 2.0 (JARM) §2.3: the parameters are claims of one signed JWT.
	ModeJWT         ResponseMode = "jwt" // means query.jwt, for response_type=code
	ModeQueryJWT    ResponseMode = "query.jwt"
	ModeFormPostJWT ResponseMode = "form_post.jwt"
)

// ResponseModes lists the supported modes.
func ResponseModes() []ResponseMode {
	return []ResponseMode{ModeQuery, ModeFormPost, ModeJWT, ModeQueryJWT, ModeFormPostJWT}
}

func (m ResponseMode) valid() bool { return m == "" || slices.Contains(ResponseModes(), m) }

func (m ResponseMode) signed() bool { return strings.HasSuffix(string(m), "jwt") }

// Posted reports whether the parameters are in a form that the browser posts, and not in the URL.
func (m ResponseMode) Posted() bool { return m == ModeFormPost || m == ModeFormPostJWT }

// Response is an authorization response, which the browser carries to the client. Every response, errors included,
// contains the issuer (RFC 9207 §2) and the state.
type Response struct {
	RedirectURI string
	Mode        ResponseMode
	Parameters  url.Values
	CodeID      string // identifies the code in Parameters, for Withdraw; "" without a code
}

// Location returns the URL of a response in the query.
func (r Response) Location() string { return withQuery(r.RedirectURI, r.Parameters) }

// withQuery adds parameters to a registered redirect URI, whose own characters stay byte for byte: its query component
// must be retained (RFC 6749 §3.1.2), also where it is not a list of parameters as net/url reads them. Client.Validate
// refuses a URI with a fragment, or with one of the parameters in it already.
func withQuery(address string, parameters url.Values) string {
	separator := "?"
	if _, query, there := strings.Cut(address, "?"); there {
		separator = "&"
		if query == "" || strings.HasSuffix(query, "&") {
			separator = ""
		}
	}
	return address + separator + parameters.Encode()
}

// responseLifetime is the lifetime of a signed response. The browser delivers it at once; JARM §2.1 recommends ten
// minutes at most.
const responseLifetime = 5 * time.Minute

// respond adds state and iss to the response's parameters, and signs them if the mode requires it.
func (s *Server) respond(client *clients.Client, a Authorization, parameters url.Values) (Response, error) {
	if a.State != "" {
		parameters.Set("state", a.State)
	}
	if client.Contract == contract.EntraExternalMethod { // defines no iss, and form_post only
		return Response{RedirectURI: a.RedirectURI, Mode: ModeFormPost, Parameters: parameters}, nil
	}
	if !a.Mode.signed() {
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
