package recovery_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"regain/recovery"
)

// respell returns ways to write a name that something between the main IdP and a directory takes for the same: folding,
// normalising, padding, look-alikes. Most are other names.
func respell(name string) []string {
	all := []string{
		name, strings.ToUpper(name), strings.ToTitle(name), norm.NFD.String(name), norm.NFKC.String(name), norm.NFKD.String(name),
		name + ".", name + "\x00", name + "\xff", name + "@", "\ufeff" + name, "\u202e" + name, name + "\u2069", name + "\u034f",
	}
	for _, space := range []string{" ", "\t", "\u00a0", "\u2003", "\u3000", "\u200b", "\u2060", "\u00ad", "\r\n"} {
		all = append(all, space+name, name+space, strings.Replace(name, "@", space+"@", 1), name[:1]+space+name[1:])
	}
	for from, to := range map[string][]string{
		"ss": {"ß", "ẞ", "ſſ", "ſs"}, "s": {"ſ", "ｓ", "ѕ"}, "k": {"K", "ｋ", "к"}, "i": {"ı", "İ", "I", "ⅰ", "і", "i̇"}, "a": {"ａ", "а", "ª", "å", "Å"},
		"e": {"ｅ", "ℯ", "е", "é", "e\u0301"}, ".": {"。", "．", "｡", "․", "\\."}, "@": {"＠", "﹫", "@\u200d"}, "o": {"ο", "º", "ö", "o\u0308"}, "f": {"ﬀ", "ƒ"},
		"1": {"１", "¹", "①"}, "-": {"‐", "−", "\u2011"},
	} {
		for _, other := range to {
			all = append(all, strings.Replace(name, from, other, 1), strings.ReplaceAll(name, from, other))
		}
	}
	return all
}

// people fills a directory with accounts whose names differ, each with a person's name of its own, and returns the names
// that are in it and some that are not.
func (b *bench) people(random *rand.Rand, size int) (present, absent []recovery.AccountName) {
	bases := []string{"weiss@example.org", "kelvin@example.org", "ines.koskinen@example.org", "file-1@example.org", "a@b.c", "koffi", "Straße 1"}
	seen := map[string]bool{}
	clear(b.accounts)
	for len(present)+len(absent) < size {
		spellings := respell(bases[random.IntN(len(bases))])
		spellings = respell(spellings[random.IntN(len(spellings))])
		name := recovery.AccountName(spellings[random.IntN(len(spellings))])
		if seen[name.Exact()] {
			continue
		}
		seen[name.Exact()] = true
		if random.IntN(4) == 0 {
			absent = append(absent, name)
			continue
		}
		id := fmt.Sprintf("id-%d", len(present))
		b.accounts[name.Exact()] = recovery.Account{Name: name, ID: recovery.AccountID(id), Enabled: true, Attributes: map[recovery.AttributeName]string{"given_name": "Ada", "family_name": letters(len(present))}}
		present = append(present, name)
	}
	return present, absent
}

// letters is a family name for each number.
func letters(n int) string { return strings.Repeat("x", n%7+1) + string(rune('a'+n/7)) }

// recovers walks a recovery of an account with the evidence of the person whose family name it is, to the pass.
func (b *bench) recovers(t *testing.T, requested recovery.RequestedAccount, family string) (recovery.AccountID, bool) {
	t.Helper()
	tx, secret := b.start(t, requested)
	receipt := b.present(t, tx, recovery.FlowSameDevice, func(e *recovery.Evidence) { e.Claims["family_name"] = family })
	tx, err := b.Open(t.Context(), tx.ID, secret)
	if err != nil {
		t.Fatal(err)
	}
	if tx, err = b.Return(t.Context(), tx, receipt.ResponseCode); err != nil {
		t.Fatal(err)
	}
	redeemed, err := b.Redeem(t.Context(), claim(tx))
	if err != nil {
		if !errors.Is(err, recovery.ErrIllegalStep) && !errors.Is(err, recovery.ErrNoTransaction) {
			t.Fatalf("%q: %v", requested, err)
		}
		return "", false
	}
	return redeemed.Account.ID, true
}

