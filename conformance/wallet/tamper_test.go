package wallet_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/conformance/wallet"
	"regain/conformance/wallet/wallettest"
)

// facts are what a verifier would check of one presentation.
type facts struct{ nonce, audience, issuedAt, kbSignature, issuerSignature, sdHash bool }

func look(w *wallettest.World, s wallettest.Shown) facts {
	return facts{
		nonce:           s.Binding["nonce"] == w.Verifier.Nonce,
		audience:        s.Binding["aud"] == w.Verifier.ClientID,
		issuedAt:        s.Binding["iat"] == float64(wallettest.Noon().Unix()),
		kbSignature:     wallettest.IsSignedBy(s.KB, s.Holder()),
		issuerSignature: wallettest.IsSignedBy(s.JWT, &w.Issuer.Signs.Key.PublicKey),
		sdHash:          s.Binding["sd_hash"] == wallettest.Digest(s.Text),
	}
}

func TestTamperBreaksOneThingAtATime(t *testing.T) {
	right := facts{true, true, true, true, true, true}
	for name, test := range map[string]struct {
		tamper wallet.Tamper
		spoil  func(*facts)
	}{
		"nothing":          {wallet.Tamper{}, func(*facts) {}},
		"nonce":            {wallet.Tamper{Nonce: "another-nonce"}, func(f *facts) { f.nonce = false }},
		"audience":         {wallet.Tamper{Audience: "x509_hash:another"}, func(f *facts) { f.audience = false }},
		"issued at":        {wallet.Tamper{IssuedAt: wallettest.Noon().AddDate(1, 0, 0)}, func(f *facts) { f.issuedAt = false }},
		"KB signature":     {wallet.Tamper{BreakKBSignature: true}, func(f *facts) { f.kbSignature = false }},
		"issuer signature": {wallet.Tamper{BreakIssuerSignature: true}, func(f *facts) { f.issuerSignature = false }},
		"sd_hash":          {wallet.Tamper{BreakSDHash: true}, func(f *facts) { f.sdHash = false }},
	} {
		for _, only := range []string{"", "verified_id", "face_check"} {
			t.Run(name+" only "+only, func(t *testing.T) {
				w := wallettest.WithCredential(t)
				test.tamper.Only = only
				if _, err := w.Wallet.Share(t.Context(), w.Ready(t), wallet.ShareOptions{Tamper: test.tamper}); err != nil {
					t.Fatal(err)
				}
				for id, list := range w.Verifier.Answer().Token {
					want := right
					if only == "" || only == id {
						test.spoil(&want)
					}
					if got := look(w, list[0]); got != want {
						t.Errorf("%s: %+v, not %+v", id, got, want)
					}
				}
			})
		}
	}
}

func TestTamperReceiptOfAnotherCredential(t *testing.T) {
	w := wallettest.WithCredential(t)
	other := w.Wallet.Credentials()[0]
	if err := w.Wallet.FaceCheck(t.Context(), other.ID); err != nil {
		t.Fatal(err)
	}
	w.Accept(t)
	r := w.Ready(t)
	if r.FaceCheckFor() == other.ID {
		t.Fatal("the newest credential should have been chosen")
	}
	tamper := wallet.Tamper{Receipt: w.Wallet.Receipts(other.ID)[0].ID}
	if _, err := w.Wallet.Share(t.Context(), r, wallet.ShareOptions{Tamper: tamper}); err != nil {
		t.Fatal(err)
	}
	a := w.Verifier.Answer()
	result := a.Token["face_check"][0].Claims["faceCheckResults"].([]any)[0].(map[string]any)
	if result["sourceVcJti"] != other.JTI || result["sourceVcJti"] == a.Token["verified_id"][0].Claims["jti"] {
		t.Error("the receipt is not the other credential's")
	}
	if !a.Token["face_check"][0].Sound() {
		t.Error("more than the receipt was broken")
	}
	tamper.Receipt = "nothing"
	if _, err := w.Wallet.Share(t.Context(), r, wallet.ShareOptions{Tamper: tamper}); !errors.Is(err, wallet.ErrNotHeld) {
		t.Errorf("got %v", err)
	}
}

func TestTamperPlainVPToken(t *testing.T) {
	w := wallettest.WithCredential(t)
	share(t, w, wallet.Tamper{PlainVPToken: true})
	post := w.Verifier.Posts[0]
	var token map[string][]string
	wallettest.FromJSON(t, []byte(post.Get("vp_token")), &token)
	if post.Has("response") || post.Get("state") != w.Verifier.State || len(token) != 2 {
		t.Errorf("posted %v", post)
	}
}

func TestTamperWrongKid(t *testing.T) {
	w := wallettest.WithCredential(t)
	share(t, w, wallet.Tamper{WrongKid: true})
	if a := w.Verifier.Answer(); a.Header["kid"] == w.Verifier.KID || a.Header["kid"] == nil {
		t.Errorf("kid is %v", a.Header["kid"])
	}
}

func TestTamperExtraParameters(t *testing.T) {
	w := wallettest.WithCredential(t)
	share(t, w, wallet.Tamper{ExtraParameters: url.Values{"error": {"access_denied"}, "response": {"again"}}})
	post := w.Verifier.Posts[0]
	if post.Get("error") != "access_denied" || len(post["response"]) != 2 || post["response"][1] != "again" {
		t.Errorf("posted %v", post)
	}
}

func TestTamperReplayLast(t *testing.T) {
	w := wallettest.WithCredential(t)
	r := w.Ready(t)
	replay := wallet.ShareOptions{Tamper: wallet.Tamper{ReplayLast: true}}
	if _, err := w.Wallet.Share(t.Context(), r, replay); !errors.Is(err, wallet.ErrNothingToReplay) {
		t.Errorf("got %v", err)
	}
	for _, options := range []wallet.ShareOptions{{}, replay, {}} {
		if _, err := w.Wallet.Share(t.Context(), r, options); err != nil {
			t.Fatal(err)
		}
	}
	b := w.Verifier.Bodies
	if b[0] != b[1] || b[1] == b[2] || !strings.HasPrefix(b[0], "response=") {
		t.Error("the replay is not the last answer, or an honest answer is")
	}
}

func TestTamperIssuedAtKeepsTheHour(t *testing.T) {
	w := wallettest.WithCredential(t)
	past := wallettest.Noon().Add(-365 * 24 * time.Hour)
	share(t, w, wallet.Tamper{IssuedAt: past})
	if got := w.Verifier.Answer().Token["verified_id"][0].Binding["iat"]; got != float64(past.Unix()) {
		t.Errorf("iat is %v", got)
	}
}

func share(t *testing.T, w *wallettest.World, tamper wallet.Tamper) {
	t.Helper()
	if _, err := w.Wallet.Share(t.Context(), w.Ready(t), wallet.ShareOptions{Tamper: tamper}); err != nil {
		t.Fatal(err)
	}
}
