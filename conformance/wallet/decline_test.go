package wallet_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"regain/conformance/wallet"
	"regain/conformance/wallet/wallettest"
)

func TestReportTellsWhoMayBeTold(t *testing.T) {
	for _, mode := range []string{"direct_post", "direct_post.jwt"} {
		for _, sealed := range []bool{false, true} {
			w := asked(t, "x509_hash", mode, func(w *wallettest.Env) { w.Config.SealErrors = sealed })
			w.Verifier.Claims = set("response_type", "code")
			_, turned := w.Wallet.Review(t.Context(), w.Verifier.Link("post"))
			redirect, err := w.Wallet.Report(t.Context(), turned)
			if err != nil || redirect == "" {
				t.Fatalf("%q, %v", redirect, err)
			}
			a, post := w.Verifier.Answer(), w.Verifier.Posts[0]
			if a.Error != "unsupported_response_type" || a.State != w.Verifier.State || len(a.Token) != 0 {
				t.Errorf("told %v", post)
			}
			if post.Has("response") != (sealed && mode == "direct_post.jwt") || (!post.Has("response") && post.Get("error_description") == "") {
				t.Errorf("%s, sealed %v: posted %v", mode, sealed, post)
			}
		}
	}
}

// An error that comes before there is a key for it, or because of the key, is told plainly.
func TestReportWithoutAKey(t *testing.T) {
	w := asked(t, "x509_hash", "direct_post.jwt", func(w *wallettest.Env) { w.Config.SealErrors = true })
	w.Verifier.Claims = metadata("jwks", map[string]any{})
	w.Verifier.State = ""
	_, turned := w.Wallet.Review(t.Context(), w.Verifier.Link("post"))
	if _, err := w.Wallet.Report(t.Context(), turned); err != nil {
		t.Fatal(err)
	}
	if post := w.Verifier.Posts[0]; post.Get("error") != "invalid_request" || post.Has("state") || post.Has("response") {
		t.Errorf("posted %v", post)
	}
}

func TestReportKeepsSilent(t *testing.T) {
	w := wallettest.WithCredential(t)
	other := errors.New("something else")
	for name, turned := range map[string]error{
		"nothing": nil, "no request": other,
		"a stranger": func() error {
			w.Verifier.Signs.Key = wallettest.NewKey(t)
			_, err := w.Wallet.Review(t.Context(), w.Verifier.Link("post"))
			return err
		}(),
		"a page": func() error {
			d := w.Verifier.Digital("signed")
			_, err := w.Wallet.ReviewDigital(t.Context(), d)
			return err
		}(),
	} {
		if _, err := w.Wallet.Report(t.Context(), turned); !errors.Is(err, wallet.ErrNotToBeTold) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if len(w.Verifier.Posts) != 0 {
		t.Error("somebody was told")
	}
}

func TestReportsAreShortAndPlain(t *testing.T) {
	w := asked(t, "x509_hash", "direct_post.jwt", nil)
	odd := &wallet.RequestError{Code: "invalid_request", Err: errors.New("a \"quoted\\\" ünd\n" + strings.Repeat("long ", 100)), To: nil}
	w.Verifier.Claims = unset("nonce")
	_, turned := w.Wallet.Review(t.Context(), w.Verifier.Link("post"))
	var down *wallet.RequestError
	if !errors.As(turned, &down) {
		t.Fatal(turned)
	}
	odd.To = down.To
	if _, err := w.Wallet.Report(t.Context(), odd); err != nil {
		t.Fatal(err)
	}
	text := w.Verifier.Posts[0].Get("error_description")
	if !strings.HasPrefix(text, "a quoted nd") || len(text) > 300 || strings.ContainsAny(text, "\"\\\nü") {
		t.Errorf("told %q", text)
	}
}

func TestDeclineIsSealedWhereTheWalletSealsErrors(t *testing.T) {
	w := asked(t, "x509_hash", "direct_post.jwt", func(w *wallettest.Env) { w.Config.SealErrors = true })
	if _, err := w.Wallet.Decline(t.Context(), w.Review(t)); err != nil {
		t.Fatal(err)
	}
	if a := w.Verifier.Answer(); a.Header == nil || a.Error != "access_denied" || a.State != w.Verifier.State {
		t.Errorf("told %v", a)
	}
	w.Verifier.Status = http.StatusBadRequest
	if _, err := w.Wallet.Decline(t.Context(), w.Review(t)); err == nil {
		t.Error("a refused no is no error")
	}
}
