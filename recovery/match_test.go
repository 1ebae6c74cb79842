package recovery_test

import (
	"strings"
	"testing"
	"testing/quick"

	"regain/recovery"
)

func bindings(level recovery.MatchLevel) []recovery.Binding {
	return []recovery.Binding{
		{Attribute: "given_name", Claim: "given_name", Level: level},
		{Attribute: "family_name", Claim: "family_name", Level: level},
	}
}

// matched decides about an evidence that is right in everything but perhaps the names.
func matched(level recovery.MatchLevel, directory, credential [2]string) bool {
	q := goodQuestion()
	q.Profile.Credentials[0].Bindings = bindings(level)
	q.Account.Attributes = map[recovery.AttributeName]string{"given_name": directory[0], "family_name": directory[1]}
	q.Evidence.Claims = map[recovery.ClaimName]string{"given_name": credential[0], "family_name": credential[1]}
	return recovery.Decide(q).Outcome == recovery.OutcomeApproved
}

func TestMatch(t *testing.T) {
	type names = [2]string
	for _, row := range []struct {
		why                   string
		directory, credential names
		exact, relaxed        bool
	}{
		{"the same", names{"Ada", "Lindqvist"}, names{"Ada", "Lindqvist"}, true, true},
		{"case", names{"ada", "LINDQVIST"}, names{"Ada", "Lindqvist"}, true, true},
		{"sharp s is two, as in every upper-case document", names{"Ada", "Groß"}, names{"Ada", "GROSS"}, true, true},
		{"composed and decomposed", names{"Zoë", "Ångström"}, names{"Zoe\u0308", "A\u030angstro\u0308m"}, true, true},
		{"compatibility forms", names{"Ada", "Lindqvist"}, names{"Ａｄａ", "Lindqvist"}, true, true},
		{"white space", names{" Ada ", "Lind  qvist"}, names{"Ada", "Lind\u00a0qvist"}, true, true},
		{"hyphens", names{"Anne-Marie", "Oʼneil"}, names{"Anne‐Marie", "O'Neil"}, true, true},
		{"more names in the passport (Entra's example)", names{"Maria", "Garcia"}, names{"Maria Elena", "Garcia Lopez"}, false, true},
		{"a full name in one claim", names{"Maria", "Garcia"}, names{"Maria Garcia", ""}, false, true},
		{"a full name in the other claim", names{"Maria", "Garcia"}, names{"", "Garcia Maria"}, false, true},
		{"exchanged names", names{"Maria", "Garcia"}, names{"Garcia", "Maria"}, false, true},
		{"two words of the directory side by side", names{"Mary Ann", "Lee"}, names{"Mary Ann Sue", "Lee"}, false, true},
		{"two words of the directory apart", names{"Mary Ann", "Lee"}, names{"Mary Sue Ann", "Lee"}, false, false},
		{"two words in the wrong order", names{"Mary Ann", "Lee"}, names{"Ann Mary", "Lee"}, false, false},
		{"words of two claims are not side by side", names{"Ann Lee", "Lee"}, names{"Mary Ann", "Lee"}, false, false},
		{"a short form (Entra's counter-example)", names{"Jon", "Bell"}, names{"Jonathan", "Bell"}, false, false},
		{"a part of a word", names{"Ann", "Bell"}, names{"Annabel", "Bell"}, false, false},
		{"a part of a hyphenated word", names{"Anne", "Bell"}, names{"Anne-Marie", "Bell"}, false, false},
		{"an umlaut is not its vowel", names{"Ada", "Müller"}, names{"Ada", "Muller"}, false, false},
		{"nor its transliteration", names{"Ada", "Müller"}, names{"Ada", "Mueller"}, false, false},
		{"a Cyrillic letter that looks Latin", names{"Ada", "Nowak"}, names{"Ada", "Nоwak"}, false, false},
		{"an invisible letter in the claim", names{"Ada", "Nowak"}, names{"Ada", "No\u200bwak"}, false, false},
		{"an invisible letter in the directory", names{"Ada", "No\u200bwak"}, names{"Ada", "No\u200bwak"}, false, false},
		{"a bidirectional override", names{"Ada", "kawoN"}, names{"Ada", "\u202eNowak"}, false, false},
		{"a filler", names{"\u3164", "Nowak"}, names{"\u3164", "Nowak"}, false, false},
		{"a control character", names{"A\x01da", "Nowak"}, names{"A\x01da", "Nowak"}, false, false},
		{"broken UTF-8", names{"A\xff", "Nowak"}, names{"A\xff", "Nowak"}, false, false},
		{"nothing on both sides", names{"", ""}, names{"", ""}, false, false},
		{"white space on both sides", names{" ", " "}, names{" ", " "}, false, false},
		{"an empty directory name", names{"", "Nowak"}, names{"", "Nowak"}, false, false},
		{"endless", names{strings.Repeat("a", 600), "Nowak"}, names{strings.Repeat("a", 600), "Nowak"}, false, false},
		{"only the family name", names{"Ada", "Nowak"}, names{"Eve", "Nowak"}, false, false},
		{"only the given name", names{"Ada", "Nowak"}, names{"Ada", "Stone"}, false, false},
	} {
		if got := matched(recovery.MatchExact, row.directory, row.credential); got != row.exact {
			t.Errorf("%s: exact is %t, want %t", row.why, got, row.exact)
		}
		if got := matched(recovery.MatchRelaxed, row.directory, row.credential); got != row.relaxed {
			t.Errorf("%s: relaxed is %t, want %t", row.why, got, row.relaxed)
		}
	}
}

// What matches exactly matches relaxed too, and a stranger's names match nobody's.
func TestExactImpliesRelaxed(t *testing.T) {
	holds := func(a, b, c, d string) bool {
		return !matched(recovery.MatchExact, [2]string{a, b}, [2]string{c, d}) || matched(recovery.MatchRelaxed, [2]string{a, b}, [2]string{c, d})
	}
	if err := quick.Check(holds, nil); err != nil {
		t.Error(err)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("Maria", "Garcia", "Maria Elena", "Garcia Lopez")
	f.Add("Zoë", "Ångström", "Zoe\u0308", "A\u030angstro\u0308m")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		if matched(recovery.MatchExact, [2]string{a, b}, [2]string{c, d}) && !matched(recovery.MatchExact, [2]string{c, d}, [2]string{a, b}) {
			t.Error("exact is not symmetric")
		}
		if matched(recovery.MatchRelaxed, [2]string{a, b}, [2]string{}) {
			t.Error("no claims match somebody")
		}
	})
}

func TestMaskAndKey(t *testing.T) {
	for name, want := range map[recovery.AccountName]string{
		"ada@example.org": "a•••@example.org", "a@example.org": "a•••@example.org", "ada": "a•••", "": "•••", "@example.org": "•••", "\xff@x": "•••",
	} {
		if got := name.Mask(); got != want {
			t.Errorf("mask of %q is %q, want %q", name, got, want)
		}
		if got := recovery.RequestedAccount(name).Mask(); got != want {
			t.Errorf("mask of the request for %q is %q, want %q", name, got, want)
		}
	}
	if recovery.RequestedAccount(" ADA@Example.org").LimitKey() != recovery.RequestedAccount("ada@example.org").LimitKey() {
		t.Error("spelling a name differently gives another key")
	}
}
