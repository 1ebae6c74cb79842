package authenticator

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"regain/presentation"
	"regain/presentation/dcql"
)

// Request is a presentation request. It is stored encrypted with its transaction, so its JSON has the secrets. fmt and
// slog do not print them.
type Request struct {
	ID          string     `json:"id"` // of the presentation definition
	Nonce       string     `json:"nonce"`
	State       string     `json:"state"`
	RedirectURI string     `json:"redirect_uri"` // where the wallet posts
	Query       dcql.Query `json:"query"`
	Issuers     []string   `json:"issuers,omitempty"` // DIDs of accepted issuers; only a hint to the wallet
	IssuedAt    time.Time  `json:"issued_at"`         // whole seconds, UTC
	ExpiresAt   time.Time  `json:"expires_at"`
}

// RequestParams are the query, the redirect URI and the lifetime of a request.
type RequestParams struct {
	RedirectURI string
	Query       dcql.Query // jwt_vc_json credentials only, with one set of types each
	Issuers     []string   // accepted issuers of the first credential; nil for any
	Lifetime    time.Duration
}

const secretSize = 24 // bytes of nonce, state and id

// NewRequest makes a request with a new id, nonce and state from random.
func (p *Profile) NewRequest(params RequestParams, random io.Reader, now time.Time) (Request, error) {
	if params.Lifetime < time.Second || params.Lifetime > presentation.MaxLifetime {
		return Request{}, fmt.Errorf("making a presentation request: a lifetime of %s is not between 1s and %s", params.Lifetime, presentation.MaxLifetime)
	}
	if err := params.Query.Validate(); err != nil {
		return Request{}, fmt.Errorf("making a presentation request: %w", err)
	}
	if _, err := definition("", params.Query, params.Issuers); err != nil {
		return Request{}, fmt.Errorf("making a presentation request: %w", err)
	}
	issued := now.UTC().Truncate(time.Second)
	r := Request{RedirectURI: params.RedirectURI, Query: params.Query, Issuers: params.Issuers, IssuedAt: issued, ExpiresAt: issued.Add(params.Lifetime)}
	for _, secret := range []*string{&r.ID, &r.Nonce, &r.State} {
		raw := make([]byte, secretSize)
		if _, err := io.ReadFull(random, raw); err != nil {
			return Request{}, fmt.Errorf("making a presentation request: %w", err)
		}
		*secret = base64.RawURLEncoding.EncodeToString(raw)
	}
	return r, nil
}

// usable returns an error for a request that has expired or was not made by NewRequest. Without the second check the
// zero Request would accept an empty state.
func (r Request) usable(now time.Time) error {
	if r.Nonce == "" || r.State == "" || r.ID == "" {
		return errors.New("the presentation request was not made by NewRequest")
	}
	if !now.Before(r.ExpiresAt) {
		return presentation.ErrExpired
	}
	return nil
}

// Format keeps the request's secrets out of every fmt verb.
func (Request) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "Request[redacted]") }

// LogValue logs the time of expiry only.
func (r Request) LogValue() slog.Value {
	return slog.GroupValue(slog.String("request", "[redacted]"), slog.Time("expires_at", r.ExpiresAt))
}

// requestObject is the payload of a request object (JWT VC Presentation Profile, Self-Issued OP Request Parameters).
// The presentation definition is in claims.vp_token (Requesting Verifiable Credentials).
type requestObject struct {
	ResponseType string       `json:"response_type"`
	ResponseMode string       `json:"response_mode"`
	Scope        string       `json:"scope"`
	ClientID     string       `json:"client_id"`
	RedirectURI  string       `json:"redirect_uri"`
	Nonce        string       `json:"nonce"`
	State        string       `json:"state"`
	ID           string       `json:"jti"`
	IssuedAt     int64        `json:"iat"`
	NotBefore    int64        `json:"nbf"`
	Expires      int64        `json:"exp"`
	Registration registration `json:"registration"`
	Claims       struct {
		VPToken struct {
			Definition presentationDefinition `json:"presentation_definition"`
		} `json:"vp_token"`
	} `json:"claims"`
}

// registration is our metadata (JWT VC Presentation Profile, Verifier/RP Registration Metadata).
type registration struct {
	Name     string   `json:"client_name"`
	Purpose  string   `json:"client_purpose,omitempty"`
	LogoURI  string   `json:"logo_uri,omitempty"`
	TermsURI string   `json:"tos_uri,omitempty"`
	Subjects []string `json:"subject_syntax_types_supported"`
	Formats  struct {
		VP algorithms `json:"jwt_vp"`
		VC algorithms `json:"jwt_vc"`
	} `json:"vp_formats"`
}

type algorithms struct {
	Algorithms []string `json:"alg"`
}

// RequestObject returns the signed request object. A wallet may fetch it any number of times until the request expires.
func (p *Profile) RequestObject(r Request, now time.Time) ([]byte, error) {
	if err := r.usable(now); err != nil {
		return nil, fmt.Errorf("signing a request object: %w", err)
	}
	o := requestObject{
		ResponseType: "id_token", ResponseMode: "post", Scope: "openid", ClientID: p.cfg.DID, RedirectURI: r.RedirectURI, Nonce: r.Nonce, State: r.State,
		ID: r.ID, IssuedAt: r.IssuedAt.Unix(), NotBefore: r.IssuedAt.Unix(), Expires: r.ExpiresAt.Unix(),
		Registration: registration{
			Name: p.cfg.Name, Purpose: p.cfg.Purpose, LogoURI: p.cfg.LogoURI, TermsURI: p.cfg.TermsURI,
			// did:ion and ES256K must be named (Verifier/RP Registration Metadata): these wallets refuse a verifier
			// that does not name them, whatever DID method and algorithm they use themselves.
			Subjects: []string{"did:ion", "did:web", "did:jwk"},
		},
	}
	known := algorithms{presentation.JWTVCAlgorithms()}
	o.Registration.Formats.VP, o.Registration.Formats.VC = known, known
	var err error
	if o.Claims.VPToken.Definition, err = definition(r.ID, r.Query, r.Issuers); err != nil {
		return nil, fmt.Errorf("signing a request object: %w", err)
	}
	payload, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("signing a request object: %w", err)
	}
	signed, err := p.signer.Sign(payload)
	if err != nil {
		return nil, fmt.Errorf("signing a request object: %w", err)
	}
	compact, err := signed.CompactSerialize()
	return []byte(compact), err
}
