package trust_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"regain/verifier/trust"
	"regain/verifier/verifiertest"
)

// A chain that was verified once is good for as long as every certificate of it, and no longer: with an authority that
// has expired, or is not valid yet, whatever is below it is worth nothing.
func TestACachedChainDoesNotOutliveItsAuthorities(t *testing.T) {
	now := verifiertest.NewClock().Now()
	world := verifiertest.NewAuthority(t, "World", now)
	for at, which := range []string{"the anchor", "the upper authority", "the lower authority", "the leaf"} {
		// within has one of the four certificates valid for an hour around now, and the others for years.
		within := func(i int) func(*x509.Certificate) {
			return func(c *x509.Certificate) {
				if i == at {
					c.NotBefore, c.NotAfter = now.Add(-time.Hour), now.Add(time.Hour)
				}
			}
		}
		anchor := world.Intermediate(t, "Anchor", within(0))
		upper := anchor.Intermediate(t, "Upper", within(1))
		lower := upper.Intermediate(t, "Lower", within(2))
		chain := lower.Leaf(t, within(3), lower, upper).Chain
		r := newRules(t, trust.Rule{Types: []string{kind}, Anchors: []*x509.Certificate{anchor.Certificate}})
		for _, row := range []struct {
			after time.Duration
			good  bool
		}{
			{0, true}, {time.Hour, true}, {time.Hour + time.Second, false}, {1000 * time.Hour, false},
			{-time.Hour, true}, {-time.Hour - time.Second, false}, {0, true},
		} {
			for range 2 { // the first time it may be verified anew
				err := r.Check(chain, kind, issuer, now.Add(row.after))
				if row.good != (err == nil) || err != nil && (!errors.Is(err, trust.ErrUntrusted) || !strings.Contains(err.Error(), "has expired, or is not valid yet")) {
					t.Errorf("%s is valid for an hour; after %s: %v", which, row.after, err)
				}
			}
		}
	}
}

// What the holder of a credential adds to its chain, which nobody signed, neither makes it good nor fills the memory: the
// cache holds a bounded number of chains, and a chain is bounded.
func TestChainsWithAdditions(t *testing.T) {
	now := verifiertest.NewClock().Now()
	anchor, stranger := verifiertest.NewAuthority(t, "Anchor", now), verifiertest.NewAuthority(t, "Stranger", now)
	good := anchor.Leaf(t, nil).Chain
	r := newRules(t, trust.Rule{Types: []string{kind}, Anchors: []*x509.Certificate{anchor.Certificate}})
	chain := good
	for i := range 5 {
		err := r.Check(chain, kind, issuer, now)
		if (err == nil) != (len(chain) <= 4) || err != nil && !strings.Contains(err.Error(), "4 are the most") {
			t.Errorf("with %d certificates: %v", len(chain), err)
		}
		chain = append(chain[:len(chain):len(chain)], stranger.Intermediate(t, fmt.Sprint("More ", i)).Certificate.Raw)
	}
	if err := r.Check(good, kind, issuer, now); err != nil {
		t.Error(err)
	}
}
