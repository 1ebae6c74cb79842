// Package recovery is a client's side of the recovery of an account at Regain: what an identity provider has to do, and
// to check, before it believes that somebody is who they were. What it knows of Regain is docs/protocols.md §1 and
// docs/recovery-token.md.
//
//	Begin        draws state, nonce and PKCE verifier, and pushes the request (RFC 9126)
//	ReadAnswer   the authorization response belongs to that request, and comes from Regain (RFC 9207)
//	Redeem       the code for tokens, which are checked against the request, to the last claim
//	VerifyPass   asks whether a temporary access pass is good, and uses it up
package recovery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"regain/conformance/jose"
)

// ErrUnreachable reports that Regain did not answer, or not as itself.
var ErrUnreachable = errors.New("regain is unreachable")

// Config says who the client is and where Regain is. Every field is required.
type Config struct {
	Issuer      string
	ClientID    string
	RedirectURI string
	HTTPClient  *http.Client
	Clock       func() time.Time
	Random      io.Reader
	// Token draws 256 random bits as base64url, which also suits a PKCE verifier.
	Token func() (string, error)
	// Seen remembers the jti of a recovery token until then, and reports false for one that it remembers already.
	Seen func(jti string, until time.Time) bool
}

// Client is a client of Regain. What Regain publishes about itself is asked for at first use and kept. It is safe for
// concurrent use.
type Client struct {
	config Config
	keys   keys
	http   *http.Client
	tokens tokenCheck

	mu   sync.Mutex
	meta *metadata
}

// New makes a client with fresh keys. It does not ask Regain for anything yet.
func New(config Config) (*Client, error) {
	own, err := newKeys(config.Random)
	if err != nil {
		return nil, err
	}
	over := *config.HTTPClient
	over.Jar, over.CheckRedirect = nil, func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	over.Transport = bounded{over.Transport}
	if over.Timeout == 0 {
		over.Timeout = 15 * time.Second
	}
	return &Client{config: config, keys: own, http: &over, tokens: tokenCheck{
		issuer: config.Issuer, clientID: config.ClientID, key: own.encryption, seen: config.Seen, clock: config.Clock,
	}}, nil
}

// metadata is what is used of OpenID Connect Discovery 1.0 §3.
type metadata struct {
	Authorization string `json:"authorization_endpoint"`
	Push          string `json:"pushed_authorization_request_endpoint"`
	Token         string `json:"token_endpoint"`
	Pass          string `json:"temporary_access_pass_endpoint"`
	JWKS          string `json:"jwks_uri"`

	verifier *oidc.IDTokenVerifier
	keys     oidc.KeySet
}

// discover returns Regain's metadata. A failure is not remembered: Regain may come up later.
func (c *Client) discover(ctx context.Context) (*metadata, error) {
	c.mu.Lock()
	known := c.meta
	c.mu.Unlock()
	if known != nil {
		return known, nil
	}
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, c.http), c.config.Issuer)
	if err != nil {
		return nil, fmt.Errorf("%w: discover: %w", ErrUnreachable, err)
	}
	m := &metadata{}
	if err := provider.Claims(m); err != nil {
		return nil, fmt.Errorf("%w: decode metadata: %w", ErrUnreachable, err)
	}
	for name, endpoint := range map[string]string{
		"authorization_endpoint": m.Authorization, "pushed_authorization_request_endpoint": m.Push, "token_endpoint": m.Token,
		"temporary_access_pass_endpoint": m.Pass, "jwks_uri": m.JWKS,
	} {
		if _, err := SecureURL(endpoint); err != nil {
			return nil, fmt.Errorf("%w: metadata: %s: %w", ErrUnreachable, name, err)
		}
	}
	m.keys = oidc.NewRemoteKeySet(oidc.ClientContext(ctx, c.http), m.JWKS)
	m.verifier = oidc.NewVerifier(c.config.Issuer, m.keys, &oidc.Config{ClientID: c.config.ClientID, SupportedSigningAlgs: []string{jose.ES256}, Now: c.config.Clock})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.meta = m
	return m, nil
}

// SecureURL parses an https URL, or an http one of this machine: nothing travels there.
func SecureURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, errors.New("not an absolute URL")
	}
	host := strings.ToLower(u.Hostname())
	ip := net.ParseIP(host)
	local := host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return nil, errors.New("not https, and not this machine")
	}
	return u, nil
}
