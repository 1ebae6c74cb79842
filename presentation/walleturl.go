package presentation

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// WalletURL is the link, or the content of the QR code, that invokes a wallet: its authorization
// endpoint with client_id, request_uri and request_uri_method=post (OpenID4VP 1.0 §5, RFC 9101 §5.2).
//
// endpoint is openid4vp://authorize, another custom scheme, or an https URL of the wallet; its query
// is kept. Nothing else goes into the URL, since a wallet must ignore it there and a conformance
// suite complains. Endpoints that a browser would execute or open as a file are refused.
func WalletURL(endpoint, clientID, requestURI string) (string, error) {
	u, err := walletEndpoint(endpoint)
	if err != nil {
		return "", fmt.Errorf("building the wallet's URL: endpoint: %w", err)
	}
	if prefix, id, ok := strings.Cut(clientID, ":"); !ok || prefix == "" || id == "" {
		return "", errors.New("building the wallet's URL: client_id has no prefix")
	}
	if err := checkURI(requestURI); err != nil {
		return "", fmt.Errorf("building the wallet's URL: request_uri: %w", err)
	}
	query := "client_id=" + url.QueryEscape(clientID) +
		"&request_uri=" + url.QueryEscape(requestURI) +
		"&request_uri_method=post"
	if u.RawQuery != "" {
		query = u.RawQuery + "&" + query
	}
	u.RawQuery = query
	return u.String(), nil
}

func walletEndpoint(endpoint string) (*url.URL, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, errors.New("it is not a URL")
	}
	switch u.Scheme {
	case "https", "http":
		if err := checkURI(endpoint); err != nil {
			return nil, err
		}
	case "", "javascript", "vbscript", "data", "file", "blob", "filesystem", "about", "view-source", "ftp", "ws", "wss", "mailto", "tel", "sms":
		return nil, fmt.Errorf("scheme %q does not lead to a wallet", u.Scheme)
	}
	if u.Opaque != "" || u.User != nil || strings.Contains(endpoint, "#") || !strings.Contains(endpoint, "://") {
		return nil, errors.New("it has to have the form scheme://…, without user and fragment")
	}
	existing, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errors.New("its query cannot be read")
	}
	for _, name := range []string{"client_id", "request_uri", "request_uri_method", "request"} {
		if existing.Has(name) {
			return nil, fmt.Errorf("its query holds %s already", name)
		}
	}
	return u, nil
}
