package headless_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"regain/conformance/wallet"
	"regain/conformance/wallet/headless"
	"regain/conformance/wallet/wallettest"
)

// visit opens the verifier's link at a headless wallet, without following where that leads.
func visit(t *testing.T, cfg headless.Config, link string) *httptest.ResponseRecorder {
	t.Helper()
	cfg.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	h, err := headless.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	_, query, _ := strings.Cut(link, "?")
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/authorize?"+query, nil))
	return answer
}

func TestAnswersEveryKindOfLink(t *testing.T) {
	for _, kind := range []string{"x509_hash", "x509_san_dns", "redirect_uri", "decentralized_identifier", "verifier_attestation", "pre-registered"} {
		for _, method := range []string{"", "get", "post", "value", "plain"} {
			if method == "plain" && kind != "redirect_uri" {
				continue
			}
			w := wallettest.New(t)
			w.As(t, kind)
			w.Remake(t)
			w.Accept(t)
			answer := visit(t, headless.Config{Wallet: w.Wallet}, w.Verifier.Link(method))
			if answer.Code != http.StatusSeeOther || !strings.HasSuffix(answer.Header().Get("Location"), "/done?response_code=abc#x") {
				t.Errorf("%s by %q: status %d to %q: %s", kind, method, answer.Code, answer.Header().Get("Location"), answer.Body)
				continue
			}
			if a := w.Verifier.Answer(); !a.Token["verified_id"][0].Sound() || !a.Token["face_check"][0].Sound() {
				t.Errorf("%s by %q: the answer does not hold", kind, method)
			}
		}
	}
}

func TestPagesThatStay(t *testing.T) {
	for name, test := range map[string]struct {
		spoil  func(*wallettest.World)
		report bool
		status int
		holds  []string
		posted string // error that the verifier is told
	}{
		"shared": {func(w *wallettest.World) { w.Verifier.Body = "{}" }, false, http.StatusOK, []string{`id="shared"`}, ""},
		"declined": {func(w *wallettest.World) {
			w.Verifier.Body = "{}"
			w.Verifier.Query["credentials"].([]any)[0].(map[string]any)["meta"] = map[string]any{"vct_values": []string{"urn:other"}}
		}, false, http.StatusOK, []string{`id="declined"`}, "access_denied"},
		"refused":  {breakIt, false, http.StatusBadRequest, []string{`id="refused"`, "invalid_request"}, ""},
		"reported": {func(w *wallettest.World) { breakIt(w); w.Verifier.Body = "{}" }, true, http.StatusBadRequest, []string{`id="refused"`}, "invalid_request"},
		"a stranger": {func(w *wallettest.World) { w.Verifier.Signs = w.Proofs.Party(w.Verifier.T, "X") }, true, http.StatusBadRequest,
			[]string{`id="refused"`, "invalid_request"}, ""},
		"nobody there":  {func(w *wallettest.World) { w.Verifier.Server.Close() }, true, http.StatusBadGateway, []string{`id="failed"`}, ""},
		"answer denied": {func(w *wallettest.World) { w.Verifier.Status = http.StatusBadRequest }, false, http.StatusBadGateway, []string{`id="failed"`}, ""},
		"no Face Check": {func(w *wallettest.World) {
			w.Issuer.Receipt = func(c map[string]any) { delete(c, "faceCheckResults") }
		}, false, http.StatusBadGateway, []string{`id="failed"`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := wallettest.WithCredential(t)
			test.spoil(w)
			answer := visit(t, headless.Config{Wallet: w.Wallet, Report: test.report}, w.Verifier.Link("post"))
			if answer.Code != test.status || answer.Header().Get("Location") != "" {
				t.Errorf("status %d to %q", answer.Code, answer.Header().Get("Location"))
			}
			for _, text := range test.holds {
				if !strings.Contains(answer.Body.String(), text) {
					t.Errorf("the page lacks %s: %s", text, answer.Body)
				}
			}
			if test.posted != "" && (len(w.Verifier.Posts) != 1 || w.Verifier.Posts[0].Get("error") != test.posted) {
				t.Errorf("the verifier is told %v", w.Verifier.Posts)
			}
			if test.posted == "" && name != "shared" && name != "answer denied" && len(w.Verifier.Posts) != 0 {
				t.Errorf("the verifier is told %v", w.Verifier.Posts)
			}
		})
	}
}

