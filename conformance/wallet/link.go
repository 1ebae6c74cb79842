package wallet

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// RequestError says why a verifier's request was turned down. Code is what OpenID4VP 1.0 §8.5
// calls it. Nothing was told to the verifier: somebody who cannot be authenticated gets no answer.
type RequestError struct {
	Code string
	Err  error
}

func (e *RequestError) Error() string { return "request turned down: " + e.Code + ": " + e.Err.Error() }
func (e *RequestError) Unwrap() error { return e.Err }

// ErrExpired reports a request whose time is over.
var ErrExpired = errors.New("the request has expired")

func turnDown(code, format string, args ...any) error {
	return &RequestError{Code: code, Err: fmt.Errorf(format, args...)}
}

// link is the outer request: what stands in a link or a QR code (OpenID4VP 1.0 §5, §5.10).
type link struct {
	clientID   string
	requestURI string
	post       bool
}

// parseLink reads a link of any scheme: openid4vp://, haip-vp:// or a wallet's own https address.
// Members it does not know are ignored; the request object alone counts (§5.10.1).
func parseLink(raw string) (link, error) {
	if len(raw) > maxURL {
		return link{}, turnDown("invalid_request", "the link is longer than %d characters", maxURL)
	}
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Scheme == "" {
		return link{}, turnDown("invalid_request", "it is not a link")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return link{}, turnDown("invalid_request", "the link's query is malformed")
	}
	for _, name := range []string{"client_id", "request_uri", "request_uri_method", "request"} {
		if len(query[name]) > 1 {
			return link{}, turnDown("invalid_request", "the link names %s twice", name)
		}
	}
	if query.Has("request") {
		return link{}, turnDown("invalid_request", "the link holds a request by value; this wallet takes them by reference")
	}
	l := link{clientID: query.Get("client_id"), requestURI: query.Get("request_uri")}
	if !strings.HasPrefix(l.clientID, hashPrefix) {
		return link{}, turnDown("invalid_request", "client_id does not begin with x509_hash:, the one kind this wallet knows")
	}
	if err := checkEndpoint(l.requestURI); err != nil {
		return link{}, turnDown("invalid_request", "request_uri: %w", err)
	}
	switch method := query.Get("request_uri_method"); {
	case !query.Has("request_uri_method"), method == "get":
	case method == "post":
		l.post = true
	default:
		return link{}, turnDown("invalid_request_uri_method", "request_uri_method is neither get nor post")
	}
	return l, nil
}
