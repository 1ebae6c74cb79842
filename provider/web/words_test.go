package web_test

import (
	"strings"
	"testing"

	"regain/provider/web"
)

// contradictions are words that must not stand in a situation's heading or text: each names another situation's cause.
func contradictions() map[web.Situation][]string {
	match := []string{"does not match", "could not confirm", "Face Check did not"}
	return map[web.Situation][]string{
		web.TooMany:        append(match, "Verified ID", "did not answer"),
		web.Unavailable:    append(match, "too many", "revoked"),
		web.FarAway:        append(match, "too many", "revoked"),
		web.CredentialBad:  append(match, "too many", "network"),
		web.FaceCheck:      {"does not match", "too many", "revoked", "network"},
		web.NotVerified:    {"Face Check", "too many", "revoked", "network", "no such account", "excluded", "disabled"},
		web.Declined:       append(match, "Opened in", "could not answer", "Waiting"),
		web.WalletProblem:  append(match, "Opened in", "declined", "Waiting"),
		web.Closed:         append(match, "Opened in", "declined", "Waiting"),
		web.BrowserLeft:    append(match, "Opened in", "declined", "Waiting", "below"),
		web.Cancelled:      append(match, "expired", "in time", "another browser"),
		web.EndedElsewhere: append(match, "You cancelled", "expired"),
		web.Expired:        append(match, "cancelled", "too many"),
		web.PassNotMade:    append(match, "complete", "was shown"),
		web.PassLost:       append(match, "complete", "was shown", "could not be made"),
		web.PassShown:      append(match, "could not be made", "were sent back"),
		web.Returned:       append(match, "could not be made"),
		web.Evaluated:      append(match, "recovered.", "cancelled"),
		web.Approved:       append(match, "complete", "trial"),
		web.NoCookie:       append(match, "expired"),
		web.NotHere:        append(match, "another browser", "cookie"),
		web.CodeOver:       append(match, "another browser"),
		web.NotNow:         append(match, "another browser", "out of date"),
		web.OldForm:        append(match, "another browser", "done already"),
		web.RequestOver:    append(match, "another browser"),
		web.Gone:           append(match, "another browser", "cancelled"),
	}
}

// Each situation has its own heading and text that say the same, and one next step; none accuses an honest person's browser.
func TestEachSituationHasItsOwnWords(t *testing.T) {
	headings, texts := map[string]web.Situation{}, map[string]web.Situation{}
	all := web.Situations()
	if len(all) != 40 {
		t.Errorf("%d situations", len(all))
	}
	for _, s := range all {
		words := s.Of("Example Org")
		said := words.Heading + " " + words.Text
		if words.Heading == "" || words.Text == "" || strings.ContainsAny(said+words.Button, "{}") {
			t.Errorf("%s: %+v", s, words)
		}
		// One that waits for a wallet has the same heading until something came of it.
		same := func(of web.Situation) bool { return of == web.Waiting || of == web.Opened }
		if other, twice := headings[words.Heading]; twice && (!same(s) || !same(other)) {
			t.Errorf("%s has the heading of %s", s, other)
		}
		if other, twice := texts[words.Text]; twice {
			t.Errorf("%s has the text of %s", s, other)
		}
		headings[words.Heading], texts[words.Text] = s, s
		// While a wallet is asked, its ways are the next step; at the wallet's device, it is at the other screen.
		if without := s == web.Waiting || s == web.Opened || s == web.NothingShared; (words.Button == "") != without {
			t.Errorf("%s: the button %q", s, words.Button)
		}
		for _, accusation := range []string{"trying", "attack", "into your account", "into an account"} {
			if all := said + strings.Join(words.Next, " "); strings.Contains(all, accusation) {
				t.Errorf("%s: %q", s, all)
			}
		}
		for _, other := range contradictions()[s] {
			if strings.Contains(strings.ToLower(said), strings.ToLower(other)) {
				t.Errorf("%s says %q: %s", s, other, said)
			}
		}
		if unknown := s.Of(""); strings.Contains(unknown.Heading+unknown.Text+unknown.Button, "Example Org") || strings.ContainsAny(unknown.Text, "{}") {
			t.Errorf("%s, for nobody: %+v", s, unknown)
		}
	}
	if got := web.Situation("nonsense").Of(""); got.Heading != web.ServerProblem.Of("").Heading {
		t.Errorf("an unknown situation: %+v", got)
	}
}
