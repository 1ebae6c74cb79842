package handoff

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"regain/conformance/jose"
	"regain/conformance/proofing/web"
)

const (
	maxDocument  = 256 << 10
	keysLife     = 10 * time.Minute
	keysPatience = 10 * time.Second // between two fetches for keys we don't know
)

// keys keeps the keys of who may hand people over. They come from the issuer's own discovery document.
type keys struct {
	issuer string
	client *http.Client
	clock  func() time.Time

	mu      sync.Mutex
	set     jose.JWKSet
	fetched time.Time // when the keys came
	tried   time.Time // when we last asked, in vain or not
}

// find returns the ES256 key with this kid. An unknown kid makes it look again, but not more often than keysPatience.
func (k *keys) find(ctx context.Context, kid string) (jose.JWK, error) {
	if kid == "" || len(kid) > maxField {
		return jose.JWK{}, fmt.Errorf("%w: no kid", Err)
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
	return jose.JWK{}, fmt.Errorf("%w: its key is not known", Err)
}

func (k *keys) pick(kid string) (jose.JWK, bool) {
	for _, key := range k.set.Key(kid) {
		if jose.IsP256(&key) && (key.Use == "" || key.Use == "sig") && (key.Algorithm == "" || key.Algorithm == "ES256") {
			return key, true
		}
	}
	return jose.JWK{}, false
}

func (k *keys) fetch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var metadata struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := k.get(ctx, strings.TrimSuffix(k.issuer, "/")+"/.well-known/openid-configuration", &metadata); err != nil {
		return err
	}
	if metadata.Issuer != k.issuer || web.Origin(metadata.Keys) != web.Origin(k.issuer) {
		return errors.New("the discovery document is about another issuer")
	}
	var set jose.JWKSet
	if err := k.get(ctx, metadata.Keys, &set); err != nil {
		return err
	}
	k.set, k.fetched = set, k.clock()
	return nil
}

func (k *keys) get(ctx context.Context, address string, to any) error {
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
	if err := web.DecodeJSON(body, to); err != nil {
		return fmt.Errorf("reading %s: %w", address, err)
	}
	return nil
}