// TestNoNameIsAnothers is the property: of a generated directory no two names that differ ever recover, or are found, for
// each other, whether the directory compares as it should or folds before it looks.
func TestNoNameIsAnothers(t *testing.T) {
	for _, folds := range []bool{false, true} {
		for seed := range uint64(6) {
			b := setUp(t, nil)
			present, absent := b.people(rand.New(rand.NewPCG(seed, 1)), 32)
			if folds {
				b.useDirectory(t, folding{b.outside})
			}
			for i, own := range present {
				id := recovery.AccountID(fmt.Sprintf("id-%d", i))
				if got, ok := b.recovers(t, recovery.RequestedAccount(own), letters(i)); !ok && !folds || ok && got != id {
					t.Errorf("seed %d: %q recovers %q (%t), want its own %q", seed, own, got, ok, id)
				}
				for j, other := range present {
					if i == j {
						continue
					}
					if got, ok := b.recovers(t, recovery.RequestedAccount(other), letters(i)); ok {
						t.Errorf("seed %d: who owns %q recovered %q as %q", seed, own, got, other)
					}
				}
				found, err := b.EligibleByName(t.Context(), recovery.RequestedAccount(own))
				if err == nil && found.ID != id {
					t.Errorf("seed %d: %q finds %q", seed, own, found.Name)
				}
				for j, other := range present { // what a session answers to
					if err == nil && found.IsNamed(recovery.RequestedAccount(other)) != (i == j) {
						t.Errorf("seed %d: the session of %q answers to %q", seed, own, other)
					}
				}
			}
			for _, name := range absent {
				if found, err := b.EligibleByName(t.Context(), recovery.RequestedAccount(name)); !errors.Is(err, recovery.ErrIneligible) {
					t.Errorf("seed %d: %q, which is nobody's, finds %q: %v", seed, name, found.Name, err)
				}
			}
			for _, e := range b.events {
				if e.Account != "" && e.AccountName.Exact() != recovery.AccountName(e.Requested).Exact() {
					t.Errorf("seed %d: %q is recorded as %q", seed, e.Requested, e.AccountName)
				}
			}
		}
	}
}

// FuzzAccountName: whatever two names a directory has, and whatever third one comes, only an account of that very name
// is found.
func FuzzAccountName(f *testing.F) {
	for _, name := range respell("weiss@example.org") {
		f.Add("weiss@example.org", name, name)
		f.Add("weiss@example.org", "kelvin@example.org", name)
	}
	f.Fuzz(func(t *testing.T, a, c, requested string) {
		b := setUp(t, nil)
		clear(b.accounts)
		ids := map[string]recovery.AccountID{}
		for i, name := range []recovery.AccountName{recovery.AccountName(a), recovery.AccountName(c)} {
			if _, taken := b.accounts[name.Exact()]; name != "" && !taken {
				ids[name.Exact()] = recovery.AccountID(fmt.Sprint("id ", i))
				b.accounts[name.Exact()] = recovery.Account{Name: name, ID: ids[name.Exact()], Enabled: true}
			}
		}
		if requested == "id 0" || requested == "id 1" {
			return
		}
		for _, folds := range []bool{false, true} {
			if folds {
				b.useDirectory(t, folding{b.outside})
			}
			found, err := b.EligibleByName(t.Context(), recovery.RequestedAccount(requested))
			want := ids[recovery.AccountName(requested).Exact()]
			switch {
			case err != nil && !errors.Is(err, recovery.ErrIneligible):
				t.Fatal(err)
			case err == nil && (want == "" || found.ID != want):
				t.Errorf("%q finds %q, want %q", requested, found.ID, want)
			case err != nil && want != "" && !folds:
				t.Errorf("%q does not find its account: %v", requested, err)
			}
		}
	})
}
