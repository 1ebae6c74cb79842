package wallet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"regain/conformance/wallet/agent"
	"regain/conformance/wallet/dcql"
	"regain/conformance/wallet/request"
)

// RequestError says why a verifier's request was turned down. The verifier does not know of it
// before Report tells it, and somebody who cannot be authenticated is never told.
type RequestError = request.Error

// ErrExpired reports a request whose time is over.
var ErrExpired = request.ErrExpired

// Flow says how a request reached the wallet.
type Flow string

// The flows of OpenID4VP 1.0 §3 and Appendix A.
const (
	SameDevice  Flow = "same device"  // a link was opened on the phone itself
	CrossDevice Flow = "cross device" // a code was scanned from another screen
	Digital     Flow = "digital"      // a page asked over the Digital Credentials API
)

// Request is a verifier's request, authenticated and understood. It prints as its verifier only.
type Request struct {
	Verifier      string                // who asks, as its certificate or its identifier says
	Authenticated bool                  // false: nothing is known of who asks but where the answer goes
	Host          string                // where the answer goes
	Purpose       string                // what for, in the verifier's words; empty when it does not say
	Flow          Flow                  //
	Expires       time.Time             // zero when the request sets no limit
	Shares        []Share               // what would be shared, in the verifier's order
	Missing       []string              // types of the credentials that are asked for and not held; then nothing can be shared
	Transactions  []request.Transaction // what sharing authorises
	Info          []request.Info        // what others attest about the verifier; nothing of it is validated

	asked    *request.Request
	reviewed time.Time
}

// Share is one presentation.
type Share struct {
	Query      string     // the verifier's id for it
	Type       string     // vct or docType of what is shared
	Credential Credential // what is shared; for a receipt, what the Face Check is taken for
	Claims     []string   // paths of the claims, as the verifier wrote them; of an mdoc namespace/element
	FaceCheck  bool       // a receipt, which comes from taking a Face Check after the review

	query      dcql.Credential
	places     [][]any
	authorises []request.Transaction
}

// String names the presentation without its content.
func (s Share) String() string { return fmt.Sprintf("%s of %s", s.Query, s.Credential) }

// GoString is String.
func (s Share) GoString() string { return s.String() }

// LogValue is String for slog.
func (s Share) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is String for JSON.
func (s Share) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

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

// ResponseURI is where the answer goes, empty over the Digital Credentials API.
func (r *Request) ResponseURI() string { return r.asked.Channel.ResponseURI }

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

// Review reads the request that a link is or points to, authenticates who asks, and works out what
// would be shared. Nothing is shared yet. An error of type *RequestError means that the request
// must not be answered but by Report.
func (w *Wallet) Review(ctx context.Context, walletURL string) (*Request, error) {
	asked, err := w.requests.Read(ctx, walletURL)
	if err != nil {
		return nil, err
	}
	return w.review(ctx, asked, SameDevice)
}

func (w *Wallet) review(ctx context.Context, asked *request.Request, flow Flow) (*Request, error) {
	r := &Request{
		Verifier: asked.Verifier.Name, Authenticated: asked.Verifier.Authenticated, Host: hostOf(asked.Channel.ResponseURI),
		Purpose: purpose(asked.Query), Flow: flow, Expires: asked.Expires, Transactions: asked.Transactions, Info: asked.Info,
		asked: asked, reviewed: w.cfg.Clock(),
	}
	if flow == Digital {
		r.Host = hostOf(asked.Channel.Origin)
	}
	r.Shares, r.Missing = w.held.match(asked)
	if err := r.authorise(); err != nil {
		return nil, asked.TurnDown(request.InvalidTransactionData, err)
	}
	w.cfg.Logger.InfoContext(ctx, "request reviewed", "request", r, "missing", len(r.Missing))
	return r, nil
}

// authorise gives each transaction to the first presentation that may authorise it, and to no
// other (OpenID4VP 1.0 §5.1).
func (r *Request) authorise() error {
	if len(r.Missing) > 0 {
		return nil // nothing will be shared
	}
	for _, t := range r.Transactions {
		at := slices.IndexFunc(r.Shares, func(s Share) bool { return slices.Contains(t.Queries, s.Query) })
		if at < 0 {
			return errors.New("no credential that is shared can authorise a transaction")
		}
		r.Shares[at].authorises = append(r.Shares[at].authorises, t)
	}
	for _, s := range r.Shares {
		if _, _, ok := request.Hashes(s.authorises); !ok {
			return errors.New("the transactions of one credential have no hash in common")
		}
	}
	return nil
}

func purpose(q dcql.Query) string {
	for _, s := range q.Sets {
		if s.Purpose != "" {
			return agent.Clip(s.Purpose)
		}
	}
	return ""
}
