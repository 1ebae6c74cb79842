package request

import (
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	"regain/conformance/wallet/dcql"
)

// Request is what a verifier asks, authenticated and understood. It prints as its verifier only.
type Request struct {
	Verifier     Verifier
	Channel      Channel
	Nonce        string
	Query        dcql.Query
	Formats      Formats
	Transactions []Transaction
	Info         []Info
	Expires      time.Time // zero when the request sets no limit
}

// Verifier is who asks.
type Verifier struct {
	Name          string // what a person is shown
	ClientID      string // with its prefix, as it stands in the request; empty where it has none
	Prefix        Prefix
	Authenticated bool // false: all that is known is where the answer goes
}

// Audience is whom presentations are made for: the full client_id (OpenID4VP 1.0 §14.10), and over the Digital
// Credentials API the origin even if there is a client_id (OpenID4VP 1.0 Appendix A.4).
func (r *Request) Audience() string {
	if r.Channel.Origin != "" {
		return string(Origin) + ":" + r.Channel.Origin
	}
	return r.Verifier.ClientID
}

func (r *Request) withoutHolder() bool {
	return slices.ContainsFunc(r.Query.Credentials, func(c dcql.Credential) bool { return !c.NeedsHolder() })
}

// String names the verifier and nothing that could answer in its place.
func (r *Request) String() string { return "request of " + r.Verifier.Name }

// GoString is String.
func (r *Request) GoString() string { return r.String() }

// LogValue is String for slog.
func (r *Request) LogValue() slog.Value { return slog.StringValue(r.String()) }

// MarshalText is String for JSON.
func (r *Request) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Info is an attestation about the verifier, as somebody else made it (OpenID4VP 1.0 §5.11). The wallet carries
// it and judges nothing by it, so it validates none.
type Info struct {
	Format  string
	Data    json.RawMessage // an object or a string
	Queries []string        // ids of the credential queries it is about; nil: all
}

// TurnDown makes the error of a request that was understood and cannot be answered.
func (r *Request) TurnDown(code string, err error) error {
	return &Error{Code: code, Err: err, To: &r.Channel}
}
