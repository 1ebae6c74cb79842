package request

import (
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/wallet/address"
)

// link is the outer request: what stands in a link or a QR code (OpenID4VP 1.0 §5, §5.10). Exactly
// one of reference, value and parameters is there.
type link struct {
	clientID   string
	reference  string          // request_uri
	post       bool            // request_uri_method
	value      string          // request
	parameters json.RawMessage // the request itself, as the JSON that a request object would hold
}

// parseLink reads a link of any scheme: openid4vp://, haip-vp:// or a wallet's own https address.
// Where there is a request object, it alone counts, and other members are ignored (OpenID4VP 1.0 §5.10.1).
func (p Policy) parseLink(raw string) (link, error) {
	if len(raw) > address.Longest {
		return link{}, turnDown(InvalidRequest, "the link is longer than %d characters", address.Longest)
	}
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Scheme == "" {
		return link{}, turnDown(InvalidRequest, "it is not a link")
	}
	if p.LiteralPlus {
		u.RawQuery = strings.ReplaceAll(u.RawQuery, "+", "%2B")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return link{}, turnDown(InvalidRequest, "the link's query is malformed")
	}
	for _, name := range slices.Concat(texts(), objects(), []string{"request", "request_uri", "request_uri_method"}) {
		if len(query[name]) > 1 { // RFC 6749 §3.1
			return link{}, turnDown(InvalidRequest, "the link names %s twice", name)
		}
	}
	l := link{clientID: query.Get("client_id"), reference: query.Get("request_uri"), value: query.Get("request")}
	if err := l.readMethod(query); err != nil {
		return link{}, err
	}
	switch {
	case query.Has("request") && query.Has("request_uri"):
		return link{}, turnDown(InvalidRequest, "it holds a request both by value and by reference") // RFC 9101 §5
	case query.Has("request"):
		return l, nil
	case query.Has("request_uri"):
		if err := address.CheckEndpoint(l.reference); err != nil {
			return link{}, turnDown(InvalidRequest, "request_uri: %w", err)
		}
		return l, nil
	}
	l.parameters, err = asJSON(query)
	return l, err
}

func (l *link) readMethod(query url.Values) error {
	method := query.Get("request_uri_method")
	switch {
	case !query.Has("request_uri_method"):
		return nil
	case method != "get" && method != "post":
		return turnDown(InvalidRequestURIMethod, "request_uri_method is neither get nor post")
	case !query.Has("request_uri"):
		return turnDown(InvalidRequest, "request_uri_method without request_uri")
	}
	l.post = method == "post"
	return nil
}

// texts and objects are the parameters that may stand in a link; objects are written as JSON
// there (OpenID4VP 1.0 §5.1). What only a JWT has, such as exp, says nothing here.
func texts() []string {
	return []string{"client_id", "response_type", "response_mode", "response_uri", "redirect_uri", "nonce", "state", "scope"}
}

func objects() []string {
	return []string{"dcql_query", "client_metadata", "transaction_data", "verifier_info"}
}

// asJSON writes the parameters of a link as a request object would.
func asJSON(query url.Values) (json.RawMessage, error) {
	members := map[string]*json.RawMessage{} // pointers: go-jose writes a bare RawMessage as base64
	for _, name := range texts() {
		if !query.Has(name) {
			continue
		}
		text, err := json.Marshal(query.Get(name))
		if err != nil {
			return nil, turnDown(InvalidRequest, "%s is not text", name)
		}
		raw := json.RawMessage(text)
		members[name] = &raw
	}
	for _, name := range objects() {
		if !query.Has(name) {
			continue
		}
		raw := json.RawMessage(query.Get(name))
		var value any
		if err := json.Unmarshal(raw, &value); err != nil {
			return nil, turnDown(InvalidRequest, "%s is not JSON", name)
		}
		members[name] = &raw
	}
	if len(members) == 0 {
		return nil, turnDown(InvalidRequest, "the link holds no request")
	}
	raw, err := json.Marshal(members)
	if err != nil {
		return nil, turnDown(InvalidRequest, "its parameters cannot be read together")
	}
	return raw, nil
}
