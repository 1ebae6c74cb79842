package provider_test

import (
	"crypto/rand"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/conformance/did"
	"regain/conformance/jose"
	"regain/conformance/testenv"
	"regain/conformance/wallet"
	"regain/conformance/wallet/authenticator"
	"regain/conformance/wallet/request"
	"regain/internal/config"
)

// didOf is the did:web of an issuer (did:web Method Specification, Method-Specific Identifier): the port is encoded, and the
// path has colons for slashes.
func didOf(t *testing.T, issuer string) string {
	t.Helper()
	u, err := url.Parse(issuer)
	if err != nil {
		t.Fatal(err)
	}
	return "did:web:" + strings.ReplaceAll(u.Host, ":", "%3A") + strings.ReplaceAll(u.Path, "/", ":")
}

// A wallet that knows us by a did:web with a path finds its document there.
func TestKnownByADIDWithAPath(t *testing.T) {
	f := setUpEnv(t, testenv.Options{TLS: true, Path: issuerPath, Change: func(cfg *config.Config) {
		cfg.Wallets = []config.WalletConfig{{
			Endpoint: cfg.Wallets[0].Endpoint, ClientIDPrefix: "decentralized_identifier", KeyID: "request-1", DigitalCredentials: []string{"signed"}, ClientID: didOf(t, cfg.Issuer),
		}}
	}})
	f.wallet = f.newWallet(t, request.Policy{Prefixes: []request.Prefix{request.DecentralizedIdentifier}})
	f.recovers(t, f.asked(t))
	f.asked(t)
	asked := f.requests(t)[0]
	f.recoversBy(t, asked, f.respond(t, asked, wallet.ShareOptions{}))
}

// So does a wallet like Microsoft Authenticator, which verifies the domain too: that document is the origin's.
func TestAuthenticatorAtAnIssuerWithAPath(t *testing.T) {
	f := &older{clock: time.Now}
	f.fixture = setUpEnv(t, testenv.Options{TLS: true, Path: issuerPath, Change: func(cfg *config.Config) {
		testenv.AskAuthenticators(cfg)
		cfg.Wallets[0].ClientID = didOf(t, cfg.Issuer)
	}})
	var err error
	if f.app, err = authenticator.New(authenticator.Config{
		HTTPClient: f.Client, Clock: time.Now, Random: rand.Reader, Logger: slog.New(slog.DiscardHandler), Camera: cameraOf(t, "ada.lindqvist"), Method: did.JWK, Algorithm: jose.ES256, StrictDomains: true,
	}); err != nil {
		t.Fatal(err)
	}
	f.held = f.fetch(t, "ada.lindqvist")
	asked := f.review(t, f.asked(t))
	if !asked.Domain.Verified {
		t.Errorf("the domain is not verified: %+v", asked.Domain)
	}
	f.recovers(t, asked, authenticator.ShareOptions{})
}
