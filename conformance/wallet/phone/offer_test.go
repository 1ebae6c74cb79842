package phone_test

import (
	"net/url"
	"strings"
	"testing"

	"regain/conformance/browser"
	"regain/conformance/proofing"
)

// secured offers both documents, for a code that the person has to type.
func (b *bench) secured(code string) string {
	b.t.Helper()
	made, err := b.issuer.MakeOffer(proofing.OfferOptions{
		PersonID: "ada.lindqvist", Configurations: []string{proofing.ConfigurationID, proofing.LicenceID}, TxCode: code,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	link, err := url.Parse(made.ByReference(b.base + "/offer"))
	if err != nil {
		b.t.Fatal(err)
	}
	return link.String()
}

func typing(t *testing.T, b *browser.Browser, page *browser.Page, code string) *browser.Page {
	t.Helper()
	form, ok := page.Form("add")
	if !ok {
		t.Fatalf("nothing to add: %s", page.Text())
	}
	next, err := b.Submit(t.Context(), form, url.Values{"code": {code}})
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func TestAnOfferThatAsksForACode(t *testing.T) {
	b := setUp(t)
	mine := browser.New(browser.Config{})
	page := open(t, mine, b.secured("482915"))
	if !page.Has("code") || page.Attr("code", "inputmode") != "numeric" || page.Attr("code", "maxlength") != "6" || !page.Has("code-hint") {
		t.Fatalf("no field for the code: %s", page.Text())
	}
	if !strings.Contains(page.Text(), "driving licence") {
		t.Errorf("the second document is not named: %s", page.Text())
	}
	for _, wrong := range []string{"", "482916"} {
		if page = typing(t, mine, page, wrong); page.Has("done") || !page.Has("problem") || !page.Has("add") {
			t.Fatalf("with %q: %s", wrong, page.Text())
		}
	}
	if page = typing(t, mine, page, " 482915 "); !page.Has("done") || page.Has("problem") {
		t.Fatalf("not added: %s", page.Text())
	}
	if strings.Contains(b.log.String(), "482915") {
		t.Error("the code is in the log")
	}
}

// A field that the page does not have changes nothing.
func TestACodeThatNobodyAskedFor(t *testing.T) {
	b := setUp(t)
	mine := browser.New(browser.Config{})
	page := open(t, mine, b.offer())
	if page.Has("code") {
		t.Fatalf("it asks for a code: %s", page.Text())
	}
	if page = typing(t, mine, page, "482915"); !page.Has("done") {
		t.Fatalf("not added: %s", page.Text())
	}
}
