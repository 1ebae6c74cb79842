package issuance

import (
	"context"
	"crypto/ecdsa"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"regain/conformance/wallet/agent"
)

// The credential formats that issuers name (OpenID4VCI 1.0 Appendix A).
const (
	SDJWT = "dc+sd-jwt"
	Mdoc  = "mso_mdoc"
)

// Config is what a client is made of. The last two may be left out.
type Config struct {
	HTTPClient *http.Client // used without following redirects
	Clock      func() time.Time
	Random     io.Reader
	Formats    []string  // what the caller can hold
	Identity   *Identity // who the wallet is to authorization servers; nil comes anonymously
	Copies     int       // how many copies of a credential to ask for where the issuer gives several; 1 when less
}

// Identity is a wallet that authorization servers know. It authenticates with Key, or with Attest
// where that is all a server takes.
type Identity struct {
	ClientID string
	Key      *ecdsa.PrivateKey // for private_key_jwt (RFC 7523 §3); nil if no server knows it
	KeyID    string
	// Attest has the wallet's provider vouch for a key of this very wallet: a client attestation
	// (OpenID4VCI 1.0 Appendix E). nil if there is no provider.
	Attest func(ctx context.Context, instance *ecdsa.PublicKey) (string, error)
	// AttestKeys has the wallet's provider vouch for where holder keys are kept, for the issuer's
	// nonce: a key attestation (OpenID4VCI 1.0 Appendix D). nil if no provider does.
	AttestKeys func(ctx context.Context, nonce string, keys []*ecdsa.PublicKey) (string, error)
}

// Client takes up offers. It is safe for concurrent use.
type Client struct {
	cfg   Config
	agent agent.Agent
}

// New checks the configuration.
func New(cfg Config) (*Client, error) {
	if cfg.HTTPClient == nil || cfg.Clock == nil || cfg.Random == nil || len(cfg.Formats) == 0 {
		return nil, errors.New("making an issuance client: HTTPClient, Clock, Random or Formats is missing")
	}
	if id := cfg.Identity; id != nil && (id.ClientID == "" || id.Key == nil && id.Attest == nil && id.AttestKeys == nil) {
		return nil, errors.New("making an issuance client: the identity has no ClientID, or nothing to prove it with")
	}
	cfg.Copies = max(cfg.Copies, 1)
	return &Client{cfg: cfg, agent: agent.New(cfg.HTTPClient)}, nil
}

func (c *Client) attests() bool { return c.cfg.Identity != nil && c.cfg.Identity.AttestKeys != nil }

func (c *Client) holds(format string) bool { return slices.Contains(c.cfg.Formats, format) }

// text returns n random bytes as base64url.
func (c *Client) text(n int) (string, error) {
	raw := make([]byte, n)
	if _, err := io.ReadFull(c.cfg.Random, raw); err != nil {
		return "", fmt.Errorf("reading randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// wait returns after d, or with the context's error.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
