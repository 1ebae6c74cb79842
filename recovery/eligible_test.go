package recovery_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"regain/recovery"
)

const adaID = recovery.AccountID("id of ada@example.org")

// change alters an account of the directory.
func (b *bench) change(name string, how func(*recovery.Account)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.accounts[name]
	delete(b.accounts, name)
	how(&a)
	b.accounts[a.Name.Exact()] = a
}

// reassign gives Ada's account another name, and her name to Eve, whose family name is Stone.
func (b *bench) reassign() {
	b.change("ada@example.org", func(a *recovery.Account) { a.Name = "ada.lindqvist@example.org" })
	b.mu.Lock()
	defer b.mu.Unlock()
	b.accounts["ada@example.org"] = recovery.Account{
		Name: "ada@example.org", ID: "id of Eve", Enabled: true, Attributes: map[recovery.AttributeName]string{"given_name": "Ada", "family_name": "Stone"},
	}
}

// A name that is given to somebody else in the middle of a recovery is still the account that it was at the start.
func TestNamesGivenToSomebodyElseMeanwhile(t *testing.T) {
	for name, row := range map[string]struct {
		family string
		want   recovery.State
	}{
		"the account's owner":  {"Lindqvist", recovery.StateApproved},
		"the name's new owner": {"Stone", recovery.StateDenied},
	} {
		b := setUp(t, nil)
		tx, secret := b.start(t, "ada@example.org")
		b.reassign()
		receipt := b.present(t, tx, recovery.FlowSameDevice, func(e *recovery.Evidence) { e.Claims["family_name"] = row.family })
		tx, _ = b.Open(t.Context(), tx.ID, secret)
		tx, err := b.Return(t.Context(), tx, receipt.ResponseCode)
		if err != nil || tx.State != row.want {
			t.Errorf("%s: %s, %v", name, tx.State, err)
		}
		if tx.State != recovery.StateApproved {
			continue
		}
		redeemed, err := b.Redeem(t.Context(), claim(tx))
		if err != nil || redeemed.Account.ID != adaID || b.last().Account != adaID || b.last().Requested != "ada@example.org" {
			t.Errorf("%s: a pass for %q, recorded for %q: %v", name, redeemed.Account.ID, b.last().Account, err)
		}
	}
	b := setUp(t, nil)
	tx := b.approved(t, "ada@example.org")
	b.reassign()
	if redeemed, err := b.Redeem(t.Context(), claim(tx)); err != nil || redeemed.Account.ID != adaID {
		t.Errorf("after the decision: a pass for %q: %v", redeemed.Account.ID, err)
	}
}

// Who gets a name that was nobody's when the recovery began did not begin it.
func TestNamesThatWereNobodysAtTheStart(t *testing.T) {
	b := setUp(t, nil)
	tx, secret := b.start(t, "late@example.org")
	b.change("ada@example.org", func(a *recovery.Account) { a.Name = "late@example.org" })
	if tx = b.conclude(t, tx, secret); tx.State != recovery.StateDenied || tx.Decision.Reason != recovery.ReasonAccountUnknown {
		t.Errorf("%s %v", tx.State, tx.Decision)
	}
	for _, r := range tx.Decision.Results {
		if strings.HasPrefix(r.Rule, "match:") && r.Pass {
			t.Errorf("the evidence was held against the name's new owner: %s", r.Rule)
		}
	}
}

// otherID is a directory that finds by an id what has another one.
type otherID struct{ *outside }

func (o otherID) FindByID(ctx context.Context, id recovery.AccountID) (recovery.Account, error) {
	a, err := o.outside.FindByID(ctx, id)
	a.ID = recovery.AccountID(strings.ToUpper(string(a.ID)))
	return a, err
}

// noID is a directory that does not say which account it found.
type noID struct{ *outside }

func (o noID) Find(ctx context.Context, requested recovery.RequestedAccount) (recovery.Account, error) {
	a, err := o.outside.Find(ctx, requested)
	a.ID = ""
	return a, err
}

// nameless is a directory that has an account for no name and no id.
type nameless struct{ *outside }

func (nameless) Find(context.Context, recovery.RequestedAccount) (recovery.Account, error) {
	return recovery.Account{ID: "1", Enabled: true}, nil
}

func (nameless) FindByID(context.Context, recovery.AccountID) (recovery.Account, error) {
	return recovery.Account{Enabled: true}, nil
}

func TestNobodyIsFoundByNothing(t *testing.T) {
	b := setUp(t, nil)
	b.useDirectory(t, nameless{b.outside})
	if _, err := b.EligibleByName(t.Context(), ""); !errors.Is(err, recovery.ErrIneligible) {
		t.Errorf("by no name: %v", err)
	}
	if _, err := b.Eligible(t.Context(), "", "employees"); !errors.Is(err, recovery.ErrIneligible) {
		t.Errorf("by no id: %v", err)
	}
}

func TestDirectoriesThatAreWrongAboutIDs(t *testing.T) {
	b := setUp(t, nil)
	b.useDirectory(t, otherID{b.outside})
	if tx := b.approved(t, "ada@example.org"); tx.State != recovery.StateDenied || tx.Decision.Reason != recovery.ReasonAccountUnknown {
		t.Errorf("an account with another id: %s %v", tx.State, tx.Decision)
	}
	if _, err := b.Eligible(t.Context(), adaID, "employees"); !errors.Is(err, recovery.ErrIneligible) || !strings.Contains(err.Error(), "account_unknown") {
		t.Errorf("an account with another id: %v", err)
	}
	b.useDirectory(t, noID{b.outside})
	_, _, err := b.Start(t.Context(), recovery.StartParams{Client: "main-idp", Account: "ada@example.org"})
	if err == nil || !strings.Contains(err.Error(), "without an id") {
		t.Errorf("an account without an id: %v", err)
	}
}