// breakIt makes a request that must not be answered, of somebody who may be told.
func breakIt(w *wallettest.World) { w.Verifier.Claims = func(c map[string]any) { delete(c, "nonce") } }

func TestReportsLeadBack(t *testing.T) {
	w := wallettest.WithCredential(t)
	breakIt(w)
	answer := visit(t, headless.Config{Wallet: w.Wallet, Report: true}, w.Verifier.Link("post"))
	if answer.Code != http.StatusSeeOther || w.Verifier.Posts[0].Get("error") != "invalid_request" {
		t.Errorf("status %d: %s", answer.Code, answer.Body)
	}
}

func TestTampersWhenToldTo(t *testing.T) {
	w := wallettest.WithCredential(t)
	visit(t, headless.Config{Wallet: w.Wallet, Share: wallet.ShareOptions{Tamper: wallet.Tamper{BreakKBSignature: true}}}, w.Verifier.Link("post"))
	if w.Verifier.Answer().Token["verified_id"][0].Sound() {
		t.Error("it answered honestly")
	}
}

func TestDigital(t *testing.T) {
	w := wallettest.WithCredential(t)
	w.Verifier.Mode = "dc_api.jwt"
	h, err := headless.New(headless.Config{Wallet: w.Wallet, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	post := func(body string) *httptest.ResponseRecorder {
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/digital", strings.NewReader(body)))
		return answer
	}
	d := w.Verifier.Digital("signed")
	var got struct {
		Protocol string
		Data     json.RawMessage
	}
	answer := post(wallettest.ToJSON(t, map[string]any{"protocol": d.Protocol, "data": d.Data, "origin": d.Origin}))
	wallettest.FromJSON(t, answer.Body.Bytes(), &got)
	if a := w.Verifier.ReadDigital(got.Data); got.Protocol != d.Protocol || !a.Token["verified_id"][0].Sound() {
		t.Errorf("got %s", answer.Body)
	}
	answer = post(wallettest.ToJSON(t, map[string]any{"protocol": d.Protocol, "data": d.Data, "origin": "https://other.example.org"}))
	if !strings.Contains(answer.Body.String(), `{"error":"invalid_request"}`) {
		t.Errorf("got %s", answer.Body)
	}
	if answer := post("x"); answer.Code != http.StatusBadRequest {
		t.Errorf("status %d", answer.Code)
	}
	w.Issuer.Receipt = func(c map[string]any) { delete(c, "cnf") }
	if answer := post(wallettest.ToJSON(t, map[string]any{"protocol": d.Protocol, "data": d.Data, "origin": d.Origin})); answer.Code != http.StatusBadGateway {
		t.Errorf("status %d", answer.Code)
	}
}

func TestNonsense(t *testing.T) {
	w := wallettest.New(t)
	for link, status := range map[string]int{
		"x?": http.StatusBadRequest, "x?%zz": http.StatusBadRequest, "x?client_id=x": http.StatusBadRequest, "x?" + strings.Repeat("x", 17<<10): http.StatusRequestURITooLong,
	} {
		if answer := visit(t, headless.Config{Wallet: w.Wallet}, link); answer.Code != status {
			t.Errorf("%.20q: status %d", link, answer.Code)
		}
	}
	if _, err := headless.New(headless.Config{}); err == nil {
		t.Error("a wallet without parts")
	}
}

func TestTakesUpOffers(t *testing.T) {
	w := wallettest.New(t)
	h, err := headless.New(headless.Config{Wallet: w.Wallet, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), TxCode: "123456"})
	if err != nil {
		t.Fatal(err)
	}
	_, query, _ := strings.Cut(w.Issuer.Link(), "?")
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/offer?"+query, nil))
	if answer.Code != http.StatusOK || len(w.Wallet.Credentials()) != 1 {
		t.Errorf("status %d: %s", answer.Code, answer.Body)
	}
}
