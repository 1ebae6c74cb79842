package presentation

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"regain/presentation/dcql"
)

// MaxLifetime bounds a request's life: long enough for a Face Check, short enough that a stolen QR
// code is soon worthless.
const MaxLifetime = 15 * time.Minute

const secretSize = 32 // bytes of nonce and state; §5.2 and §5.3 want 16 at least

// Request is one presentation request. It is stored, encrypted, with its transaction, and so
// marshals to JSON with its secrets; logs see nothing of it.
type Request struct {
	Nonce       string       `json:"nonce"` // what the wallet's proof of possession signs
	Mode        ResponseMode `json:"mode"`
	ClientID    string       `json:"client_id,omitempty"`    // with its prefix; none where only a browser vouches for us
	State       string       `json:"state,omitempty"`        // comes back with the answer; not through a browser
	ResponseURI string       `json:"response_uri,omitempty"` // where the wallet posts; not through a browser
	Origin      string       `json:"origin,omitempty"`       // of the page that asks through a browser
	Query       dcql.Query   `json:"query"`
	// TransactionData are the encoded objects of §5.1, as they stand in the request: their hashes are over this text.
	TransactionData []string       `json:"transaction_data,omitempty"`
	Key             *EncryptionKey `json:"key,omitempty"` // nil where the answer is not encrypted
	IssuedAt        time.Time      `json:"issued_at"`     // whole seconds, UTC
	ExpiresAt       time.Time      `json:"expires_at"`
}

// RequestParams say what to ask, where to send the answer, and for how long the request lives.
type RequestParams struct {
	ResponseURI string // https, or http on this machine; no fragment. Empty when a browser asks.
	Origin      string // of the page whose browser asks (OpenID4VP 1.0 Appendix A); empty when a wallet is called by a link
	Query       dcql.Query
	// TransactionData tells the wallet what the answer is for, and binds the answer to it; none for wallets that know no
	// such thing, since they must refuse (§8.4).
	TransactionData []TransactionData
	Lifetime        time.Duration // at least a second, at most MaxLifetime
}

func (r RequestParams) validate(p Profile) error {
	switch {
	case (r.ResponseURI == "") == (r.Origin == ""):
		return errors.New("an answer goes to a response_uri or to a page's origin, and not to both")
	case r.Lifetime < time.Second || r.Lifetime > MaxLifetime:
		return fmt.Errorf("a lifetime of %s is not between 1s and %s", r.Lifetime, MaxLifetime)
	}
	if r.Origin != "" {
		if err := p.checkOrigin(r.Origin); err != nil {
			return err
		}
	} else if err := p.checkResponseURI(r.ResponseURI); err != nil {
		return err
	}
	return p.ValidateQuery(r.Query)
}

// NewRequest makes a request with a fresh nonce, state and encryption key. random is the source of
// nonce, state and key id.
func (p Profile) NewRequest(params RequestParams, random io.Reader, now time.Time) (Request, error) {
	made, err := p.newRequest(params, random, now)
	if err != nil {
		return Request{}, fmt.Errorf("making a presentation request: %w", err)
	}
	return made, nil
}

func (p Profile) newRequest(params RequestParams, random io.Reader, now time.Time) (Request, error) {
	if err := p.Validate(); err != nil {
		return Request{}, err
	}
	if err := params.validate(p); err != nil {
		return Request{}, err
	}
	if random == nil {
		return Request{}, errors.New("no source of randomness")
	}
	data, err := encodeTransactionData(params.TransactionData, params.Query)
	if err != nil {
		return Request{}, err
	}
	mode := p.ResponseMode
	if params.Origin != "" {
		mode = mode.inBrowser()
	}
	issued := now.UTC().Truncate(time.Second) // because that is what iat and exp can say
	r := Request{
		Mode: mode, ClientID: p.clientID(mode, params.ResponseURI), ResponseURI: params.ResponseURI, Origin: params.Origin,
		Query: params.Query, TransactionData: data, IssuedAt: issued, ExpiresAt: issued.Add(params.Lifetime),
	}
	return r, r.draw(random)
}

// draw fills in what has to be fresh.
func (r *Request) draw(random io.Reader) (err error) {
	if r.Nonce, err = randomText(random, secretSize); err != nil {
		return err
	}
	if !r.Mode.Browser() {
		if r.State, err = randomText(random, secretSize); err != nil {
			return err
		}
	}
	if r.Mode.Encrypted() {
		key, err := newEncryptionKey(random)
		if err != nil {
			return err
		}
		r.Key = &key
	}
	return nil
}

// Expired reports whether the request is over at now. The zero Request is always over.
func (r Request) Expired(now time.Time) bool { return !now.Before(r.ExpiresAt) }

// Audience is what a presentation for this request must name: the client_id, or through a browser the page's origin,
// even where the request was signed (OpenID4VP 1.0 Appendix A.4).
func (r Request) Audience() string {
	if r.Mode.Browser() {
		return "origin:" + r.Origin
	}
	return r.ClientID
}

// Thumbprint is the SHA-256 thumbprint of the key that answers are encrypted to (RFC 7638), which an mdoc's session
// transcript holds (OpenID4VP 1.0 Appendix B.2.6); nil where they are not.
func (r Request) Thumbprint() []byte {
	if r.Key == nil {
		return nil
	}
	return r.Key.thumbprint()
}

// usable refuses a request that is over or was never made: a zero one would agree with an empty state and an empty kid,
// and one without a mode, as a store that lost half of it might give back, with an answer in the clear.
func (r Request) usable(now time.Time) error {
	own := []string{r.Nonce}
	switch r.Mode {
	case DirectPost, DirectPostJWT:
		own = append(own, r.State)
	case BrowserPlain, BrowserJWT:
	default:
		return errors.New("the presentation request has no response mode")
	}
	if r.Mode.Encrypted() {
		if r.Key == nil || len(r.Key.private) != scalarSize || len(r.Key.point) != pointSize {
			return errors.New("the presentation request has no encryption key")
		}
		own = append(own, r.Key.ID)
	}
	for _, text := range own {
		if text == "" || strings.ContainsFunc(text, func(c rune) bool { return c != '-' && c != '_' && !isAlphanumeric(c) }) {
			return errors.New("the presentation request was not made by NewRequest")
		}
	}
	if r.Expired(now) {
		return ErrExpired
	}
	return nil
}

// Format keeps the request out of every fmt verb.
func (Request) Format(f fmt.State, _ rune) { redact(f, "Request") }

// LogValue shows slog when the request ends and nothing else.
func (r Request) LogValue() slog.Value {
	return slog.GroupValue(slog.String("request", redacted), slog.Time("expires_at", r.ExpiresAt))
}