// The one question, by id and by name: each way to be ineligible, and an outage, which is none of them.
func TestEligible(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*bench)
		says   string // "" for eligible
	}{
		"as it was":   {func(*bench) {}, ""},
		"in no group": {func(b *bench) { b.change("ada@example.org", func(a *recovery.Account) { a.Groups = nil }) }, ""},
		"disabled": {func(b *bench) { b.change("ada@example.org", func(a *recovery.Account) { a.Enabled = false }) },
			"account_disabled"},
		"excluded": {func(b *bench) {
			b.change("ada@example.org", func(a *recovery.Account) { a.Groups = []recovery.GroupName{"Executives"} })
		},
			"account_excluded"},
		"deleted": {func(b *bench) { delete(b.accounts, "ada@example.org") }, "account_unknown"},
		"in a profile that is a trial": {func(b *bench) {
			b.change("ada@example.org", func(a *recovery.Account) { a.Groups = []recovery.GroupName{"pilot"} })
		},
			"not in production account_out_of_scope"},
	} {
		b := setUp(t, nil)
		row.change(b)
		byID, err := b.Eligible(t.Context(), adaID, "employees")
		byName, named := b.EligibleByName(t.Context(), "Ada@Example.org")
		for way, err := range map[string]error{"by id": err, "by name": named} {
			switch {
			case row.says == "" && err != nil:
				t.Errorf("%s, %s: %v", name, way, err)
			case row.says != "" && (!errors.Is(err, recovery.ErrIneligible) || !saysOneOf(err, row.says)):
				t.Errorf("%s, %s: %v, want it to say %q", name, way, err, row.says)
			}
		}
		if row.says == "" && (byID.ID != adaID || byName.ID != adaID) {
			t.Errorf("%s: %q and %q", name, byID.ID, byName.ID)
		}
		b.failDirectory = errDisk
		_, err = b.Eligible(t.Context(), adaID, "employees")
		_, named = b.EligibleByName(t.Context(), "ada@example.org")
		if !errors.Is(err, errDisk) || !errors.Is(named, errDisk) || errors.Is(err, recovery.ErrIneligible) || errors.Is(named, recovery.ErrIneligible) {
			t.Errorf("%s, in an outage: %v, %v", name, err, named)
		}
	}
	b := setUp(t, nil)
	for name, id := range map[string]recovery.AccountID{"no id": "", "a name": "ada@example.org", "another case": "ID of ada@example.org"} {
		if _, err := b.Eligible(t.Context(), id, "employees"); !errors.Is(err, recovery.ErrIneligible) {
			t.Errorf("%s is an id: %v", name, err)
		}
	}
	if _, err := b.Eligible(t.Context(), adaID, "pilot"); !errors.Is(err, recovery.ErrIneligible) || !strings.Contains(err.Error(), "account_out_of_scope") {
		t.Errorf("under another profile than the one that covers it: %v", err)
	}
	if _, err := b.Eligible(t.Context(), "id of tom@example.org", "pilot"); !errors.Is(err, recovery.ErrIneligible) || !strings.Contains(err.Error(), "not in production") {
		t.Errorf("under a trial: %v", err)
	}
}

func saysOneOf(err error, fragments string) bool {
	for _, fragment := range []string{"not in production", "account_out_of_scope", "account_disabled", "account_excluded", "account_unknown"} {
		if strings.Contains(fragments, fragment) && strings.Contains(err.Error(), fragment) {
			return true
		}
	}
	return false
}

// What was so at the start, and what became so before the wallet answered, both deny.
func TestIneligibleAtTheStartOrMeanwhile(t *testing.T) {
	groups := func(names ...recovery.GroupName) func(*recovery.Account) {
		return func(a *recovery.Account) { a.Groups = names }
	}
	for name, row := range map[string]struct {
		account       recovery.RequestedAccount
		before, after func(*recovery.Account)
		reason        recovery.Reason
	}{
		"as it was":                    {"ada@example.org", groups(), groups(), recovery.ReasonNone},
		"disabled at the start only":   {"ada@example.org", func(a *recovery.Account) { a.Enabled = false }, func(a *recovery.Account) { a.Enabled = true }, recovery.ReasonAccountDisabled},
		"excluded at the start only":   {"ada@example.org", groups("executives"), groups(), recovery.ReasonAccountExcluded},
		"disabled meanwhile":           {"ada@example.org", groups(), func(a *recovery.Account) { a.Enabled = false }, recovery.ReasonAccountDisabled},
		"excluded meanwhile":           {"ada@example.org", groups(), groups("EXECUTIVES"), recovery.ReasonAccountExcluded},
		"moved to a trial meanwhile":   {"ada@example.org", groups(), groups("pilot"), recovery.ReasonAccountOutOfScope},
		"moved out of one meanwhile":   {"ada@example.org", groups("pilot"), groups(), recovery.ReasonAccountOutOfScope},
		"the trial's account, as ever": {"ada@example.org", groups("pilot"), groups("pilot"), recovery.ReasonNone},
	} {
		b := setUp(t, nil)
		b.change("ada@example.org", row.before)
		tx, secret := b.start(t, row.account)
		b.change("ada@example.org", row.after)
		tx = b.conclude(t, tx, secret)
		if tx.Decision == nil || tx.Decision.Reason != row.reason || (tx.State == recovery.StateDenied) != (row.reason != recovery.ReasonNone) {
			t.Errorf("%s: %s %v, want %q", name, tx.State, tx.Decision, row.reason)
		}
	}
}
