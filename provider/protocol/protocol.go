// Package protocol is how one kind of wallet is asked: the protocol that it speaks, behind one interface. What is asked, and
// what an answer means, is for others to say; here a query goes out and presentations come back.
//
//	Wallet.Protocol   the protocol of a kind of wallet: OpenID4VP 1.0, or that of wallets like Microsoft Authenticator
//	New               a request, to be stored: opaque to everything but the protocol that made it
//	Link, Object      how the wallet comes by it
//	Open              the wallet's response, taken apart: nothing in it has been verified
//
// The Digital Credentials API is OpenID4VP 1.0's own: see [OpenID4VP].
package protocol

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"time"

	"regain/presentation"
	"regain/presentation/authenticator"
	"regain/presentation/dcql"
	"regain/verifier"
)

// Wallet is one kind of wallet: what people call it, and the protocol that it speaks, one of two.
type Wallet struct {
	// DisplayName is what people call it, "" for any wallet.
	DisplayName string
	OpenID4VP   *presentation.Profile
	// Authenticator is for wallets like Microsoft Authenticator.
	Authenticator *authenticator.Profile
	// Issuers are DIDs whose credentials will do; a hint to such wallets.
	Issuers []string
	// TransactionData tells wallets which account is recovered, and has them sign that; OpenID4VP only.
	TransactionData bool
}

// ErrUnknown means that no protocol is configured: the wallet profile was removed.
var ErrUnknown = errors.New("the wallet profile is no longer configured")

// Protocol returns the wallet's protocol. random is the source of nonces, states and key ids.
func (w Wallet) Protocol(random io.Reader) (Protocol, error) {
	switch {
	case w.OpenID4VP != nil:
		return OpenID4VP{Profile: *w.OpenID4VP, random: random}, nil
	case w.Authenticator != nil:
		return siop2022{profile: w.Authenticator, issuers: w.Issuers, random: random}, nil
	}
	return nil, ErrUnknown
}

// Protocol is the protocol of one kind of wallet.
type Protocol interface {
	// Formats are the credential formats that it can ask for.
	Formats() []string
	// New makes a request, to be stored.
	New(w RequestParams) ([]byte, error)
	// Expired reports whether the request can no longer be answered.
	Expired(request []byte, now time.Time) (bool, error)
	// InLink reports whether the link has the whole request in it, so that it must be made first.
	InLink() bool
	// Link is what a link or a QR code says.
	Link(to Endpoints, request []byte, now time.Time) (string, error)
	// Object is what the request URI serves; form is that of a POST, nil for a GET.
	Object(request []byte, form url.Values, now time.Time) (Object, error)
	// Open takes the form apart that a wallet posted.
	Open(request []byte, form url.Values, now time.Time) (Answer, error)
}

// RequestParams is what a request asks, and where its answer goes.
type RequestParams struct {
	Query           dcql.Query
	ResponseURI     string // "" when a browser asks
	Origin          string // of the page, when a browser asks
	TransactionData []presentation.TransactionData
	Lifetime        time.Duration
	Now             time.Time
}

// Endpoints are the two URIs of one request.
type Endpoints struct{ Request, Response string }

// Object is a request object on the wire.
type Object struct {
	ContentType string
	Body        []byte
}

// Answer is an answer that was taken apart: an error of the wallet's, or where each presentation is.
type Answer struct {
	Problem         *presentation.WalletError
	Presentations   map[string]PresentationRef // by the id of the credential query
	IDToken         string                     // self-issued, where the protocol has one
	Session         verifier.Session           // what the presentations must be bound to
	TransactionData []string                   // as it stood in the request
}

// PresentationRef is a presentation, and which credential in it: personal data that lives for one request.
type PresentationRef struct {
	Text string
	At   int
}

// Format keeps an answer out of every fmt verb: its texts are the person's, and so is the DID in its ID token.
func (Answer) Format(f fmt.State, _ rune) { fmt.Fprint(f, "answer[redacted]") }

// LogValue keeps an answer out of slog.
func (Answer) LogValue() slog.Value { return slog.StringValue("answer[redacted]") }

// MarshalJSON keeps an answer out of JSON.
func (Answer) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }

// Format keeps a presentation out of every fmt verb.
func (PresentationRef) Format(f fmt.State, _ rune) { fmt.Fprint(f, "presentation[redacted]") }

// LogValue keeps a presentation out of slog.
func (PresentationRef) LogValue() slog.Value { return slog.StringValue("presentation[redacted]") }

// MarshalJSON keeps a presentation out of JSON.
func (PresentationRef) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }

// IDs are the credential queries that were answered, sorted.
func (a Answer) IDs() []string {
	ids := make([]string, 0, len(a.Presentations))
	for id := range a.Presentations {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
