// Package protocol puts the protocols that wallets speak behind one interface: a query goes out, presentations come back.
// What is requested and what an answer means is decided by other packages.
//
//	Wallet.Protocol   the protocol of a kind of wallet: OpenID4VP 1.0, or that of wallets like Microsoft Authenticator
//	New               builds a request to be stored; only the protocol that built it can read it
//	Link, Object      how the wallet gets the request
//	Open              parses the wallet's response; nothing in it is verified yet
//
// Only OpenID4VP 1.0 supports the Digital Credentials API: see [OpenID4VP].
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

// Wallet is a wallet profile: a display name and one of the two protocols.
type Wallet struct {
	// DisplayName is the name for pages, "" for any wallet.
	DisplayName string
	OpenID4VP   *presentation.Profile
	// Authenticator is for wallets like Microsoft Authenticator.
	Authenticator *authenticator.Profile
	// Issuers are DIDs of accepted issuers, a hint for wallets of the protocol authenticator.
	Issuers []string
	// TransactionData requests that the wallet shows and signs which account is recovered; OpenID4VP only.
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

// Protocol is the protocol that one kind of wallet speaks.
type Protocol interface {
	// Formats returns the credential formats that the protocol can request.
	Formats() []string
	// New builds a request to be stored.
	New(w RequestParams) ([]byte, error)
	// Expired reports whether the request can no longer be answered.
	Expired(request []byte, now time.Time) (bool, error)
	// InLink reports whether the link contains the whole request, so that the request must be built before the link.
	InLink() bool
	// Link returns the URL for a link or QR code.
	Link(to Endpoints, request []byte, now time.Time) (string, error)
	// Object returns the response of the request URI. form is that of a POST, nil for a GET.
	Object(request []byte, form url.Values, now time.Time) (Object, error)
	// Open parses the form that a wallet posted.
	Open(request []byte, form url.Values, now time.Time) (Answer, error)
}

// RequestParams holds what a request asks for, and where the response goes.
type RequestParams struct {
	Query           dcql.Query
	ResponseURI     string // "" for the Digital Credentials API
	Origin          string // origin of the page, for the Digital Credentials API
	TransactionData []presentation.TransactionData
	Lifetime        time.Duration
	Now             time.Time
}

// Endpoints are the request URI and the response URI of one request.
type Endpoints struct{ Request, Response string }

// Object is an encoded request object.
type Object struct {
	ContentType string
	Body        []byte
}

// Answer is a parsed response: the wallet's error, or its presentations.
type Answer struct {
	Problem         *presentation.WalletError
	Presentations   map[string]PresentationRef // by the id of the credential query
	IDToken         string                     // self-issued ID token, if the protocol has one
	Session         verifier.Session           // nonce and audience that the presentations must be bound to
	TransactionData []string                   // as sent in the request
}

// PresentationRef is a presentation and the index of the credential in it. It is personal data and lives for one HTTP
// request.
type PresentationRef struct {
	Text string
	At   int
}

// Format keeps an answer out of every fmt verb: presentations and the DID in the ID token are personal data.
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

// IDs returns the ids of the credential queries that were answered, sorted.
func (a Answer) IDs() []string {
	ids := make([]string, 0, len(a.Presentations))
	for id := range a.Presentations {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
