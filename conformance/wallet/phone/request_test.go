package phone_test

import (
	"crypto/rand"
	"io"
	"log/slog"
	"strings"
	"testing"

	"regain/conformance/browser"
	"regain/conformance/wallet/phone"
	"regain/conformance/wallet/request"
	"regain/conformance/wallet/wallettest"
)

// asking is a phone that is asked by a verifier of wallettest, under one kind of client_id.
func asking(t *testing.T, kind string, spoil func(*wallettest.Env)) (*browser.Browser, *browser.Page) {
	t.Helper()
	w := wallettest.New(t)
	w.As(t, kind)
	if spoil != nil {
		spoil(w)
	}
	server := listen(t)
	p, err := phone.NewServer(phone.Config{
		BaseURL: server.URL, People: phone.SamplePeople(rand.Reader), HTTPClient: w.Config.HTTPClient, Clock: wallettest.Noon, Random: rand.Reader,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), RequestAnchors: w.Roots.Pool(), IssuerAnchors: w.Proofs.Pool(), Requests: w.Config.Requests,
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = p.Handler()
	mine := browser.New(browser.Config{})
	_, query, _ := strings.Cut(w.Issuer.Link(), "?")
	press(t, mine, open(t, mine, server.URL+"/offer?"+query), "add")
	_, query, _ = strings.Cut(w.Verifier.Link("get"), "?")
	return mine, open(t, mine, server.URL+"/authorize?"+query)
}

func TestThePersonSeesWhoAsksAndForWhat(t *testing.T) {
	licence := func(w *wallettest.Env) { w.Issuer.Licensed = true; w.Verifier.Query = wallettest.LicenceQuery() }
	recovery := wallettest.Encode([]byte(`{"type":"` + request.AccountRecovery + `","credential_ids":["verified_id"],"account":"ada@example.org","organisation":"Contoso"}`))
	claim := func(name string, value any) func(*wallettest.Env) {
		return func(w *wallettest.Env) { w.Verifier.Claims = func(c map[string]any) { c[name] = value } }
	}
	for name, test := range map[string]struct {
		kind  string
		spoil func(*wallettest.Env)
		has   []string // elements
		hasNo []string
		says  []string
	}{
		"somebody vouched for": {"x509_hash", nil, []string{"verifier", "decline"}, []string{"unknown", "info"}, []string{"Contoso Recovery", "Ada"}},
		"nobody knows who":     {"redirect_uri", nil, []string{"unknown"}, nil, []string{"Nobody vouches"}},
		"a driving licence":    {"x509_hash", licence, []string{"share"}, []string{"missing"}, []string{"Driving licence", "Given name", "Ada"}},
		"a transaction":        {"x509_hash", claim("transaction_data", []string{recovery}), []string{"decline"}, nil, []string{"By sharing you agree", "ada@example.org"}},
		"what others say":      {"x509_hash", claim("verifier_info", []any{map[string]any{"format": "registrar", "data": "x"}}), []string{"info"}, nil, []string{"registrar"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, page := asking(t, test.kind, test.spoil)
			for _, id := range test.has {
				if !page.Has(id) {
					t.Errorf("no %s on %s", id, page.Text())
				}
			}
			for _, id := range test.hasNo {
				if page.Has(id) {
					t.Errorf("%s on %s", id, page.Text())
				}
			}
			for _, text := range test.says {
				if !strings.Contains(page.Text(), text) {
					t.Errorf("the page does not say %q: %s", text, page.Text())
				}
			}
		})
	}
}

// A site that is known is told what is wrong with its request; the person hears of it there, or
// here where the site does not say where to go.
func TestASiteIsToldOfItsMistake(t *testing.T) {
	for _, body := range []string{"{}", ""} {
		var v *wallettest.Verifier
		_, page := asking(t, "x509_hash", func(w *wallettest.Env) {
			v = w.Verifier
			v.Claims = func(c map[string]any) { delete(c, "nonce") }
			if body != "" {
				v.Body = body
			}
		})
		if len(v.Posts) != 1 || v.Posts[0].Get("error") != "invalid_request" || v.Posts[0].Get("state") != v.State {
			t.Errorf("the site is told %v", v.Posts)
		}
		if back := strings.Contains(page.URL.String(), "response_code"); back != (body == "") || (!back && !strings.Contains(page.Text(), "cannot be trusted")) {
			t.Errorf("the person is at %s: %s", page.URL, page.Text())
		}
	}
}
