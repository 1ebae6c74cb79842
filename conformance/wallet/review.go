package wallet

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"regain/conformance/wallet/dcql"
	"regain/conformance/wallet/jwe"
)

// Flow says how a request reached the wallet.
type Flow string

// The two flows of OpenID4VP 1.0 §3.
const (
	SameDevice  Flow = "same device"  // a link was opened on the phone itself
	CrossDevice Flow = "cross device" // a code was scanned from another screen
)

// Request is a verifier's request, authenticated and understood. It prints as its verifier only.
type Request struct {
	Verifier string    // subject of the certificate that signed the request
	Host     string    // where the answer goes
	Purpose  string    // what for, in the verifier's words; empty when it does not say
	Flow     Flow      //
	Expires  time.Time // zero when the request sets no limit
	Shares   []Share   // what would be shared, in the verifier's order
	Missing  []string  // types of the credentials that are asked for and not held; then nothing can be shared

	clientID    string
	nonce       string
	state       string
	responseURI string
	recipient   jwe.Recipient
	reviewed    time.Time
}

// Share is the answer to one credential query.
type Share struct {
	Query      string     // the verifier's id for it
	Type       string     // vct of what is shared
	Credential Credential // what is shared; for a receipt, what the Face Check is taken for
	Claims     []string   // paths of the claims, as the verifier wrote them
	FaceCheck  bool       // a receipt, which comes from taking a Face Check after the review

	query  dcql.Credential
	places [][]any
}

// FaceCheckFor returns the credential that a Face Check has to be taken for before Share, empty
// when none is asked for.
func (r *Request) FaceCheckFor() string {
	for _, s := range r.Shares {
		if s.FaceCheck {
			return s.Credential.ID
		}
	}
	return ""
}

// ResponseURI is where the answer goes.
func (r *Request) ResponseURI() string { return r.responseURI }

// String names the verifier and nothing that could answer in its place.
func (r *Request) String() string { return "request of " + r.Verifier }

// GoString is String.
func (r *Request) GoString() string { return r.String() }

// LogValue is String for slog.
func (r *Request) LogValue() slog.Value { return slog.StringValue(r.String()) }

// MarshalText is String for JSON.
func (r *Request) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Scan is Review for a code that was scanned from another screen.
func (w *Wallet) Scan(ctx context.Context, code string) (*Request, error) {
	r, err := w.Review(ctx, code)
	if err != nil {
		return nil, err
	}
	r.Flow = CrossDevice
	return r, nil
}

// Review fetches the request that a link points to, authenticates who asks, and works out what
// would be shared. Nothing is shared yet. An error of type *RequestError means that the request
// must not be answered.
func (w *Wallet) Review(ctx context.Context, walletURL string) (*Request, error) {
	l, err := parseLink(walletURL)
	if err != nil {
		return nil, err
	}
	compact, walletNonce, err := w.fetchRequest(ctx, l)
	if err != nil {
		return nil, fmt.Errorf("fetching the request: %w", err)
	}
	o, by, err := w.authenticate(compact, l.clientID)
	if err != nil {
		return nil, err
	}
	if err := o.check(w.cfg.Clock(), walletNonce); err != nil {
		return nil, err
	}
	query, err := o.query()
	if err != nil {
		return nil, err
	}
	seal, err := o.Metadata.recipient()
	if err != nil {
		return nil, err
	}
	r := &Request{
		Verifier: clip(by.Name()), Host: hostOf(o.ResponseURI), Purpose: purpose(query), Flow: SameDevice,
		clientID: o.ClientID, nonce: o.Nonce, state: o.State, responseURI: o.ResponseURI,
		recipient: seal, reviewed: w.cfg.Clock(),
	}
	if o.Expires != nil {
		r.Expires = unix(*o.Expires)
	}
	r.Shares, r.Missing = w.match(query)
	w.cfg.Logger.InfoContext(ctx, "request reviewed", "request", r, "missing", len(r.Missing))
	return r, nil
}

func purpose(q dcql.Query) string {
	for _, s := range q.Sets {
		if s.Purpose != "" {
			return clip(s.Purpose)
		}
	}
	return ""
}
