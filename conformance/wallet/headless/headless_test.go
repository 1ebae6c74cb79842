package headless_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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

func TestPagesThatStay(t *testing.T) {
	for name, test := range map[string]struct {
		spoil  func(*wallettest.Env)
		report bool
		status int
		holds  []string
		posted string // error that the verifier is told
	}{
		"shared": {func(w *wallettest.Env) { w.Verifier.Body = "{}" }, false, http.StatusOK, []string{`id="shared"`}, ""},
		"declined": {func(w *wallettest.Env) {
			w.Verifier.Body = "{}"
			w.Verifier.Query["credentials"].([]any)[0].(map[string]any)["meta"] = map[string]any{"vct_values": []string{"urn:other"}}
		}, false, http.StatusOK, []string{`id="declined"`}, "access_denied"},
		"refused":  {breakIt, false, http.StatusBadRequest, []string{`id="refused"`, "invalid_request"}, ""},
		"reported": {func(w *wallettest.Env) { breakIt(w); w.Verifier.Body = "{}" }, true, http.StatusBadRequest, []string{`id="refused"`}, "invalid_request"},
		"a stranger": {func(w *wallettest.Env) { w.Verifier.Signs = w.Proofs.Party(w.Verifier.T, "X") }, true, http.StatusBadRequest,
			[]string{`id="refused"`, "invalid_request"}, ""},
		"nobody there":  {func(w *wallettest.Env) { w.Verifier.Server.Close() }, true, http.StatusBadGateway, []string{`id="failed"`}, ""},
		"answer denied": {func(w *wallettest.Env) { w.Verifier.Status = http.StatusBadRequest }, false, http.StatusBadGateway, []string{`id="failed"`}, ""},
		"no Face Check": {func(w *wallettest.Env) {
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
func breakIt(w *wallettest.Env) { w.Verifier.Claims = func(c map[string]any) { delete(c, "nonce") } }

func TestReportsLeadBack(t *testing.T) {
	w := wallettest.WithCredential(t)
	breakIt(w)
	answer := visit(t, headless.Config{Wallet: w.Wallet, Report: true}, w.Verifier.Link("post"))
	if answer.Code != http.StatusSeeOther || w.Verifier.Posts[0].Get("error") != "invalid_request" {
		t.Errorf("status %d: %s", answer.Code, answer.Body)
	}
}

func TestInvalidResponses(t *testing.T) {
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
