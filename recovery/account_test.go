package recovery_test

import (
	"context"
	"errors"
	"testing"

	"regain/recovery"
)

// otherSpellings are what folding, normalising or trimming makes "weiss@example.org" of: each may be another person's name.
func otherSpellings() []recovery.RequestedAccount {
	return []recovery.RequestedAccount{
		"weiß@example.org", "WEIẞ@example.org", "ｗeiss@example.org", "weiſſ@example.org", " weiss@example.org", "weiss@example.org ",
		"weiss@example.org\u00a0", "\xfeiss@example.org", "\ufffdiss@example.org", "weiss\u00ad@example.org", "weiss@example。org", "weıss@example.org", "weİss@example.org", "\u212aelvin@example.org", "",
	}
}

// folding is a directory that finds by the folded key, as one of LDAP may (RFC 4518 §2).
type folding struct{ *outside }

func (f folding) Find(_ context.Context, name recovery.RequestedAccount) (recovery.Account, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.accounts {
		if recovery.RequestedAccount(a.Name).LimitKey() == name.LimitKey() || name == "" {
			return a, nil
		}
	}
	return recovery.Account{}, recovery.ErrNotFound
}

// TestAnotherSpellingIsAnotherAccount holds that no directory can make one account of two names.
func TestAnotherSpellingIsAnotherAccount(t *testing.T) {
	b := setUp(t, nil)
	for _, name := range []recovery.AccountName{"weiss@example.org", "kelvin@example.org"} {
		a := b.accounts["ada@example.org"]
		a.Name, a.ID = name, recovery.AccountID("id of "+name)
		b.accounts[name.Exact()] = a
	}
	b.useDirectory(t, folding{b.outside})
	for _, name := range otherSpellings() {
		if _, err := b.EligibleByName(t.Context(), name); !errors.Is(err, recovery.ErrIneligible) {
			t.Errorf("%q opens another account: %v", name, err)
		}
		tx := b.approved(t, name)
		if got := b.state(tx.ID); got != recovery.StateDenied {
			t.Errorf("%q: the recovery with the evidence of another account is %s", name, got)
		}
	}
	for _, name := range []recovery.RequestedAccount{"weiss@example.org", "WEISS@Example.ORG"} {
		if tx := b.approved(t, name); tx.State != recovery.StateApproved {
			t.Errorf("%q: the account's own name is %s", name, tx.State)
		}
	}
}

// A name of bytes that are not UTF-8, as a directory may have it, is no other one's.
func TestExactIsByBytes(t *testing.T) {
	names := []recovery.AccountName{"mei\xdfner", "mei\xe4ner", "mei\ufffdner"}
	for i, a := range names {
		for j, b := range names {
			if (a.Exact() == b.Exact()) != (i == j) {
				t.Errorf("%q and %q: %t", a, b, a.Exact() == b.Exact())
			}
		}
	}
	if recovery.AccountName("ADA\xC4").Exact() != "ada\xc4" {
		t.Error("A to Z only")
	}
}

// A pass that cannot be recorded is revoked under the id that it was issued under, however the IdP named the account.
func TestRevokedUnderTheDirectorysID(t *testing.T) {
	b := setUp(t, nil)
	tx := b.approved(t, "id of ada@example.org")
	b.failAudit = func(e recovery.Event) error {
		if e.Type == recovery.EventPassIssued {
			return errDisk
		}
		return nil
	}
	if _, err := b.Redeem(t.Context(), claim(tx)); !errors.Is(err, errDisk) {
		t.Fatal(err)
	}
	if len(b.passes) != 0 || b.revokedFor != "id of ada@example.org" {
		t.Errorf("%d passes live; revoked for %q", len(b.passes), b.revokedFor)
	}
}

var errDisk = errors.New("disk on fire")
