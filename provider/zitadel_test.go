package provider_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/pkg/client/rp"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"golang.org/x/oauth2"

	"regain/internal/config"
)

// zitadel/oidc is a relying party of the field: discovery, code flow with PKCE, userinfo, refresh, revocation, logout.
func TestZitadelRelyingParty(t *testing.T) {
	for name, path := range map[string]string{"at the origin": "", "at a path": "/regain", "at a longer one": "/id/recover_2"} {
		t.Run(name, func(t *testing.T) { zitadelSignsIn(t, setUpBrokerAt(t, path, func(*config.ClientConfig) {})) })
	}
}

func zitadelSignsIn(t *testing.T, b *broker) {
	t.Helper()
	ctx := t.Context()
	party, err := rp.NewRelyingPartyOIDC(ctx, b.Regain, "broker", brokerSecret, brokerRedirect, []string{"openid", "profile", "offline_access"},
		rp.WithHTTPClient(b.Client), rp.WithSigningAlgsFromDiscovery(), rp.WithAuthStyle(oauth2.AuthStyleInParams),
		rp.WithVerifierOpts(rp.WithNonce(func(context.Context) string { return "nonce" }), rp.WithAuthTimeMaxAge(time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	const verifier = "a-code-verifier-of-forty-three-characters-or-more"
	challenge := sha256.Sum256([]byte(verifier))
	address := rp.AuthURL("state", party, rp.WithCodeChallenge(base64.RawURLEncoding.EncodeToString(challenge[:])),
		rp.AuthURLOpt(rp.WithURLParam("nonce", "nonce")), rp.AuthURLOpt(rp.WithURLParam("login_hint", "ada.lindqvist@example.org")))
	page, err := b.browser.Open(ctx, address)
	back := b.prove(b.must(t, page, err)).URL.Query()
	if back.Get("state") != "state" {
		t.Fatalf("answered with %v", back)
	}
	tokens, err := rp.CodeExchange[*oidc.IDTokenClaims](ctx, back.Get("code"), party, rp.WithCodeVerifier(verifier))
	if err != nil {
		t.Fatal(err)
	}
	if c := tokens.IDTokenClaims; c.Subject != "ada.lindqvist@example.org" || c.Nonce != "nonce" || len(c.AuthenticationMethodsReferences) != 2 {
		t.Errorf("ID token %+v", c)
	}
	info, err := rp.Userinfo[*oidc.UserInfo](ctx, tokens.AccessToken, tokens.TokenType, tokens.IDTokenClaims.Subject, party)
	if err != nil || info.GivenName != "Ada" {
		t.Errorf("userinfo: %v %v", info, err)
	}
	if _, err := rp.CodeExchange[*oidc.IDTokenClaims](ctx, back.Get("code"), party, rp.WithCodeVerifier(verifier)); err == nil {
		t.Error("the code works twice")
	}
	// The second use of the code took back what the first one gave (RFC 6749 §4.1.2).
	if _, err := rp.Userinfo[*oidc.UserInfo](ctx, tokens.AccessToken, tokens.TokenType, tokens.IDTokenClaims.Subject, party); err == nil {
		t.Error("the access token outlives the theft of its code")
	}
	endsAt, err := rp.EndSession(ctx, party, tokens.IDToken, "https://program.localhost/out", "bye", "", nil)
	if err != nil || endsAt == nil || endsAt.Query().Get("state") != "bye" {
		t.Errorf("logout: %v %v", endsAt, err)
	}
	var _ http.Handler = rp.AuthURLHandler(func() string { return "" }, party) // the handlers of its examples take our party
}
