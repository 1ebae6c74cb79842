package presentation

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Link returns the link, or the content of the QR code, that invokes a wallet: its authorization endpoint with
// client_id, request_uri and, unless the wallet fetches by GET, request_uri_method (OpenID4VP 1.0 §5, §5.10, RFC 9101
// §5.2). responseURI is the response URI of the request, which is the client_id of the prefix redirect_uri.
//
// The link keeps the endpoint's own query. It has no other request parameters: wallets must ignore them outside the
// request object (RFC 9101 §5), and the OpenID Foundation's conformance suite complains about them.
func (p Profile) Link(requestURI, responseURI string) (string, error) {
	if p.ByValue {
		return "", errors.New("building the wallet's link: this profile puts the request into the link: use LinkWith")
	}
	if err := checkURI(requestURI); err != nil {
		return "", fmt.Errorf("building the wallet's link: request_uri: %w", err)
	}
	parameters := []parameter{{"client_id", p.Identity.ClientID(responseURI)}, {"request_uri", requestURI}}
	if !p.FetchByGet {
		parameters = append(parameters, parameter{"request_uri_method", "post"})
	}
	return p.link(parameters)
}

// LinkWith returns a link with the whole request: as a request object in `request`, or, if the identity does not sign,
// as one parameter each (OpenID4VP 1.0 §5, RFC 9101 §5.1).
func (p Profile) LinkWith(r Request, now time.Time) (string, error) {
	parameters, err := p.parametersOf(r, now)
	if err != nil {
		return "", fmt.Errorf("building the wallet's link: %w", err)
	}
	return p.link(parameters)
}

func (p Profile) parametersOf(r Request, now time.Time) ([]parameter, error) {
	if !p.ByValue {
		return nil, errors.New("this profile has the request fetched: use Link")
	}
	if r.Mode.Browser() {
		return nil, errors.New("the request is for a browser")
	}
	if p.Identity.Signs() {
		object, err := p.requestObject(r, RequestObjectParams{Now: now})
		return []parameter{{"client_id", r.ClientID}, {"request", string(object)}}, err
	}
	if err := p.ready(r, now); err != nil {
		return nil, err
	}
	query, errQuery := json.Marshal(r.Query)
	data, errData := json.Marshal(r.TransactionData)
	parameters := []parameter{
		{"response_type", responseType}, {"client_id", r.ClientID}, {"response_mode", string(r.Mode)}, {"response_uri", r.ResponseURI},
		{"nonce", r.Nonce}, {"state", r.State}, {"dcql_query", string(query)},
	}
	if !p.registered() {
		parameters = append(parameters, parameter{"client_metadata", string(r.clientMetadata())})
	}
	if len(r.TransactionData) > 0 {
		parameters = append(parameters, parameter{"transaction_data", string(data)})
	}
	if p.VerifierInfo != nil {
		parameters = append(parameters, parameter{"verifier_info", string(p.VerifierInfo)})
	}
	return parameters, errors.Join(errQuery, errData)
}

// parameter is a parameter of a link. The value of an object is its JSON text (OpenID4VP 1.0 §5.1). Parameters are in a
// list and not in url.Values to keep the order of the specification.
type parameter struct{ name, value string }

func (p Profile) link(parameters []parameter) (string, error) {
	u, err := walletEndpoint(p.Endpoint)
	if err != nil {
		return "", fmt.Errorf("building the wallet's link: endpoint: %w", err)
	}
	var b strings.Builder
	b.WriteString(u.RawQuery)
	for _, one := range parameters {
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(one.name + "=" + url.QueryEscape(one.value))
	}
	u.RawQuery = b.String()
	return u.String(), nil
}

// CheckEndpoint returns an error for an endpoint that does not invoke a wallet. It refuses schemes that a browser would
// execute or open as a file, such as javascript and data, because the endpoint becomes a link on our pages.
func CheckEndpoint(endpoint string) error {
	_, err := walletEndpoint(endpoint)
	return err
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
	for _, name := range []string{
		"client_id", "request_uri", "request_uri_method", "request", "response_type", "response_mode", "response_uri", "redirect_uri", "nonce",
		"state", "scope", "dcql_query", "client_metadata", "transaction_data", "verifier_info",
	} {
		if existing.Has(name) {
			return nil, fmt.Errorf("its query holds %s already", name)
		}
	}
	return u, nil
}
