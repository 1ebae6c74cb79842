package presentation

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Link is the link, or the content of the QR code, that invokes a wallet: its authorization endpoint with client_id,
// request_uri and perhaps request_uri_method (OpenID4VP 1.0 §5, §5.10, RFC 9101 §5.2). responseURI is where the answer to
// that request goes, for the client_id that says so.
//
// The endpoint's own query is kept. Nothing else goes into the URL, since a wallet must ignore it there and a conformance
// suite complains. Endpoints that a browser would execute or open as a file are refused.
func (p Profile) Link(requestURI, responseURI string) (string, error) {
	if p.ByValue {
		return "", errors.New("building the wallet's link: this profile has the request in it: use LinkWith")
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

// LinkWith is the link that holds the whole request: signed in `request`, or parameter by parameter where nobody signs
// (OpenID4VP 1.0 §5, RFC 9101 §5.1).
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

// parameter of a link; an object is the text of its JSON (§5.1). They are in a list, so that a link reads in the order of
// the specification.
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

// CheckEndpoint refuses an endpoint that leads to no wallet, and one that a browser would execute or open as a file.
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
