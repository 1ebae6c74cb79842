package did_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"regain/internal/fetch"
	"regain/verifier/did"
	"regain/verifier/internal/jws"
	"regain/verifier/verifiertest"
)

// nothing is a fetcher for what must not need one.
type nothing struct{}

func (nothing) Get(context.Context, string, string) (fetch.Response, error) {
	return fetch.Response{}, errors.New("asked the network")
}

func newResolver(t testing.TB, from did.Fetcher) *did.Resolver {
	t.Helper()
	r, err := did.New(did.Config{MaxTTL: time.Hour, Fetch: from, Clock: verifiertest.NewClock().Now})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestNewRefuses(t *testing.T) {
	whole := did.Config{MinTTL: time.Second, MaxTTL: time.Minute, Fetch: nothing{}, Clock: time.Now}
	for name, change := range map[string]func(*did.Config){
		"no fetcher": func(c *did.Config) { c.Fetch = nil }, "no clock": func(c *did.Config) { c.Clock = nil },
		"no end": func(c *did.Config) { c.MinTTL, c.MaxTTL = 0, 0 }, "below nothing": func(c *did.Config) { c.MinTTL = -1 }, "swapped": func(c *did.Config) { c.MinTTL = time.Hour },
	} {
		cfg := whole
		change(&cfg)
		if _, err := did.New(cfg); err == nil || !strings.Contains(err.Error(), "Fetch, Clock and 0 ≤ MinTTL ≤ MaxTTL are required") {
			t.Errorf("%s: %v", name, err)
		}
	}
	equal := whole
	equal.MinTTL = equal.MaxTTL
	if _, err := did.New(equal); err != nil {
		t.Errorf("bounds that are equal: %v", err)
	}
}

func TestResolveRefusesOtherMethods(t *testing.T) {
	for _, text := range []string{"did:key:z6MkoTHsgNNrby8JzCNQ1iRLyW5QQ6R8Xuu6AA8igGrMVPUM", "did:example:123"} {
		if _, err := newResolver(t, nothing{}).Resolve(t.Context(), parse(t, text)); !errors.Is(err, did.ErrUnsupported) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := newResolver(t, nothing{}).Resolve(t.Context(), did.DID{}); !errors.Is(err, did.ErrUnsupported) {
		t.Errorf("no DID: %v", err)
	}
}

// TestResolveWithoutTheNetwork resolves what needs nobody's help, with every kind of key.
func TestResolveWithoutTheNetwork(t *testing.T) {
	for _, algorithm := range []string{"ES256", "ES256K", "EdDSA"} {
		for _, identity := range []*verifiertest.Identity{verifiertest.NewJWKIdentity(t, algorithm), verifiertest.NewIONIdentity(t, algorithm)} {
			url := parseURL(t, identity.KeyID)
			document, err := newResolver(t, nothing{}).Resolve(t.Context(), url.DID)
			if err != nil {
				t.Fatal(err)
			}
			for _, purpose := range []did.Purpose{did.Authentication, did.AssertionMethod} {
				key, err := document.Key(url, purpose)
				if err != nil || !jws.SameKey(key, identity.Public()) {
					t.Errorf("%s of %s for %s: %v", algorithm, url.DID.Method(), purpose, err)
				}
			}
			if document.ID() != url.DID {
				t.Error("document is of another DID")
			}
			for name, tt := range map[string]struct {
				url     did.URL
				purpose did.Purpose
			}{
				"another fragment": {did.URL{DID: url.DID, Fragment: "other"}, did.Authentication},
				"another DID":      {did.URL{DID: parse(t, verifiertest.NewJWKIdentity(t, algorithm).DID), Fragment: url.Fragment}, did.Authentication},
				"no URL":           {did.URL{}, did.Authentication},
				"another purpose":  {url, "keyAgreement"},
				"no purpose":       {url, ""},
			} {
				if key, err := document.Key(tt.url, tt.purpose); !errors.Is(err, did.ErrNoKey) || key != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
}
