// Package proofing sends people to an identity proofing provider by a one-time signed URL, as Microsoft's integration
// guidance for Verified ID partners describes it: {start_url}?token=<JWT> with OrgId, RequestId, redirectUrl
// (docs/protocols.md §2).
package proofing

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"
)

// handoffLifetime is how long the URL is valid. The browser follows it at once.
const handoffLifetime = 5 * time.Minute

// tokenType is the `typ` of the hand-off JWT.
const tokenType = "proofing-handoff+jwt"

// Minter signs claims as a JWT with header `typ`.
type Minter interface {
	Mint(typ string, claims any) (string, error)
}

// Config describes one provider; all fields but OrgID are required.
type Config struct {
	Name     string // display name
	StartURL string // the provider's first page; the token is added to its query
	Issuer   string // our issuer identifier; the provider fetches our keys from it
	OrgID    string // the provider's identifier of the organisation
	Minter   Minter
	Clock    func() time.Time
	Random   io.Reader
}

// Provider is one identity proofing provider.
type Provider struct {
	cfg   Config
	start *url.URL
}

// New returns an error for missing dependencies and for a start URL that a browser could not open.
func New(cfg Config) (*Provider, error) {
	if cfg.Name == "" || cfg.Issuer == "" || cfg.Minter == nil || cfg.Clock == nil || cfg.Random == nil {
		return nil, errors.New("proofing provider: Name, Issuer, Minter, Clock and Random are required")
	}
	start, err := url.Parse(cfg.StartURL)
	if err != nil || start.Host == "" || start.Fragment != "" || (start.Scheme != "https" && start.Scheme != "http") {
		return nil, fmt.Errorf("proofing provider %s: start_url is not an https URL", cfg.Name)
	}
	return &Provider{cfg: cfg, start: start}, nil
}

// Name returns the display name.
func (p *Provider) Name() string { return p.cfg.Name }

// handoff holds the claims of the token. The account is not among them: the provider does not need to know it.
type handoff struct {
	Issuer      string `json:"iss"`
	Audience    string `json:"aud"`
	IssuedAt    int64  `json:"iat"`
	Expiry      int64  `json:"exp"`
	ID          string `json:"jti"`
	OrgID       string `json:"OrgId"`
	RequestID   string `json:"RequestId"`
	RedirectURL string `json:"redirectUrl"`
}

// URL returns a one-time URL. The provider does not read reference; the person's browser brings it back.
func (p *Provider) URL(_ context.Context, reference, returnURL string) (string, error) {
	var id [16]byte
	if _, err := io.ReadFull(p.cfg.Random, id[:]); err != nil {
		return "", fmt.Errorf("proofing hand-off: read randomness: %w", err)
	}
	now := p.cfg.Clock()
	token, err := p.cfg.Minter.Mint(tokenType, handoff{
		Issuer: p.cfg.Issuer, Audience: p.cfg.StartURL, IssuedAt: now.Unix(), Expiry: now.Add(handoffLifetime).Unix(),
		ID: base64.RawURLEncoding.EncodeToString(id[:]), OrgID: p.cfg.OrgID, RequestID: reference, RedirectURL: returnURL,
	})
	if err != nil {
		return "", fmt.Errorf("proofing hand-off: %w", err)
	}
	target := *p.start
	query := target.Query()
	query.Set("token", token)
	target.RawQuery = query.Encode()
	return target.String(), nil
}
