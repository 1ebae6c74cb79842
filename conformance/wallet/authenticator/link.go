package authenticator

import (
	"fmt"
	"net/url"
	"strings"

	"regain/conformance/wallet"
	"regain/conformance/wallet/address"
)

func turnDown(code, format string, args ...any) error {
	return &wallet.RequestError{Code: code, Err: fmt.Errorf(format, args...)}
}

// link is what stands in a link or a QR code.
type link struct {
	requestURI string
	clientID   string // empty is usual; else the request object's has to be the same
}

// parseLink reads openid-vc://?request_uri=… with anything before the query, openid://vc?…, which
// older services still send, and the address of a web wallet. Members that it does not know are
// ignored: the request object alone counts.
func parseLink(raw string) (link, error) {
	if len(raw) > address.Longest {
		return link{}, turnDown("invalid_request", "the link is longer than %d characters", address.Longest)
	}
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || !ours(u) {
		return link{}, turnDown("invalid_request", "it is not a link for this wallet")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return link{}, turnDown("invalid_request", "the link's query is malformed")
	}
	for _, name := range []string{"request_uri", "request", "client_id"} {
		if len(query[name]) > 1 {
			return link{}, turnDown("invalid_request", "the link names %s twice", name)
		}
	}
	if query.Has("request") {
		return link{}, turnDown("invalid_request", "the link holds a request by value; the profile has them by reference")
	}
	l := link{requestURI: query.Get("request_uri"), clientID: query.Get("client_id")}
	if err := address.CheckEndpoint(l.requestURI); err != nil {
		return link{}, turnDown("invalid_request", "request_uri: %w", err)
	}
	return l, nil
}

func ours(u *url.URL) bool {
	switch u.Scheme {
	case "openid-vc":
		return true
	case "openid":
		return u.Host == "vc"
	case "https", "http":
		_, err := address.Check(u.String())
		return err == nil
	}
	return false
}
