package authenticator

import "github.com/go-jose/go-jose/v4/json"

// ParseLink is parseLink.
func ParseLink(raw string) (requestURI string, err error) {
	l, err := parseLink(raw)
	return l.requestURI, err
}

// Understand is what Review does with the payload of a request object, once it is known who signed
// it. It returns how many credentials would be shared and how many are missing.
func (w *Wallet) Understand(payload []byte) (shares, missing int, err error) {
	var o requestObject
	if err := json.Unmarshal(payload, &o); err != nil {
		return 0, 0, err
	}
	r, err := w.understand(o)
	if err != nil {
		return 0, 0, err
	}
	return len(r.Shares), len(r.Missing), nil
}
