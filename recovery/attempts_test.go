package recovery_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/recovery"
)

// attempt opens a recovery of an account from a network.
func (b *bench) attempt(t *testing.T, account recovery.RequestedAccount, network string) recovery.Transaction {
	t.Helper()
	tx, _, err := b.Start(t.Context(), recovery.StartParams{Client: "main-idp", Account: account, Network: network})
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

func limited(limits ...recovery.Limit) func(*recovery.Policy) {
	return func(p *recovery.Policy) { p.Limits = limits }
}

// Counters are named by digests, one for each subject, whichever way the account is spelt.
func TestLimitKeys(t *testing.T) {
	seen := map[string]bool{}
	for _, per := range []recovery.LimitPer{recovery.PerAccount, recovery.PerClient, recovery.PerNetwork, recovery.PerAccountNetwork} {
		b := setUp(t, limited(recovery.Limit{Name: "l", Per: per, Max: 9, Window: time.Hour}))
		b.attempt(t, "ada@example.org", "192.0.2.1")
		keys := slices.Collect(maps.Keys(b.hits))
		for _, key := range keys {
			if seen[key] || strings.Contains(strings.ToLower(key), "ada") {
				t.Errorf("%s: key %q is another's, or names the account", per, key)
			}
			seen[key] = true
		}
		b.attempt(t, "ADA@example.org", "192.0.2.1")
		for _, key := range keys {
			if len(b.hits) != len(keys) || b.hits[key] != 2 {
				t.Errorf("%s: another spelling of the account counts anew: %v", per, b.hits)
			}
		}
	}
}

// Every one of several limits holds, wherever in the list it stands.
func TestEachOfSeveralLimitsHolds(t *testing.T) {
	wide := []recovery.Limit{
		{Name: "account", Per: recovery.PerAccount, Max: 100, Window: time.Hour}, {Name: "client", Per: recovery.PerClient, Max: 100, Window: time.Hour},
		{Name: "network", Per: recovery.PerNetwork, Max: 100, Window: time.Hour}, {Name: "both", Per: recovery.PerAccountNetwork, Max: 100, Window: time.Hour},
	}
	for i := range wide {
		limits := slices.Clone(wide)
		limits[i].Max = 2
		b := setUp(t, limited(limits...))
		for n := range 4 {
			tx := b.attempt(t, "ada@example.org", "192.0.2.1")
			if denied := tx.State == recovery.StateDenied; denied != (n >= 2) {
				t.Errorf("%s: attempt %d is %s", limits[i].Name, n+1, tx.State)
			}
		}
	}
}

// Two limits of one kind do not share their counts, nor do two clients.
func TestCountersAreApart(t *testing.T) {
	b := setUp(t, limited(recovery.Limit{Name: "hour", Per: recovery.PerNetwork, Max: 4, Window: time.Hour}, recovery.Limit{Name: "day", Per: recovery.PerNetwork, Max: 4, Window: 24 * time.Hour}))
	for i := range 5 {
		if tx := b.attempt(t, "ada@example.org", "192.0.2.1"); (tx.State == recovery.StateDenied) != (i == 4) {
			t.Errorf("attempt %d is %s", i+1, tx.State)
		}
	}
	b = setUp(t, limited(recovery.Limit{Name: "client", Per: recovery.PerClient, Max: 1, Window: time.Hour}))
	for _, client := range []recovery.ClientID{"main-idp", "another", "main-idp"} {
		tx, _, err := b.Start(t.Context(), recovery.StartParams{Client: client, Account: "ada@example.org"})
		if err != nil || (tx.State == recovery.StateDenied) != (b.writes == 3) {
			t.Errorf("%s, after %d: %s, %v", client, b.writes, tx.State, err)
		}
	}
}

// Whoever is barred silently and ineligible besides is recorded as ineligible.
func TestBarredAndIneligible(t *testing.T) {
	b := setUp(t, limited(recovery.Limit{Name: "account", Per: recovery.PerAccount, Max: 1, Window: time.Hour}))
	for account, reason := range map[recovery.RequestedAccount]recovery.Reason{"grace@example.org": recovery.ReasonAccountExcluded, "ada@example.org": recovery.ReasonAccountBarred} {
		b.attempt(t, account, "192.0.2.1")
		if tx := b.attempt(t, "id of "+account, "192.0.2.1"); tx.State != recovery.StateStarted || tx.Ineligible != reason {
			t.Errorf("%s: %s %s, want %s", account, tx.State, tx.Ineligible, reason)
		}
	}
}

// Nobody who knows the name keeps its owner from the first attempt, from however many networks they try.
func TestStrangersDoNotBarTheOwner(t *testing.T) {
	b := setUp(t, limited(recovery.DefaultLimits()...))
	for i := range 500 {
		network := fmt.Sprintf("198.51.%d.%d", i/250, i%250)
		if i%2 == 0 {
			network = fmt.Sprintf("2001:db8:%x:%x::/64", i/20, i)
		}
		b.attempt(t, "ada@example.org", network)
	}
	tx, secret, err := b.Start(t.Context(), recovery.StartParams{Client: "main-idp", Account: "ada@example.org", Network: "192.0.2.7"})
	if err != nil {
		t.Fatal(err)
	}
	if tx = b.finish(t, tx, secret); tx.State != recovery.StateApproved {
		t.Errorf("the owner's first attempt is %s: %v", tx.State, tx.Decision)
	}
}

// The 65,536 networks of one site are not as many chances: the site has four times what one network has.
func TestSitesAreCounted(t *testing.T) {
	for _, per := range []recovery.LimitPer{recovery.PerNetwork, recovery.PerAccountNetwork} {
		b := setUp(t, limited(recovery.Limit{Name: "l", Per: per, Max: 2, Window: time.Hour}))
		for i := range 8 {
			if tx := b.attempt(t, "ada@example.org", fmt.Sprintf("2001:db8:1:%x::/64", i)); tx.State != recovery.StateStarted {
				t.Errorf("%s: attempt %d of the site is %s", per, i+1, tx.State)
			}
		}
		for _, network := range []string{"2001:db8:1:ffff::/64", "2001:db8:1:8::1", "2001:DB8:1:9::/64"} {
			if tx := b.attempt(t, "ada@example.org", network); tx.State != recovery.StateDenied {
				t.Errorf("%s: %s is %s", per, network, tx.State)
			}
		}
		others := []string{"2001:db8:2::/64", "2001:db8::/64", "192.0.2.1", "2001:db8:3::/48", "2001:db8:3::/48"}
		for i := range 9 { // as sockets for both families write IPv4
			others = append(others, fmt.Sprintf("::ffff:192.0.2.%d", 10+i))
		}
		for _, network := range others {
			if tx := b.attempt(t, "ada@example.org", network); tx.State != recovery.StateStarted {
				t.Errorf("%s: %s is %s", per, network, tx.State)
			}
		}
	}
}

// An unknown network is one network, and not a way round the limits.
func TestUnknownNetworksAreOne(t *testing.T) {
	for _, per := range []recovery.LimitPer{recovery.PerNetwork, recovery.PerAccountNetwork} {
		b := setUp(t, limited(recovery.Limit{Name: "l", Per: per, Max: 2, Window: time.Hour}))
		for i := range 3 {
			if tx := b.attempt(t, "ada@example.org", ""); (tx.State == recovery.StateDenied) != (i == 2) {
				t.Errorf("%s: attempt %d is %s", per, i+1, tx.State)
			}
		}
	}
}

// Limits tell nothing of whose id or name was tried: what is shown depends on what was asked for alone, and as many
// counters are written in either case.
func TestLimitsTellNothing(t *testing.T) {
	seen := map[recovery.RequestedAccount]string{}
	for _, last := range []recovery.RequestedAccount{"id of ada@example.org", "ADA@EXAMPLE.ORG", "id of tom@example.org", "nobody@example.org", "id of grace@example.org"} {
		b := setUp(t, limited(recovery.Limit{Name: "both", Per: recovery.PerAccountNetwork, Max: 2, Window: time.Hour}, recovery.Limit{Name: "account", Per: recovery.PerAccount, Max: 2, Window: time.Hour}))
		for range 2 {
			b.attempt(t, "ada@example.org", "192.0.2.1")
		}
		before := total(b.hits)
		tx := b.attempt(t, last, "192.0.2.1")
		seen[last] = fmt.Sprint(tx.State, tx.Decision, total(b.hits)-before)
	}
	if seen["ADA@EXAMPLE.ORG"] == seen["nobody@example.org"] {
		t.Error("what was typed again and again is told nobody")
	}
	for name, got := range seen {
		if name != "ADA@EXAMPLE.ORG" && got != seen["nobody@example.org"] {
			t.Errorf("%s: %s; nobody: %s", name, got, seen["nobody@example.org"])
		}
	}
}

func total(hits map[string]int64) (n int64) {
	for _, hit := range hits {
		n += hit
	}
	return n
}
