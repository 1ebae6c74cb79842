package wallet_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"regain/conformance/wallet"
	"regain/conformance/wallet/wallettest"
)

// asked is a test environment whose verifier asks under one kind of client_id, and whose wallet holds a
// Verified ID and a driving licence.
func asked(t *testing.T, kind, mode string, policy func(*wallettest.Env)) *wallettest.Env {
	t.Helper()
	w := wallettest.New(t)
	w.As(t, kind)
	w.Verifier.Mode, w.Verifier.Query = mode, wallettest.BothQuery()
	w.Config.Requests.Plain = mode == "direct_post"
	if policy != nil {
		policy(w)
	}
	w.Remake(t)
	w.Accept(t)
	w.ImportLicence(t, nil)
	return w
}

// holdsBoth checks an answer to BothQuery as a verifier would.
func holdsBoth(t *testing.T, w *wallettest.Env, a wallettest.Answer, audience string, transcript []byte) {
	t.Helper()
	if len(a.Token) != 1 || len(a.Devices) != 1 || len(a.Token["verified_id"]) != 1 || len(a.Devices["licence"]) != 1 {
		t.Fatalf("the answer is %v and %v", a.Token, a.Devices)
	}
	identity, licence := a.Token["verified_id"][0], a.Devices["licence"][0]
	if !identity.Sound() || identity.Binding["aud"] != audience || identity.Binding["nonce"] != w.Verifier.Nonce || identity.Binding["transaction_data_hashes"] != nil {
		t.Errorf("the Key Binding JWT says %v", identity.Binding)
	}
	if licence.HeldOver(transcript) != nil || !wallettest.IssuedBy(licence, w.Issuer.Signs) || licence.DocType != licence.Document.DocType() {
		t.Error("the DeviceResponse does not hold")
	}
	if got := slices.Sorted(maps.Keys(wallettest.Elements(licence))); !slices.Equal(got, []string{"given_name", "sex"}) {
		t.Errorf("of the licence %v is shown", got)
	}
}

func TestAnswersWithoutStateAndWithoutResponseURI(t *testing.T) {
	w := asked(t, "redirect_uri", "direct_post", nil)
	w.Verifier.Claims = func(c map[string]any) { delete(c, "state"); delete(c, "response_uri") }
	for _, method := range []string{"plain", "get"} {
		r, err := w.Wallet.Review(t.Context(), w.Verifier.Link(method))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Wallet.Share(t.Context(), r, wallet.ShareOptions{}); err != nil {
			t.Fatal(err)
		}
		if post := w.Verifier.Posts[len(w.Verifier.Posts)-1]; post.Has("state") || len(post) != 1 {
			t.Errorf("posted %v", slices.Collect(maps.Keys(post)))
		}
	}
}

// What anybody can claim to be is taken only by a wallet that is told to.
func TestPrefixesOfAnybodyNeedToBeNamed(t *testing.T) {
	for _, kind := range []string{"redirect_uri", "decentralized_identifier", "did:jwk"} {
		w := asked(t, kind, "direct_post.jwt", func(w *wallettest.Env) { w.Config.Requests.Prefixes = nil })
		_, err := w.Wallet.Review(t.Context(), w.Verifier.Link(""))
		turnedDown(t, err, "client_id has no prefix")
	}
	for _, kind := range []string{"x509_hash", "x509_san_dns", "verifier_attestation", "pre-registered"} {
		w := asked(t, kind, "direct_post.jwt", func(w *wallettest.Env) { w.Config.Requests.Prefixes = nil })
		if _, err := w.Wallet.Review(t.Context(), w.Verifier.Link("")); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestPlainAnswersNeedToBeAllowed(t *testing.T) {
	w := asked(t, "x509_hash", "direct_post", func(w *wallettest.Env) { w.Config.Requests.Plain = false })
	_, err := w.Wallet.Review(t.Context(), w.Verifier.Link(""))
	turnedDown(t, err, "does not encrypt")
	var down *wallet.RequestError
	if !errors.As(err, &down) || down.To == nil {
		t.Error("the verifier could have been told")
	}
}

func TestEncryptedRequestObjects(t *testing.T) {
	seal := func(w *wallettest.Env) { w.Config.Requests.SealedObject = true }
	w := asked(t, "x509_hash", "direct_post.jwt", seal)
	if _, err := w.Wallet.Review(t.Context(), w.Verifier.Link("post")); err != nil {
		t.Fatal(err)
	}
	first := w.Verifier.Fetches[0].PostForm.Get("wallet_metadata")
	if _, err := w.Wallet.Review(t.Context(), w.Verifier.Link("post")); err != nil {
		t.Fatal(err)
	}
	if second := w.Verifier.Fetches[1].PostForm.Get("wallet_metadata"); first == second || !strings.Contains(first, `"request_object_encryption_alg_values_supported"`) {
		t.Error("the key is not one for this request")
	}
	w.Verifier.Unsealed = true
	_, err := w.Wallet.Review(t.Context(), w.Verifier.Link("post"))
	turnedDown(t, err, "had to be encrypted")
	if _, err := w.Wallet.Review(t.Context(), w.Verifier.Link("get")); err != nil {
		t.Errorf("a GET can publish no key: %v", err)
	}
	w = asked(t, "x509_hash", "direct_post.jwt", seal)
	w.Verifier.Raw = func(string) string { return "not a JWT" }
	_, err = w.Wallet.Review(t.Context(), w.Verifier.Link("post"))
	turnedDown(t, err, "not a compact JWS")
	for _, method := range []string{"get", "post", "value"} {
		w = asked(t, "x509_hash", "direct_post.jwt", nil)
		w.Verifier.Raw = func(string) string { return "a.b.c.d.e" }
		_, err = w.Wallet.Review(t.Context(), w.Verifier.Link(method))
		turnedDown(t, err, map[string]string{"get": "not a compact JWS", "post": "published no key", "value": "published no key"}[method])
	}
}

func TestWalletMetadataSaysWhatTheWalletTakes(t *testing.T) {
	for kind, signs := range map[string]bool{"redirect_uri": false, "x509_hash": true} {
		w := asked(t, kind, "direct_post", nil)
		if _, err := w.Wallet.Review(t.Context(), w.Verifier.Link("post")); err != nil {
			t.Fatal(err)
		}
		var metadata map[string]any
		wallettest.FromJSON(t, []byte(w.Verifier.Fetches[0].PostForm.Get("wallet_metadata")), &metadata)
		if _, ok := metadata["request_object_signing_alg_values_supported"]; ok != signs {
			t.Errorf("%s: signatures offered: %v", kind, ok)
		}
		formats, _ := metadata["vp_formats_supported"].(map[string]any)
		if formats["mso_mdoc"] == nil || len(metadata["client_id_prefixes_supported"].([]any)) != 6 || len(metadata["response_modes_supported"].([]any)) != 2 {
			t.Errorf("%s: %v", kind, metadata)
		}
	}
}
