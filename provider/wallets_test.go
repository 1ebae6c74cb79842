package provider_test

import (
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"regain/conformance/browser"
	"regain/conformance/jose"
	"regain/conformance/proofing"
	"regain/conformance/testenv"
	"regain/conformance/wallet"
	"regain/conformance/wallet/request"
	"regain/internal/config"
)

// setUpWallets is a test environment whose profiles ask these kinds of wallet, and a wallet of Ada's that takes whatever the
// specification lets it take, with a Verified ID and a driving licence.
func setUpWallets(t *testing.T, change func(*config.Config), wallets ...config.WalletConfig) *fixture {
	t.Helper()
	return setUpWalletsAt(t, nil, change, wallets...)
}

// setUpWalletsAt is setUpWallets by another clock.
func setUpWalletsAt(t *testing.T, clock func() time.Time, change func(*config.Config), wallets ...config.WalletConfig) *fixture {
	t.Helper()
	f := setUpEnv(t, testenv.Options{Clock: clock, Change: func(cfg *config.Config) {
		endpoint := cfg.Wallets[0].Endpoint
		cfg.Wallets = wallets
		for i := range cfg.Wallets {
			cfg.Wallets[i].Endpoint = endpoint
		}
		if change != nil {
			change(cfg)
		}
	}})
	f.wallet = f.newWallet(t, request.Policy{
		Prefixes: []request.Prefix{request.X509Hash, request.X509SANDNS, request.RedirectURI, request.DecentralizedIdentifier, request.PreRegistered}, Plain: true,
		Clients: map[string]request.Client{"regain": {Name: "Regain", Keys: []jose.JWK{{Key: f.PKI.RequestKey.Public()}}, Metadata: json.RawMessage(`{"vp_formats_supported":{"dc+sd-jwt":{}}}`)}},
	})
	return f
}

