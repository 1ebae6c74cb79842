package proofing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"regain/conformance/jose"
)

// ErrHandoff means that a hand-off is not acceptable: forged, expired, used before, or meant for somebody else.
var ErrHandoff = errors.New("unacceptable hand-off")

// handoff is a verified hand-off (docs/protocols.md section 2). It says who sent the person, not who the person is.
type handoff struct {
	ID           string `json:"jti"`
	Issuer       string `json:"iss"`
	Audience     string `json:"aud"`
	Issued       int64  `json:"iat"`
	Expires      int64  `json:"exp"`
	Organisation string `json:"OrgId"`
	Request      string `json:"RequestId"`
	Return       string `json:"redirectUrl"`
}

const (
	handoffLife  = 5 * time.Minute
	maxToken     = 8 << 10
	maxField     = 256
	maxDocument  = 256 << 10
	keysLife     = 10 * time.Minute
	keysPatience = 10 * time.Second // between two fetches for keys we don't know
)

// readHandoff verifies the JWT. Whether its jti was seen before is asked by the caller, who must remember it.
func (s *Server) readHandoff(ctx context.Context, compact string) (handoff, error) {
	if len(compact) > maxToken {
		return handoff{}, fmt.Errorf("%w: too long", ErrHandoff)
	}
	parsed, err := jose.ParseTyped(compact, "proofing-handoff+jwt")
	if err != nil {
		return handoff{}, fmt.Errorf("%w: %w", ErrHandoff, err)
	}
	key, err := s.regain.find(ctx, parsed.KeyID)
	if err != nil {
		return handoff{}, err
	}
	var h handoff
	if err := parsed.Open(key.Key, &h); err != nil {
		return handoff{}, fmt.Errorf("%w: %w", ErrHandoff, err)
	}
	return h, h.check(s.config, s.StartURL())
}

func (h handoff) check(config Config, audience string) error {
	now := config.Clock()
	for _, field := range []string{h.ID, h.Organisation, h.Request} {
		if field == "" || len(field) > maxField {
			return fmt.Errorf("%w: jti, OrgId and RequestId must have 1 to %d bytes", ErrHandoff, maxField)
		}
	}
	switch {
	case h.Issuer != config.RegainIssuer:
		return fmt.Errorf("%w: iss is not known", ErrHandoff)
	case h.Audience != audience:
		return fmt.Errorf("%w: aud is not this provider", ErrHandoff)
	case !jose.Fresh(h.Issued, now, handoffLife) || h.Expires <= now.Unix():
		return fmt.Errorf("%w: expired, or not valid yet", ErrHandoff)
	case h.Expires > h.Issued+int64(handoffLife.Seconds()):
		return fmt.Errorf("%w: valid for more than five minutes", ErrHandoff)
	}
	back, err := url.Parse(h.Return)
	if err != nil || back.User != nil || back.Fragment != "" || len(h.Return) > 2048 ||
		origin(h.Return) != origin(config.RegainIssuer) {
		// Else anybody who can obtain a hand-off could use this provider as an open redirector.
		return fmt.Errorf("%w: redirectUrl is not at the issuer's origin", ErrHandoff)
	}
	return nil
}

// returnURL is redirectUrl with what happened here.
func (h handoff) returnURL(status string) string {
	back, err := url.Parse(h.Return)
	if err != nil {
		return ""
	}
	query := back.Query()
	query.Set("request_id", h.Request)
	query.Set("status", status)
	back.RawQuery = query.Encode()
	return back.String()
}

// handoffKeys keeps the keys of who may hand people over. They come from the issuer's own discovery document.
type handoffKeys struct {
	issuer string
	client *http.Client
	clock  func() time.Time

	mu      sync.Mutex
	set     jose.JWKSet
	fetched time.Time // when the keys came
	tried   time.Time // when we last asked, in vain or not
}

func newHandoffKeys(config Config) *handoffKeys {
	return &handoffKeys{issuer: config.RegainIssuer, client: config.HTTPClient, clock: config.Clock}
}

// find returns the ES256 key with this kid. An unknown kid makes it look again, but not more often than keysPatience.
func (k *handoffKeys) find(ctx context.Context, kid string) (jose.JWK, error) {
	if kid == "" || len(kid) > maxField {
		return jose.JWK{}, fmt.Errorf("%w: no kid", ErrHandoff)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.clock()
	if found, ok := k.pick(kid); ok && now.Sub(k.fetched) < keysLife {
		return found, nil
	}
	if now.Sub(k.tried) >= keysPatience {
		k.tried = now
		if err := k.fetch(ctx); err != nil {
			return jose.JWK{}, fmt.Errorf("fetching the hand-off keys: %w", err)
		}
	}
	if found, ok := k.pick(kid); ok && now.Sub(k.fetched) < keysLife {
		return found, nil
	}
	return jose.JWK{}, fmt.Errorf("%w: its key is not known", ErrHandoff)
}

func (k *handoffKeys) pick(kid string) (jose.JWK, bool) {
	for _, key := range k.set.Key(kid) {
		if jose.IsP256(&key) && (key.Use == "" || key.Use == "sig") && (key.Algorithm == "" || key.Algorithm == "ES256") {
			return key, true
		}
	}
	return jose.JWK{}, false
}

func (k *handoffKeys) fetch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var metadata struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := k.get(ctx, strings.TrimSuffix(k.issuer, "/")+"/.well-known/openid-configuration", &metadata); err != nil {
		return err
	}
	if metadata.Issuer != k.issuer || origin(metadata.Keys) != origin(k.issuer) {
		return errors.New("the discovery document is about another issuer")
	}
	var set jose.JWKSet
	if err := k.get(ctx, metadata.Keys, &set); err != nil {
		return err
	}
	k.set, k.fetched = set, k.clock()
	return nil
}

func (k *handoffKeys) get(ctx context.Context, address string, to any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	answer, err := k.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %d", address, answer.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxDocument))
	if err != nil {
		return fmt.Errorf("reading %s: %w", address, err)
	}
	if err := decodeJSON(body, to); err != nil {
		return fmt.Errorf("reading %s: %w", address, err)
	}
	return nil
}
