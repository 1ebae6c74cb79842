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

// MaxLifetime is the maximum lifetime of a request: long enough for a Face Check, short enough that a stolen QR code is
// soon worthless.
const MaxLifetime = 15 * time.Minute

const secretSize = 32 // bytes of nonce and state; OpenID4VP 1.0 §5.2 and §5.3 require at least 16

// Request is a presentation request. It is stored encrypted with its transaction, so its JSON has the secrets. fmt and
// slog do not print them.
type Request struct {
	Nonce       string       `json:"nonce"` // the wallet signs it in the proof of possession
	Mode        ResponseMode `json:"mode"`
	ClientID    string       `json:"client_id,omitempty"`    // with its prefix; empty for an unsigned request through a browser
	State       string       `json:"state,omitempty"`        // returned with the response; empty through a browser
	ResponseURI string       `json:"response_uri,omitempty"` // where the wallet posts; empty through a browser
	Origin      string       `json:"origin,omitempty"`       // of the page; set through a browser only
	Query       dcql.Query   `json:"query"`
	// TransactionData has the base64url texts of the request (OpenID4VP 1.0 §5.1). The hashes in the response are over
	// them.
	TransactionData []string       `json:"transaction_data,omitempty"`
	Key             *EncryptionKey `json:"key,omitempty"` // nil if the response is not encrypted
	IssuedAt        time.Time      `json:"issued_at"`     // whole seconds, UTC
	ExpiresAt       time.Time      `json:"expires_at"`
}

// RequestParams are the query, the destination of the response and the lifetime of a request.
type RequestParams struct {
	ResponseURI string // https, or http on loopback; no fragment. Empty for the Digital Credentials API
	Origin      string // of the page, for the Digital Credentials API (OpenID4VP 1.0 Appendix A); else empty
	Query       dcql.Query
	// TransactionData tells the wallet what the response authorises, and binds the response to it. Leave it out for
	// wallets that do not support it, since they must refuse the request (OpenID4VP 1.0 §8.4).
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

// NewRequest makes a request with a new nonce, state and encryption key. random is the source of nonce, state and key
// id.
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
	issued := now.UTC().Truncate(time.Second) // the precision of iat and exp
	r := Request{
		Mode: mode, ClientID: p.clientID(mode, params.ResponseURI), ResponseURI: params.ResponseURI, Origin: params.Origin,
		Query: params.Query, TransactionData: data, IssuedAt: issued, ExpiresAt: issued.Add(params.Lifetime),
	}
	return r, r.generateSecrets(random)
}

func (r *Request) generateSecrets(random io.Reader) (err error) {
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

// Expired reports whether the request has expired at now. The zero Request has always expired.
func (r Request) Expired(now time.Time) bool { return !now.Before(r.ExpiresAt) }

// Audience returns the audience that a presentation must name: the client_id, or for the Digital Credentials API the
// page's origin, even if the request is signed (OpenID4VP 1.0 Appendix A.4).
func (r Request) Audience() string {
	if r.Mode.Browser() {
		return "origin:" + r.Origin
	}
	return r.ClientID
}

// Thumbprint returns the SHA-256 thumbprint (RFC 7638) of the key that the response is encrypted to, which is part of
// an mdoc's session transcript (OpenID4VP 1.0 Appendix B.2.6). It is nil if the response is not encrypted.
func (r Request) Thumbprint() []byte {
	if r.Key == nil {
		return nil
	}
	return r.Key.thumbprint()
}

// usable returns an error for a request that has expired or was not made by NewRequest. The zero Request would match an
// empty state and an empty kid, and one without a mode, such as from a damaged store record, an unencrypted response.
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

// Format keeps the request's secrets out of every fmt verb.
func (Request) Format(f fmt.State, _ rune) { redact(f, "Request") }

// LogValue logs the time of expiry only.
func (r Request) LogValue() slog.Value {
	return slog.GroupValue(slog.String("request", redacted), slog.Time("expires_at", r.ExpiresAt))
}