// newWallet makes a wallet of Ada's with a Verified ID and a driving licence.
func (f *fixture) newWallet(t *testing.T, takes request.Policy) *wallet.Wallet {
	t.Helper()
	ada := cameraOf(t, "ada.lindqvist")
	made, err := f.NewWalletThat(ada, f.Clock, takes)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{proofing.ConfigurationID, proofing.LicenceID} {
		offer, err := f.Issuer.MakeOffer(proofing.OfferOptions{PersonID: ada.person.ID, Configurations: []string{id}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := made.Accept(t.Context(), f.Wallet+"/offer?"+url.Values{"credential_offer_uri": {offer.URL}}.Encode()); err != nil {
			t.Fatal(err)
		}
	}
	return made
}

// asksForLicences changes every profile to ask for a driving licence.
func asksForLicences(cfg *config.Config) {
	for i := range cfg.Profiles {
		cfg.Profiles[i].Credential = licence()
	}
}

func licence() config.CredentialConfig {
	return config.CredentialConfig{Format: "mso_mdoc", Types: []string{testenv.LicenceType}, Bindings: []config.BindingConfig{
		{Attribute: "given_name", Claim: "org.iso.18013.5.1/given_name"}, {Attribute: "family_name", Claim: "org.iso.18013.5.1/family_name"},
	}}
}

// recovers goes from the presentation page to a redeemed pass.
func (f *fixture) recovers(t *testing.T, page *browser.Page) {
	t.Helper()
	next, err := f.browser.Open(t.Context(), f.share(t, f.review(t, page)))
	f.finishes(t, f.must(t, next, err))
}

func (f *fixture) finishes(t *testing.T, page *browser.Page) {
	t.Helper()
	if !page.Has("finish") || !strings.Contains(page.Text(), "match this account") {
		t.Fatalf("page %q: %s", page.Title, page.Text())
	}
	code, err := f.RP.Code(f.attempt, f.press(t, page, "finish").URL.String())
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := f.RP.Redeem(t.Context(), f.attempt, code)
	if err != nil {
		t.Fatal(err)
	}
	if recovered, err := f.RP.Check(t.Context(), f.attempt, "ada.lindqvist@example.org", tokens); err != nil || recovered.Recovery.Pass.Value == "" {
		t.Fatalf("no pass: %v", err)
	}
}

// Each kind of wallet that OpenID4VP 1.0 knows recovers an account, with either format.
func TestEveryChannel(t *testing.T) {
	for name, row := range map[string]struct {
		wallet config.WalletConfig
		change func(*config.Config)
	}{
		"as most wallets":           {config.WalletConfig{}, nil},
		"HAIP":                      {config.WalletConfig{HAIP: true}, nil},
		"by GET":                    {config.WalletConfig{RequestURIMethod: "get"}, nil},
		"not encrypted":             {config.WalletConfig{ResponseMode: "direct_post"}, nil},
		"by a DNS name":             {config.WalletConfig{ClientIDPrefix: "x509_san_dns", ClientID: "regain.localhost"}, nil},
		"by where the answer goes":  {config.WalletConfig{ClientIDPrefix: "redirect_uri", ByValue: true}, nil},
		"so, and not encrypted":     {config.WalletConfig{ClientIDPrefix: "redirect_uri", ByValue: true, ResponseMode: "direct_post"}, nil},
		"signed, in the link":       {config.WalletConfig{ByValue: true}, nil},
		"a pre-registered verifier": {config.WalletConfig{ClientIDPrefix: "pre-registered", ClientID: "regain", ByValue: true, ResponseMode: "direct_post"}, nil},
		"transaction data":          {config.WalletConfig{TransactionData: true}, nil},
		"a licence":                 {config.WalletConfig{}, asksForLicences},
		"a licence, HAIP":           {config.WalletConfig{HAIP: true}, asksForLicences},
		"a licence, not encrypted":  {config.WalletConfig{ResponseMode: "direct_post"}, asksForLicences},
		"a licence, by its place":   {config.WalletConfig{ClientIDPrefix: "redirect_uri", ByValue: true}, asksForLicences},
	} {
		t.Run(name, func(t *testing.T) {
			f := setUpWallets(t, row.change, row.wallet)
			f.recovers(t, f.asked(t))
			if strings.Contains(f.log.String(), "Lindqvist") {
				t.Error("the log names a person")
			}
		})
	}
}

// A profile that takes either credential is content with the one that the wallet has.
func TestAlternatives(t *testing.T) {
	f := setUpWallets(t, func(cfg *config.Config) {
		for i, p := range cfg.Profiles {
			cfg.Profiles[i].Credentials, cfg.Profiles[i].Credential = []config.CredentialConfig{licence(), p.Credential}, config.CredentialConfig{}
		}
	}, config.WalletConfig{})
	f.recovers(t, f.asked(t)) // both are there: the licence is preferred
	if !strings.Contains(f.log.String(), `"came":["face_check","verified_id"]`) && !strings.Contains(f.log.String(), `"came":["verified_id","face_check"]`) {
		t.Errorf("the preferred one did not come")
	}
	var err error
	if f.wallet, err = f.NewWallet(cameraOf(t, "ada.lindqvist"), f.Clock); err != nil { // one without a licence
		t.Fatal(err)
	}
	offer, err := f.Issuer.Offer("ada.lindqvist")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.wallet.Accept(t.Context(), f.Wallet+"/offer?"+url.Values{"credential_offer_uri": {offer}}.Encode()); err != nil {
		t.Fatal(err)
	}
	f.browser = newBrowser(f.Env)
	f.recovers(t, f.asked(t))
	if !strings.Contains(f.log.String(), "verified_id_2") {
		t.Error("the second one did not come")
	}
}

// A trial without Face Checks asks for none, and hands out no pass.
func TestATrialWithoutFaceChecks(t *testing.T) {
	f := setUpWallets(t, func(cfg *config.Config) {
		for i := range cfg.Profiles {
			cfg.Profiles[i].Mode, cfg.Profiles[i].FaceCheck.Source = "evaluation", "none"
		}
	}, config.WalletConfig{})
	link, _ := f.asked(t).Link("open-wallet")
	asked, err := f.wallet.Review(t.Context(), link)
	if err != nil || len(asked.Shares) != 1 || asked.Shares[0].FaceCheck {
		t.Fatalf("asked for %+v, %v", asked, err)
	}
	page, err := f.browser.Open(t.Context(), f.share(t, asked))
	if f.must(t, page, err); !page.Has("evaluated") {
		t.Fatalf("page %q: %s", page.Title, page.Text())
	}
	if code, err := f.RP.Code(f.attempt, f.press(t, page, "finish").URL.String()); err == nil {
		t.Errorf("the client got the code %q", code)
	}
}

// Whichever of several Verified IDs comes, its holder authorised the recovery.
func TestEveryAlternativeAuthorises(t *testing.T) {
	const other = "urn:example:another-identity"
	f := setUpWallets(t, func(cfg *config.Config) {
		cfg.Trust[0].Types = append(cfg.Trust[0].Types, other)
		for i, p := range cfg.Profiles {
			first := p.Credential
			first.Types = []string{other}
			cfg.Profiles[i].Credentials, cfg.Profiles[i].Credential = []config.CredentialConfig{first, p.Credential}, config.CredentialConfig{}
		}
	}, config.WalletConfig{TransactionData: true})
	page := f.asked(t)
	request := f.review(t, page)
	for name, tamper := range map[string]wallet.Tamper{"none": {OmitTransactionHashes: true}, "another": {BreakTransactionHash: true}} {
		if next, err := f.wallet.Share(t.Context(), request, wallet.ShareOptions{Tamper: tamper}); err == nil {
			t.Errorf("%s: accepted, and on to %s", name, next)
		}
	}
	next, err := f.browser.Open(t.Context(), f.share(t, request))
	f.finishes(t, f.must(t, next, err))
	if !strings.Contains(f.log.String(), "verified_id_2") {
		t.Error("the second one did not come")
	}
}

// An mdoc that is not for this request is refused, and the rightful wallet still answers.
func TestLicencesThatAreRefused(t *testing.T) {
	f := setUpWallets(t, asksForLicences, config.WalletConfig{})
	page := f.asked(t)
	request := f.review(t, page)
	for name, tamper := range map[string]wallet.Tamper{
		"another nonce":        {Nonce: "another-nonce-altogether"},
		"another verifier":     {Audience: "x509_hash:abc"},
		"another response URI": {ResponseURI: "https://elsewhere.example/r"},
		"another key":          {OtherThumbprint: true},
		"another device":       {OtherKey: true},
		"a forged signature":   {BreakKBSignature: true},
		"a forged issuer":      {BreakIssuerSignature: true},
		"another name":         {AlterElement: "family_name", Only: "verified_id"},
		"another doctype":      {DocType: "org.iso.23220.photoID.1", Only: "verified_id"},
		"not encrypted":        {PlainVPToken: true},
	} {
		if next, err := f.wallet.Share(t.Context(), request, wallet.ShareOptions{Tamper: tamper}); err == nil {
			t.Errorf("%s: accepted, and on to %s", name, next)
		}
	}
	next, err := f.browser.Open(t.Context(), f.share(t, request))
	f.finishes(t, f.must(t, next, err))
	audit, err := os.ReadFile(f.AuditLog())
	if err != nil || strings.Count(string(audit), "presentation_rejected") != 10 || strings.Contains(string(audit), "Lindqvist") {
		t.Errorf("%d refusals in the audit log, %v", strings.Count(string(audit), "presentation_rejected"), err)
	}
}

// An SD-JWT VC that is not for this request, or not its holder's, is refused, and the rightful wallet still answers.
func TestPresentationsThatAreRefused(t *testing.T) {
	f := setUpWallets(t, nil, config.WalletConfig{})
	page := f.asked(t)
	request := f.review(t, page)
	for name, tamper := range map[string]wallet.Tamper{
		"without its holder":   {OmitHolderBinding: true},
		"another's key":        {OtherKey: true},
		"a forged signature":   {BreakKBSignature: true},
		"a forged issuer":      {BreakIssuerSignature: true},
		"another presentation": {BreakSDHash: true},
		"from a year ago":      {IssuedAt: time.Now().AddDate(-1, 0, 0)},
		"to another key":       {WrongKid: true},
		"two responses":        {ExtraParameters: url.Values{"response": {"x"}}},
	} {
		if next, err := f.wallet.Share(t.Context(), request, wallet.ShareOptions{Tamper: tamper}); err == nil {
			t.Errorf("%s: accepted, and on to %s", name, next)
		}
	}
	next, err := f.browser.Open(t.Context(), f.share(t, request))
	f.finishes(t, f.must(t, next, err))
}

// Two answers race: one wins, the other is told so, and there is one verdict.
func TestTwoAnswersRace(t *testing.T) {
	f := setUpWallets(t, nil, config.WalletConfig{})
	page := f.asked(t)
	link, _ := page.Link("open-wallet")
	const wallets = 8
	results := make(chan error, wallets)
	var nexts [wallets]string
	var shares [wallets]func() (string, error)
	for i := range wallets {
		w := f.newWallet(t, request.Policy{})
		asked, err := w.Review(t.Context(), link)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.FaceCheck(t.Context(), asked.FaceCheckFor()); err != nil {
			t.Fatal(err)
		}
		shares[i] = func() (string, error) { return w.Share(t.Context(), asked, wallet.ShareOptions{}) }
	}
	for i, share := range shares {
		go func() {
			var err error
			nexts[i], err = share()
			results <- err
		}()
	}
	won := 0
	for range wallets {
		if err := <-results; err == nil {
			won++
		} else if !strings.Contains(err.Error(), "answered already") {
			t.Errorf("a loser is told %v", err)
		}
	}
	if won != 1 {
		t.Fatalf("%d answers won", won)
	}
	next, err := f.browser.Open(t.Context(), strings.Join(nexts[:], ""))
	f.finishes(t, f.must(t, next, err))
}
