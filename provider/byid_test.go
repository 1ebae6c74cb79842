package provider_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// A relying party with subject: id hears one value for a person, however it named the account, and the pass is good under
// that value. Every record of the audit log has it as account, with the directory's name beside it, and no record has a
// name where an id belongs: what an audit log says of an account is true after the account is renamed too.
func TestIDsAreNotNames(t *testing.T) {
	f := setUp(t)
	f.RP = f.ByID
	ada := personOf(t, "ada.lindqvist")
	for _, requested := range []string{ada.AccountID, ada.Account, strings.ToUpper(ada.Account)} {
		page := f.press(t, f.start(t, requested), "have-verified-id")
		next, err := f.browser.Open(t.Context(), f.share(t, f.review(t, page)))
		code, err := f.RP.Code(f.attempt, f.press(t, f.must(t, next, err), "finish").URL.String())
		if err != nil {
			t.Fatal(err)
		}
		tokens, err := f.RP.Redeem(t.Context(), f.attempt, code)
		if err != nil {
			t.Fatal(err)
		}
		recovered, err := f.RP.Check(t.Context(), f.attempt, ada.AccountID, tokens)
		if err != nil {
			t.Fatalf("named as %s: %v", requested, err)
		}
		if verdict, err := f.RP.VerifyPass(t.Context(), recovered.Subject, recovered.Recovery.Pass.Value); err != nil || !verdict.Active {
			t.Errorf("named as %s: the pass under sub: %+v %v", requested, verdict, err)
		}
	}
	// An id has one spelling, unlike a name: in other letters it is nobody's, and the owner's wallet opens nothing by it.
	page := f.press(t, f.start(t, strings.ToUpper(ada.AccountID)), "have-verified-id")
	next, err := f.browser.Open(t.Context(), f.share(t, f.review(t, page)))
	if page = f.must(t, next, err); !page.Has("denied") {
		t.Errorf("an id in other letters: %s", page.Text())
	}
	log, err := os.ReadFile(f.AuditLog())
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for line := range bytes.Lines(log) {
		var record struct {
			Event struct {
				Type        string `json:"type"`
				Account     string `json:"account"`
				AccountName string `json:"account_name"`
			} `json:"event"`
		}
		if err := json.Unmarshal(line, &record); err != nil {
			t.Fatal(err)
		}
		e := record.Event
		if is := [2]string{e.Account, e.AccountName}; is == [2]string{ada.AccountID, ada.Account} {
			named++
		} else if is != [2]string{} {
			t.Errorf("%s: account %q, account_name %q", e.Type, e.Account, e.AccountName)
		}
	}
	if named < 3 {
		t.Errorf("%d records name the account", named)
	}
}
