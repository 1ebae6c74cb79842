package wallet_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/conformance/jose"
	"regain/conformance/people"
	"regain/conformance/proofing"
	"regain/conformance/proofing/client"
	"regain/conformance/wallet"
	"regain/conformance/wallet/issuance"
	"regain/conformance/wallet/wallettest"
)

// provider is an issuer that was written by others: known wallets and attested keys only, DPoP,
// encryption, batches.
type provider struct {
	*proofing.Server
	wallet *wallet.Wallet
	paths  []string
	spoil  func(path string, answer map[string]any) // changes what the provider says
}

func newProvider(t *testing.T, copies int) *provider {
	t.Helper()
	p := &provider{}
	server := httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(server.Close)
	key, attester := wallettest.NewKey(t), wallettest.NewKey(t)
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	var err error
	p.Server, err = proofing.New(proofing.Config{
		BaseURL: server.URL, RegainIssuer: "https://regain.example", WalletOfferEndpoint: "https://wallet.example/offer", StatusTTL: time.Minute,
		Clock: time.Now, Random: rand.Reader, Logger: logger, HTTPClient: http.DefaultClient,
		Wallets:      []client.Wallet{{ID: "wallet", Keys: jose.JWKSet{Keys: []jose.JWK{{Key: key.Public(), KeyID: "k"}}}}},
		KeyAttesters: jose.JWKSet{Keys: []jose.JWK{{Key: attester.Public()}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	anchors := x509.NewCertPool()
	anchors.AddCert(p.Anchor())
	anchors.AddCert(p.IACA())
	p.wallet, err = wallet.New(wallet.Config{
		HTTPClient: &http.Client{Timeout: 10 * time.Second}, Clock: time.Now, Random: rand.Reader, Logger: logger, Camera: wallettest.StillCamera(selfie(t)),
		RequestAnchors: anchors, IssuerAnchors: anchors, Copies: copies, Identity: &issuance.Identity{ClientID: "wallet", Key: key, KeyID: "k", AttestKeys: attesting(t, attester)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// attesting is a wallet provider that vouches for every key.
func attesting(t *testing.T, attester *ecdsa.PrivateKey) func(context.Context, string, []*ecdsa.PublicKey) (string, error) {
	return func(_ context.Context, nonce string, keys []*ecdsa.PublicKey) (string, error) {
		named := make([]jose.JWK, len(keys))
		for i, key := range keys {
			named[i] = jose.JWK{Key: key}
		}
		now := time.Now()
		return wallettest.SignAs(t, attester, "key-attestation+jwt", nil, map[string]any{
			"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "nonce": nonce, "attested_keys": named,
		}), nil
	}
}

// selfie is Ada, in good light.
func selfie(t *testing.T) string {
	t.Helper()
	ada, found := people.Find("ada.lindqvist")
	if !found {
		t.Fatal("nobody")
	}
	picture, err := ada.Selfie(people.Conditions{Light: people.Good, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	return string(picture)
}

func (p *provider) serve(w http.ResponseWriter, r *http.Request) {
	p.paths = append(p.paths, r.URL.Path)
	got := httptest.NewRecorder()
	p.Handler().ServeHTTP(got, r)
	body := got.Body.Bytes()
	var answer map[string]any
	if p.spoil != nil && json.Unmarshal(body, &answer) == nil {
		p.spoil(r.URL.Path, answer)
		body, _ = json.Marshal(answer)
	}
	for name, values := range got.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(got.Code)
	_, _ = w.Write(body)
}

func (p *provider) accept(t *testing.T) (wallet.Credential, error) {
	t.Helper()
	offer, err := p.Offer("ada.lindqvist")
	if err != nil {
		t.Fatal(err)
	}
	return p.wallet.Accept(t.Context(), proofing.Offered{URL: offer}.ByReference("openid-credential-offer://"))
}

// Copies of a credential are bound to a key each, in whatever order they come.
func TestCopiesFromAProvider(t *testing.T) {
	for name, spoil := range map[string]func(string, map[string]any){
		"as they come": nil,
		"in another order": func(path string, answer map[string]any) {
			delete(answer, "credential_request_encryption")
			delete(answer, "credential_response_encryption")
			if list, ok := answer["credentials"].([]any); ok {
				slices.Reverse(list)
			}
		},
	} {
		p := newProvider(t, 3)
		p.spoil = spoil
		first, err := p.accept(t)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		keys := map[string]bool{}
		for _, c := range p.wallet.Credentials() {
			jwk, err := json.Marshal(wallettest.ReadSDJWT(t, c.SDJWT()).Claims["cnf"])
			if err != nil {
				t.Fatal(err)
			}
			keys[string(jwk)] = true
			if c.Claim("family_name") != first.Claim("family_name") || c.Name != "Verified ID" {
				t.Errorf("%s: %s is another's", name, c)
			}
		}
		if len(keys) != 3 || p.paths[len(p.paths)-1] != "/notification" {
			t.Errorf("%s: %d keys, and the last request was for %s", name, len(keys), p.paths[len(p.paths)-1])
		}
	}
}

// A credential that the wallet does not keep is reported, and one of two spoils both.
func TestACredentialThatIsNotKept(t *testing.T) {
	p := newProvider(t, 2)
	p.spoil = func(_ string, answer map[string]any) {
		delete(answer, "credential_request_encryption")
		delete(answer, "credential_response_encryption")
		if list, ok := answer["credentials"].([]any); ok {
			second := list[1].(map[string]any)                                                                    //nolint:forcetypeassert // what the provider sent
			second["credential"] = strings.Replace(second["credential"].(string), "~", "~WyJhIiwiYiIsImMiXQ~", 1) //nolint:forcetypeassert // what the provider sent
		}
	}
	if _, err := p.accept(t); err == nil || len(p.wallet.Credentials()) != 0 || p.paths[len(p.paths)-1] != "/notification" {
		t.Errorf("%v; the last request was for %s", err, p.paths[len(p.paths)-1])
	}
}

// A Verified ID comes as an SD-JWT and as a licence in one offer, and a Face Check is taken of either.
func TestBothFormatsFromAProvider(t *testing.T) {
	p := newProvider(t, 1)
	made, err := p.MakeOffer(proofing.OfferOptions{
		PersonID: "ada.lindqvist", Configurations: []string{proofing.ConfigurationID, proofing.LicenceID}, TxCode: "493536",
	})
	if err != nil {
		t.Fatal(err)
	}
	offer, err := p.wallet.ReadOffer(t.Context(), made.ByValue("openid-credential-offer://"))
	if err != nil || offer.TxCode == nil {
		t.Fatalf("%+v, %v", offer, err)
	}
	if _, err := p.wallet.AddWithCode(t.Context(), offer, "493536"); err != nil {
		t.Fatal(err)
	}
	held := p.wallet.Credentials()
	if len(held) != 2 || held[1].Type != "org.iso.18013.5.1.mDL" || held[1].Claim("family_name") != held[0].Claim("family_name") {
		t.Fatalf("held: %v", held)
	}
	for _, c := range held {
		if err := p.wallet.FaceCheck(t.Context(), c.ID); err != nil || len(p.wallet.Receipts(c.ID)) != 1 {
			t.Errorf("%s: %v", c.Format, err)
		}
	}
}
