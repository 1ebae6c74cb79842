// Package linkeddomain finds out to which domain a DID belongs (DIF Well Known DID Configuration 1.0). A DID says so in
// a LinkedDomains service, which proves nothing; the domain says so too, in a file under /.well-known that holds a
// credential which the DID signed about itself and that domain. Only both together are a link.
//
// A link says that whoever controls the DID controls the domain. It does not say that either may issue anything.
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
	ErrUnavailable = errors.New("DID configuration cannot be had") // an outage: later it may be
)

const (
	maxFiles   = 256
	retryAfter = 3 * time.Second // a file that could not be had is not asked for again before
)

// maxOrigins is how many of a DID's domains are asked: a DID document names as many hosts as its author likes.
const maxOrigins = 3

// Fetcher fetches configurations; *fetch.Fetcher in production. It must not follow redirects: whoever finds an open one
// on a host would speak for that host.
type Fetcher interface {
	Get(ctx context.Context, address, accept string) (fetch.Response, error)
}

// Config are the bounds within which a server is believed about how long its file may be kept, and the parts.
type Config struct {
	MinTTL, MaxTTL time.Duration
	Fetch          Fetcher
	Resolver       jwtvc.Resolver
	Clock          func() time.Time
}

// Verifier verifies links. It is safe for concurrent use.
type Verifier struct {
	cfg   Config
	files *cache.Cache[[]*jwtvc.Credential]
}

// New refuses missing parts.
func New(cfg Config) (*Verifier, error) {
	if cfg.Fetch == nil || cfg.Resolver == nil || cfg.Clock == nil || cfg.MinTTL < 0 || cfg.MaxTTL < cfg.MinTTL || cfg.MaxTTL <= 0 {
		return nil, errors.New("linked domains: Fetch, Resolver, Clock and 0 ≤ MinTTL ≤ MaxTTL are required")
	}
	files, err := cache.New[[]*jwtvc.Credential](cache.Config{Size: maxFiles, RetryAfter: retryAfter, Clock: cfg.Clock})
	if err != nil {
		return nil, fmt.Errorf("linked domains: %w", err)
	}
	return &Verifier{cfg: cfg, files: files}, nil
}

// Verify returns the first domain of a DID that vouches for it: a host, with its port when that is not 443. Its errors
// are ErrUnlinked, ErrUnavailable, and those of resolving the DID.
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
		if errors.Is(err, ErrUnavailable) { // it might have been this one
			reasons[0] = ErrUnavailable
		}
		reasons = append(reasons, err)
	}
	return "", errors.Join(reasons...)
}

// hostOf reads an origin of https. A slash at the end is how Entra Verified ID writes them.
func hostOf(origin string) (string, error) {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Opaque != "" || u.Path != "" && u.Path != "/" ||
		u.RawQuery != "" || u.ForceQuery || strings.Contains(origin, "#") || u.Hostname() == "" {
		return "", errors.New("not an origin of https")
	}
	host := strings.ToLower(strings.TrimSuffix(u.Host, ":443"))
	if strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-:") != "" { // what is compared is what DNS is asked
		return "", errors.New("origin has a host of other characters")
	}
	return host, nil
}

// vouches checks that a host's configuration has a credential of the DID about that host.
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

// check verifies a Domain Linkage Credential (DID Configuration Resource Verification).
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
		return errors.New("credential is not of the DID about itself")
	case !slices.Contains(c.Types(), "DomainLinkageCredential"):
		return errors.New("credential is not a DomainLinkageCredential")
	case err != nil || about != host:
		return errors.New("credential is about another origin")
	}
	return v.current(c)
}

// current checks nbf and exp. The profile asks for no other way to end a link, so there must be an exp.
func (v *Verifier) current(c *jwtvc.Credential) error {
	now := v.cfg.Clock()
	from, there, err := c.Time("nbf")
	if err != nil || there && clock.Issuers.InFuture(time.Unix(from, 0), now) {
		return errors.New("credential is not valid yet")
	}
	until, there, err := c.Time("exp")
	if err != nil || !there || clock.Over(time.Unix(until, 0), now) {
		return errors.New("credential has expired, or never does")
	}
	return nil
}

// resolved is a document that need not be asked for again.
type resolved struct{ document *did.Document }

func (r resolved) Resolve(_ context.Context, id did.DID) (*did.Document, error) {
	if id != r.document.ID() {
		return nil, fmt.Errorf("%w: another DID", did.ErrUnsupported)
	}
	return r.document, nil
}
