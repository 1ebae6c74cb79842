package authenticator_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"regain/conformance/browser"
	"regain/conformance/did"
	"regain/conformance/jose"
	"regain/conformance/rp"
	"regain/conformance/wallet"
	"regain/conformance/wallet/authenticator"
	"regain/conformance/wallet/authenticator/authenticatortest"
	"regain/conformance/wallet/wallettest"
	"regain/conformance/world"
	"regain/internal/node"
)

// recovery is a whole world that asks wallets of this kind, an issuer of JWT VCs, and a person at a
// browser who lost an account.
type recovery struct {
	*world.World
	issuer  *authenticatortest.Issuer
	config  authenticator.Config
	wallet  *authenticator.Wallet
	browser *browser.Browser
	attempt rp.Attempt
	log     *syncBuffer
}

// syncBuffer is a buffer that several servers log into.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func setUpRecovery(t *testing.T, options world.Options, issuerAlg string) *recovery {
	t.Helper()
	server := httptest.NewServer(nil)
	t.Cleanup(server.Close)
	r := &recovery{log: &syncBuffer{}, issuer: authenticatortest.NewIssuer(t, authenticatortest.NewParty(t, "", issuerAlg), server.URL)}
	r.issuer.Now = time.Now
	r.issuer.Subject["lastName"] = "Lindqvist"
	server.Config.Handler = r.issuer
	options.Logger = slog.New(slog.NewJSONHandler(r.log, nil))
	options.Change = r.change
	var err error
	if r.World, err = world.Start(options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	r.browser = browser.New(browser.Config{HTTPClient: r.Client, StopAt: func(u *url.URL) bool { return u.Host == "program.localhost" }})
	r.config = authenticator.Config{
		HTTPClient: r.Client, Clock: time.Now, Random: rand.Reader, Logger: slog.New(slog.DiscardHandler), Camera: wallettest.StillCamera("a selfie of Ada"),
		PlainLocalhost: !options.TLS,
	}
	return r
}

// change has Regain ask for JWT VCs, from the one issuer.
func (r *recovery) change(cfg *node.Config) {
	issuer, err := url.Parse(cfg.Issuer)
	if err != nil {
		return
	}
	cfg.Wallets = []node.WalletConfig{{
		Name: "authenticator", Protocol: "authenticator", Endpoint: "openid-vc://", ClientID: "did:web:" + strings.ReplaceAll(issuer.Host, ":", "%3A"),
		KeyID: "request-1", Issuers: []string{r.issuer.Signs.DID}, ClientPurpose: "To recover your account",
	}}
	types := []string{authenticatortest.IdentityType, authenticatortest.ReceiptType}
	cfg.Trust = append(slices.DeleteFunc(cfg.Trust, func(c node.TrustConfig) bool { return slices.Equal(c.Types, types) }), node.TrustConfig{
		Types: types, DIDs: []string{r.issuer.Signs.DID}, StatusOptional: true,
	})
	for i := range cfg.Profiles {
		cfg.Profiles[i].Credential = node.CredentialConfig{
			Format: "jwt_vc_json", Types: []string{"VerifiableCredential " + authenticatortest.IdentityType},
			Bindings: []node.BindingConfig{{Attribute: "given_name", Claim: "credentialSubject/firstName"}, {Attribute: "family_name", Claim: "credentialSubject/lastName"}},
		}
	}
}

// equip makes the person's wallet, with a Verified ID in it.
func (r *recovery) equip(t *testing.T) {
	t.Helper()
	var err error
	if r.wallet, err = authenticator.New(r.config); err != nil {
		t.Fatal(err)
	}
	if _, err := r.wallet.Import(t.Context(), r.issuer.Identity(r.wallet.DID()), r.issuer.Source()); err != nil {
		t.Fatal(err)
	}
}

