// Package linkeddomain verifies to which domain a DID belongs (DIF Well Known DID Configuration). The DID names the
// domain in a LinkedDomains service (Linked Domain Service Endpoint), which alone proves nothing. The domain serves a
// DID Configuration Resource under /.well-known with a Domain Linkage Credential, which the DID has signed about itself
// and the domain. Both together are a link.
//
// A link proves that one entity controls the DID and the domain. It does not prove that the entity may issue
// credentials.
package linkeddomain

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"regain/internal/cache"
	"regain/internal/clock"
	"regain/internal/fetch"
	"regain/verifier/did"
	"regain/verifier/jwtvc"
)

// Errors of this package.
var (
	ErrUnlinked    = errors.New("no domain vouches for the DID")
	ErrUnavailable = errors.New("DID configuration cannot be fetched") // an outage: a retry may succeed
)

const (
	maxFiles   = 256
	maxMemory  = 16 << 20        // bytes
	retryAfter = 3 * time.Second // no retry sooner after a failed fetch
)

// maxOrigins bounds the domains that are asked for one DID. The author of a DID document can name any number of hosts,
// and would make us send requests to all of them.
const maxOrigins = 3

// Fetcher fetches DID configurations. In production it is a *fetch.Fetcher. It must not follow redirects: an attacker
// who finds an open redirector on a host could otherwise serve a DID configuration for that host.
type Fetcher interface {
	Get(ctx context.Context, address, accept string) (fetch.Response, error)
}

// Config has the bounds of how long a DID configuration may be cached, whatever its server says, and the dependencies.
type Config struct {
	MinTTL, MaxTTL time.Duration
	Fetch          Fetcher
	Resolver       jwtvc.Resolver
	Clock          func() time.Time
}

// Verifier verifies the links between DIDs and domains. It is safe for concurrent use.
type Verifier struct {
	cfg   Config
	files *cache.Cache[[]*jwtvc.Credential]
}

// New returns an error when a dependency is missing or the TTL bounds are invalid.
func New(cfg Config) (*Verifier, error) {
	if cfg.Fetch == nil || cfg.Resolver == nil || cfg.Clock == nil || cfg.MinTTL < 0 || cfg.MaxTTL < cfg.MinTTL || cfg.MaxTTL <= 0 {
		return nil, errors.New("linked domains: Fetch, Resolver, Clock and 0 ≤ MinTTL ≤ MaxTTL are required")
	}
	files, err := cache.New(cache.Config[[]*jwtvc.Credential]{Size: maxFiles, MaxBytes: maxMemory, Bytes: bytesOf, RetryAfter: retryAfter, Clock: cfg.Clock})
	if err != nil {
		return nil, fmt.Errorf("linked domains: %w", err)
	}
	return &Verifier{cfg: cfg, files: files}, nil
}

// bytesOf estimates the memory of a configuration.
func bytesOf(credentials []*jwtvc.Credential) (n int) {
	for _, c := range credentials {
		n += c.Bytes()
	}
	return n
}

// Verify returns the first domain of a DID that vouches for it: a host, with its port when that is not 443. Its errors
// are ErrUnlinked, ErrUnavailable, and those of the Resolver.
func (v *Verifier) Verify(ctx context.Context, id did.DID) (domain string, err error) {
	document, err := v.cfg.Resolver.Resolve(ctx, id)
	if err != nil {
		return "", err
	}
	reasons := []error{ErrUnlinked}
	for i, origin := range document.LinkedDomains() {
		if i == maxOrigins {
			break
		}
		host, err := hostOf(origin)
		if err == nil {
			err = v.vouches(ctx, host, document)
		}
		if err == nil {
			return host, nil
		}
		if errors.Is(err, ErrUnavailable) { // this domain might vouch for the DID, so the result is not ErrUnlinked
			reasons[0] = ErrUnavailable
		}
		reasons = append(reasons, err)
	}
	return "", errors.Join(reasons...)
}

// hostOf returns the host of an https origin. It accepts a trailing slash, which Entra Verified ID writes.
func hostOf(origin string) (string, error) {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Opaque != "" || u.Path != "" && u.Path != "/" ||
		u.RawQuery != "" || u.ForceQuery || strings.Contains(origin, "#") || u.Hostname() == "" {
		return "", errors.New("not an https origin")
	}
	host := strings.ToLower(strings.TrimSuffix(u.Host, ":443"))
	// ASCII only, so that the host that is compared is the host that DNS resolves.
	if strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-:") != "" {
		return "", errors.New("origin has a host with invalid characters")
	}
	return host, nil
}

// vouches checks that a host's configuration has a valid Domain Linkage Credential of the DID for that host.
func (v *Verifier) vouches(ctx context.Context, host string, document *did.Document) error {
	credentials, err := v.configuration(ctx, host)
	if err != nil {
		return err
	}
	reason := errors.New("configuration has no credential of the DID")
	for _, credential := range credentials {
		if credential.Issuer() != document.ID().String() {
			continue
		}
		if reason = v.check(ctx, credential, host, document); reason == nil {
			return nil
		}
	}
	return reason
}

// check verifies a Domain Linkage Credential (DIF Well Known DID Configuration, DID Configuration Resource
// Verification). Only the JSON Web Token Proof Format is supported, the one that the JWT VC Presentation Profile
// requires (Linked Domain Verification).
func (v *Verifier) check(ctx context.Context, c *jwtvc.Credential, host string, document *did.Document) error {
	id, err := c.VerifyIssuer(ctx, resolved{document})
	if err != nil {
		return err
	}
	subject, _ := c.Claims()["credentialSubject"].(map[string]any)
	origin, _ := subject["origin"].(string)
	about, err := hostOf(origin)
	switch {
	case id != document.ID() || c.Subject() != id.String():
		return errors.New("issuer and subject of the credential are not both the DID")
	case !slices.Contains(c.Types(), "DomainLinkageCredential"):
		return errors.New("credential is not a DomainLinkageCredential")
	case err != nil || about != host:
		return errors.New("credential is about another origin")
	}
	return v.current(c)
}

// current checks nbf and exp. exp is required (DIF Well Known DID Configuration, Domain Linkage Credential), and is the
// only way to end a link: the JWT VC Presentation Profile requires no revocation check (Linked Domain Verification).
func (v *Verifier) current(c *jwtvc.Credential) error {
	now := v.cfg.Clock()
	from, _, err := c.Time("nbf") // 1970 without it
	if err != nil || clock.Issuers.InFuture(time.Unix(from, 0), now) {
		return errors.New("credential is not valid yet")
	}
	until, _, err := c.Time("exp") // 1970 without it, which is over
	if err != nil || clock.Over(time.Unix(until, 0), now) {
		return errors.New("credential has expired or has no exp")
	}
	return nil
}

// resolved is a Resolver for one DID whose document is already there.
type resolved struct{ document *did.Document }

func (r resolved) Resolve(_ context.Context, id did.DID) (*did.Document, error) {
	if id != r.document.ID() {
		return nil, fmt.Errorf("%w: another DID", did.ErrUnsupported)
	}
	return r.document, nil
}
