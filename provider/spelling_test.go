package provider_test

import (
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"regain/internal/config"
	"regain/recovery"
)

// lookAlikes are names that something takes for Ada's, and that are other people's in this directory.
func lookAlikes() []string {
	const ada = "ada.lindqvist@example.org"
	return []string{
		"ada.lındqvist@example.org", "ada.lİndqvist@example.org", "ａda.lindqvist@example.org", "ada.lindqviſt@example.org", "ada.lindqvist@example。org", "ada.lindqvist＠example.org",
		"ada.lindqvist\u00ad@example.org", "ada\u200b.lindqvist@example.org", "\u202eada.lindqvist@example.org", " " + ada, ada + " ", ada + "\u00a0", ada + ".", "ada.lindqvist@example.org\u2069", "аda.lindqvist@example.org",
	}
}

// withLookAlikes adds those people, whose family name is Stone, to the directory.
func withLookAlikes(t *testing.T) func(*config.Config) {
	return func(cfg *config.Config) {
		text, err := os.ReadFile(cfg.Directory.File)
		var document struct {
			Accounts []map[string]any
			Groups   []string
		}
		if err == nil {
			err = yaml.Unmarshal(text, &document)
		}
		for _, name := range lookAlikes() {
			document.Accounts = append(document.Accounts, map[string]any{"name": name, "groups": []string{"employees"}, "attributes": map[string]string{"given_name": "Ada", "family_name": "Stone"}})
		}
		if err == nil {
			text, err = yaml.Marshal(document)
		}
		if err == nil {
			err = os.WriteFile(cfg.Directory.File, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A sample of recovery.TestNoNameIsAnothers over HTTP: Ada's wallet opens nobody's account but hers, and her pass is good
// for nobody else, whichever look-alike is named, known to the directory or not.
func TestNobodyIsAnotherOverHTTP(t *testing.T) {
	for name, change := range map[string]func(*config.Config){"known": withLookAlikes(t), "unknown": nil} {
		f := setUpWith(t, change)
		for _, other := range lookAlikes() {
			if !recovery.Recordable(other) { // refused at the door, before anybody looks for it
				if _, err := f.RP.Start(t.Context(), other, nil); err == nil || !strings.Contains(err.Error(), "characters that do not show") {
					t.Errorf("%s: %q: %v", name, other, err)
				}
				continue
			}
			page := f.press(t, f.start(t, other), "have-verified-id")
			next, err := f.browser.Open(t.Context(), f.share(t, f.review(t, page)))
			if page = f.must(t, next, err); !page.Has("denied") {
				t.Errorf("%s: Ada's wallet for %q: %s", name, other, page.Text())
			}
		}
		page := f.press(t, f.start(t, "Ada.LINDQVIST@example.org"), "have-verified-id") // her own, in other letters: Check holds sub and what was requested
		next, err := f.browser.Open(t.Context(), f.share(t, f.review(t, page)))
		code, err := f.RP.Code(f.attempt, f.press(t, f.must(t, next, err), "finish").URL.String())
		if err != nil {
			t.Fatal(err)
		}
		tokens, err := f.RP.Redeem(t.Context(), f.attempt, code)
		if err != nil {
			t.Fatal(err)
		}
		recovered, err := f.RP.Check(t.Context(), f.attempt, "ada.lindqvist@example.org", tokens)
		if err != nil {
			t.Fatal(err)
		}
		pass := recovered.Recovery.Pass.Value
		for _, other := range lookAlikes() {
			if verdict, err := f.RP.VerifyPass(t.Context(), other, pass); err != nil || verdict.Active {
				t.Errorf("%s: Ada's pass for %q: %+v %v", name, other, verdict, err)
			}
		}
		for i, own := range []string{strings.ToUpper("ada.lindqvist@example.org"), "ada.lindqvist@example.org"} {
			if verdict, err := f.RP.VerifyPass(t.Context(), own, pass); err != nil || verdict.Active != (i == 0) {
				t.Errorf("%s: her own, time %d: %+v %v", name, i+1, verdict, err)
			}
		}
	}
}
