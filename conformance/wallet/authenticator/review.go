package authenticator

import (
	"context"
	"log/slog"
	"net/url"
	"time"

	"regain/conformance/wallet"
	"regain/conformance/wallet/agent"
	"regain/conformance/wallet/authenticator/domain"
	"regain/conformance/wallet/authenticator/exchange"
)

// Request is a verifier's request, authenticated and understood. It prints as its verifier only.
type Request struct {
	Verifier string        // what the verifier calls itself, else its host; the name is not vouched for
	Domain   domain.Domain // what was found out about the domain it says is its own
	Host     string        // where the answer goes
	Purpose  string        // what for, in the verifier's words; empty when it does not say
	Flow     wallet.Flow   //
	Expires  time.Time
	Shares   []Share  // what would be shared, in the verifier's order
	Missing  []string // types of the credentials that are asked for and not held; then nothing can be shared

	clientID    string
	nonce       string
	state       string
	redirectURI string
	definitions []exchange.Definition
	reviewed    time.Time
}

// Share is the answer to one input descriptor.
type Share struct {
	Descriptor string     // the verifier's id for it
	Type       string     // of what is shared
	Purpose    string     // what the verifier wants it for; empty when it does not say
	Credential Credential // what is shared, all of it; for a receipt, what the Face Check is taken for
	FaceCheck  bool       // a receipt, which comes from taking a Face Check after the review
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

// RedirectURI is where the answer goes.
func (r *Request) RedirectURI() string { return r.redirectURI }

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
	r.Flow = wallet.CrossDevice
	return r, nil
}

// Review fetches the request that a link points to, authenticates who asks, and works out what
// would be shared. Nothing is shared yet. An error of type *wallet.RequestError means that the
// request must not be answered.
func (w *Wallet) Review(ctx context.Context, walletURL string) (*Request, error) {
	l, err := parseLink(walletURL)
	if err != nil {
		return nil, err
	}
	compact, err := w.fetchRequest(ctx, l)
	if err != nil {
		return nil, err
	}
	o, document, err := w.authenticate(ctx, compact, l)
	if err != nil {
		return nil, err
	}
	r, err := w.understand(o)
	if err != nil {
		return nil, err
	}
	r.Domain = domain.Verifier{Agent: w.agent, Resolver: w.resolver, Clock: w.cfg.Clock}.Verify(ctx, document)
	if w.cfg.StrictDomains && !r.Domain.Verified {
		return nil, turnDown("invalid_client", "its domain is not verified: %s", r.Domain.Problem)
	}
	w.cfg.Logger.InfoContext(ctx, "request reviewed", "request", r, "missing", len(r.Missing), "domain_verified", r.Domain.Verified)
	return r, nil
}

// understand turns a request object that is the verifier's into a request.
func (w *Wallet) understand(o requestObject) (*Request, error) {
	if err := o.check(w.cfg.Clock()); err != nil {
		return nil, err
	}
	if err := o.Registration.check(w.holder, w.cfg.Method); err != nil {
		return nil, err
	}
	definitions, err := o.definitions()
	if err != nil {
		return nil, err
	}
	r := &Request{
		Verifier: agent.Clip(o.Registration.Name), Purpose: agent.Clip(o.Registration.Purpose),
		Flow: wallet.SameDevice, Expires: unix(*o.Expires), reviewed: w.cfg.Clock(),
		clientID: o.ClientID, nonce: o.Nonce, state: *o.State, redirectURI: o.RedirectURI, definitions: definitions,
	}
	if u, err := url.Parse(o.RedirectURI); err == nil {
		r.Host = u.Host
	}
	if r.Verifier == "" {
		r.Verifier = shownName(o.ClientID)
	}
	r.Shares, r.Missing = w.held.match(definitions, o.Registration.Formats.VC.Names)
	return r, nil
}