func (r *recovery) press(t *testing.T, page *browser.Page, id string) *browser.Page {
	t.Helper()
	form, ok := page.Form(id)
	if !ok {
		t.Fatalf("page %q has no %s: %s", page.Title, id, page.Text())
	}
	next, err := r.browser.Submit(t.Context(), form, nil)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// review goes from the main IdP to a reviewed request whose Face Check has been taken.
func (r *recovery) review(t *testing.T) *authenticator.Request {
	t.Helper()
	var err error
	if r.attempt, err = r.RP.Start(t.Context(), "ada.lindqvist@example.org", nil); err != nil {
		t.Fatal(err)
	}
	page, err := r.browser.Open(t.Context(), r.attempt.AuthorizeURL)
	if err != nil {
		t.Fatal(err)
	}
	page = r.press(t, page, "have-verified-id")
	link, ok := page.Link("open-wallet")
	if !ok {
		t.Fatalf("no link to the wallet: %s", page.Text())
	}
	request, err := r.wallet.Review(t.Context(), link)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.wallet.FaceCheck(t.Context(), request.FaceCheckFor()); err != nil {
		t.Fatal(err)
	}
	return request
}

// finish shares, and goes on to a redeemed pass.
func (r *recovery) finish(t *testing.T, request *authenticator.Request, o authenticator.ShareOptions) {
	t.Helper()
	redirect, err := r.wallet.Share(t.Context(), request, o)
	if err != nil || redirect == "" {
		t.Fatalf("to %q, %v; log: %s", redirect, err, r.log.String())
	}
	page, err := r.browser.Open(t.Context(), redirect)
	if err != nil {
		t.Fatal(err)
	}
	code, err := r.RP.Code(r.attempt, r.press(t, page, "finish").URL.String())
	if err != nil {
		t.Fatalf("%v: %s", err, page.Text())
	}
	tokens, err := r.RP.Redeem(t.Context(), r.attempt, code)
	if err != nil {
		t.Fatal(err)
	}
	if recovered, err := r.RP.Check(t.Context(), r.attempt, "ada.lindqvist@example.org", tokens); err != nil || recovered.Recovery.Pass.Value == "" {
		t.Fatalf("no pass: %v", err)
	}
}

// An account is recovered with every key that a holder and an issuer may have.
func TestRecovery(t *testing.T) {
	for name, row := range map[string]struct {
		method did.Method
		holder string
		issuer string
		tls    bool
		share  authenticator.ShareOptions
	}{
		"as the Android library":  {did.ION, jose.ES256K, "ES256K", true, authenticator.ShareOptions{LibraryBare: true}},
		"without certificates":    {did.ION, jose.ES256K, "ES256", false, authenticator.ShareOptions{}},
		"a key of Ed25519":        {did.JWK, jose.EdDSA, "EdDSA", true, authenticator.ShareOptions{RelativeKid: true}},
		"a key of P-256":          {did.JWK, jose.ES256, "ES256", true, authenticator.ShareOptions{NewerPaths: true}},
		"a presentation for each": {did.ION, jose.ES256K, "EdDSA", true, authenticator.ShareOptions{OneEach: true}},
	} {
		t.Run(name, func(t *testing.T) {
			r := setUpRecovery(t, world.Options{TLS: row.tls}, row.issuer)
			r.config.Method, r.config.Algorithm = row.method, row.holder
			r.equip(t)
			request := r.review(t)
			if u, err := url.Parse(r.Regain); err != nil || request.Domain.Host != u.Host || !request.Domain.Verified {
				t.Errorf("its domain is %+v", request.Domain)
			}
			r.finish(t, request, row.share)
			if strings.Contains(r.log.String(), "Lindqvist") {
				t.Error("the log names a person")
			}
		})
	}
}

// Every answer that has one thing wrong is refused, and the right one still recovers the account.
func TestRecoveryRefuses(t *testing.T) {
	r := setUpRecovery(t, world.Options{TLS: true}, "ES256K")
	r.equip(t)
	stranger, err := authenticator.New(r.config)
	if err != nil {
		t.Fatal(err)
	}
	type tamper = authenticator.Tamper
	type wrong = authenticator.Wrong
	request := r.review(t)
	year := time.Now().AddDate(-1, 0, 0)
	for name, spoilt := range map[string]tamper{
		"nonce of the ID token":     {IDToken: wrong{Nonce: "another"}},
		"audience of the ID token":  {IDToken: wrong{Audience: "did:web:other.example"}},
		"issuer of the ID token":    {IDToken: wrong{Claims: map[string]any{"iss": "https://self-issued.example"}}},
		"an old ID token":           {IDToken: wrong{IssuedAt: year}},
		"ID token of another":       {IDToken: wrong{OtherHolder: true}},
		"ID token by another's key": {IDToken: wrong{OtherKey: true}},
		"unsigned ID token":         {IDToken: wrong{Unsigned: true}},
		"no ID token":               {IDToken: wrong{Missing: true}},
		"nonce of the VP":           {VP: wrong{Nonce: "another"}},
		"audience of the VP":        {VP: wrong{Audience: "did:web:other.example"}},
		"an old VP":                 {VP: wrong{IssuedAt: year}},
		"VP of another":             {VP: wrong{OtherHolder: true}},
		"VP by another's key":       {VP: wrong{OtherKey: true}},
		"signature of the VP":       {VP: wrong{BreakSignature: true}},
		"unsigned VP":               {VP: wrong{Unsigned: true}},
		"no VP":                     {VP: wrong{Missing: true}},
		"altered credential":        {Alter: map[string]map[string]any{"verified_id": {"lastName": "Byron"}}},
		"signature of the receipt":  {BreakVCSignature: "face_check"},
		"another definition":        {Definition: "another"},
		"wrong paths":               {WrongPaths: true},
		"no submission":             {NoSubmission: true},
		"no receipt":                {Drop: "face_check"},
		"another state":             {State: "another"},
		"two states":                {ExtraParameters: url.Values{"state": {"another"}}},
		"somebody else's":           {Credentials: map[string]string{"verified_id": r.issuer.Identity(stranger.DID())}},
	} {
		next, err := r.wallet.Share(t.Context(), request, authenticator.ShareOptions{Tamper: spoilt})
		var refused *wallet.ResponseError
		if !errors.As(err, &refused) || refused.Status != http.StatusBadRequest {
			t.Errorf("%s: on to %q, %v", name, next, err)
		}
	}
	r.finish(t, request, authenticator.ShareOptions{})
	if next, err := r.wallet.Share(t.Context(), request, authenticator.ShareOptions{Tamper: tamper{ReplayLast: true}}); err == nil {
		t.Errorf("a replay: accepted, and on to %q", next)
	}
	audit, err := os.ReadFile(r.AuditLog())
	if err != nil || strings.Contains(string(audit), "Lindqvist") {
		t.Errorf("the audit log names a person, or %v", err)
	}
}

// A receipt that is right and about another Verified ID of the same person recovers nothing.
func TestRecoveryDeniesAnotherReceipt(t *testing.T) {
	r := setUpRecovery(t, world.Options{}, "ES256K")
	r.equip(t)
	old := r.wallet.Credentials()[0]
	if _, err := r.wallet.Import(t.Context(), r.issuer.Identity(r.wallet.DID()), r.issuer.Source()); err != nil {
		t.Fatal(err)
	}
	request := r.review(t)
	if request.FaceCheckFor() == old.ID {
		t.Fatal("the newest credential should have been chosen")
	}
	if err := r.wallet.FaceCheck(t.Context(), old.ID); err != nil {
		t.Fatal(err)
	}
	redirect, err := r.wallet.Share(t.Context(), request, authenticator.ShareOptions{Tamper: authenticator.Tamper{
		Credentials: map[string]string{"face_check": r.wallet.Receipts(old.ID)[0].JWT()},
	}})
	if err != nil {
		t.Fatal(err)
	}
	page, err := r.browser.Open(t.Context(), redirect)
	if err != nil || !page.Has("denied") {
		t.Errorf("%v: %s", err, page.Text())
	}
}
