package possession

import (
	"net/http"
	"net/url"
	"strings"

	"regain/provider/problem"
)

// CodeInvalidToken is the error of a request whose access token is not good for it (RFC 6750 §3.1).
const CodeInvalidToken = "invalid_token"

// Presented is an access token as sent in a request.
type Presented struct{ Scheme, Token string }

// PresentedToken returns the token from the Authorization header, or a bearer token from the body of a POST (RFC 6750
// §2.1, §2.2), never from the query (RFC 9700 §4.3.2). A request with both is refused.
func PresentedToken(r *http.Request, form url.Values) (Presented, error) {
	headers, inBody := r.Header.Values("Authorization"), form.Get("access_token")
	if r.Method != http.MethodPost {
		inBody = ""
	}
	if len(headers) == 0 && inBody != "" {
		return Presented{"Bearer", inBody}, nil
	}
	if len(headers) > 1 || len(headers) == 1 && inBody != "" {
		return Presented{}, problem.InvalidRequest("Send the access token once.")
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") && !strings.EqualFold(scheme, "DPoP") || token == "" {
		return Presented{}, problem.New(http.StatusUnauthorized, CodeInvalidToken, "Send the access token as Authorization: Bearer, or DPoP.")
	}
	return Presented{scheme, token}, nil
}
