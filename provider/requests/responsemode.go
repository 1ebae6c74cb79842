package requests

import (
	"net/url"
	"slices"
	"strings"
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

// Valid reports whether the mode is supported, or left out.
func (m ResponseMode) Valid() bool { return m == "" || slices.Contains(ResponseModes(), m) }

// Signed reports whether the parameters are in a JWT.
func (m ResponseMode) Signed() bool { return strings.HasSuffix(string(m), "jwt") }

// Posted reports whether the parameters are in a form that the browser posts, and not in the URL.
func (m ResponseMode) Posted() bool { return m == ModeFormPost || m == ModeFormPostJWT }

// WithQuery adds parameters to a registered redirect URI, whose own characters stay byte for byte: its query component
// must be retained (RFC 6749 §3.1.2), also where it is not a list of parameters as net/url reads them. Client.Validate
// refuses a URI with a fragment, or with one of the parameters in it already.
func WithQuery(address string, parameters url.Values) string {
	separator := "?"
	if _, query, there := strings.Cut(address, "?"); there {
		separator = "&"
		if query == "" || strings.HasSuffix(query, "&") {
			separator = ""
		}
	}
	return address + separator + parameters.Encode()
}
