package clients_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/publickey/publickeytest"
	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/mtls"
	"regain/recovery"
)

func key(t *testing.T, use string) jose.JSONWebKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: k.Public(), KeyID: use, Use: use}
}

func valid(t *testing.T) *clients.Client {
	t.Helper()
	return &clients.Client{
		ID: "main-idp", Name: "Example", AuthMethod: clients.PrivateKeyJWT, RedirectURIs: []string{"https://idp.example.org/callback"},
		Keys: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key(t, "sig"), key(t, "enc")}},
	}
}

func fapi(c *clients.Client) { c.Profile, c.DPoPBound = clients.ProfileFAPI2, true }

func followOkta(c *clients.Client) {
	c.Contract, c.AuthMethod, c.SecretDigest, c.Keys = contract.OktaIDV, clients.ClientSecretPost, sha256.Sum256([]byte("s")), jose.JSONWebKeySet{}
}

func followEntra(c *clients.Client) {
	c.Contract, c.AuthMethod, c.Keys = contract.EntraExternalMethod, clients.NoAuth, jose.JSONWebKeySet{}
	c.Tenant = contract.Tenant{ID: "11111111-2222-4333-8444-555555555555", Application: "66666666-7777-4888-9999-aaaaaaaaaaaa"}
}

// Each row breaks one thing of a valid client.
func TestValidate(t *testing.T) {
	c := valid(t)
	if err := c.Validate(); err != nil || c.Algorithm() != jose.ES256 || !c.Recovers() {
		t.Fatalf("a valid client: %v", err)
	}
	stock := func(c *clients.Client) {
		c.AuthMethod, c.SecretDigest, c.Keys, c.Scopes = clients.ClientSecretPost, sha256.Sum256([]byte("s")), jose.JSONWebKeySet{}, []string{"openid", "email"}
		c.ReuseSession, c.AllowNoPKCE, c.AllowUnpushed, c.IDTokenAlgorithm = true, true, true, jose.RS256
	}
	signing := func(c *clients.Client) {
		fapi(c)
		c.Profile, c.RequestObjectAlgorithm, c.RequireRequestObject = clients.ProfileFAPI2Signing, jose.PS256, true
	}
	for name, row := range map[string]struct {
		change func(c *clients.Client)
		says   string // "" for one that is fine
	}{
		"stock broker":       {stock, ""},
		"fapi":               {fapi, ""},
		"fapi signing":       {signing, ""},
		"loopback redirect":  {func(c *clients.Client) { c.RedirectURIs = []string{"http://127.0.0.1:8080/x"} }, ""},
		"certificate":        {func(c *clients.Client) { c.AuthMethod, c.TLSIdentity = clients.TLSClientAuth, mtls.Identity{DNS: "x"} }, ""},
		"okta":               {followOkta, ""},
		"entra":              {followEntra, ""},
		"no such contract":   {func(c *clients.Client) { c.Contract = "auth0" }, `contract "auth0"`},
		"okta with keys":     {func(c *clients.Client) { c.Contract, c.Keys = contract.OktaIDV, valid(t).Keys }, "Okta authenticates with a secret"},
		"okta with scopes":   {func(c *clients.Client) { followOkta(c); c.Scopes = []string{"openid", "recovery"} }, "leave their settings out"},
		"okta, unpushed":     {func(c *clients.Client) { followOkta(c); c.AllowUnpushed = true }, "leave their settings out"},
		"okta with sessions": {func(c *clients.Client) { followOkta(c); c.ReuseSession = true }, "leave their settings out"},
		"entra with a secret": {func(c *clients.Client) {
			followEntra(c)
			c.AuthMethod = clients.ClientSecretPost
			c.SecretDigest[0] = 1
		}, "Entra ID never authenticates"},
		"entra with ES256":       {func(c *clients.Client) { followEntra(c); c.IDTokenAlgorithm = jose.ES256 }, "RS256 only"},
		"entra without a tenant": {func(c *clients.Client) { followEntra(c); c.Tenant.ID = "contoso.com" }, "tenant_id"},
		"entra without the app":  {func(c *clients.Client) { followEntra(c); c.Tenant.Application = "" }, "application_id"},
		"entra at a slash":       {func(c *clients.Client) { followEntra(c); c.Tenant.Authority = "https://login.example/" }, "authority"},
		"no authentication":      {func(c *clients.Client) { c.AuthMethod = clients.NoAuth }, `token_endpoint_auth_method "none"`},
		"no id":                  {func(c *clients.Client) { c.ID = "" }, "without an id"},
		"no name":                {func(c *clients.Client) { c.Name = "" }, "name is missing"},
		"no redirect":            {func(c *clients.Client) { c.RedirectURIs = nil }, "redirect_uris is empty"},
		"http redirect":          {func(c *clients.Client) { c.RedirectURIs = []string{"http://idp.example.org/"} }, "must be https"},
		"script redirect":        {func(c *clients.Client) { c.RedirectURIs = []string{"javascript:alert(1)"} }, "not an absolute https URI"},
		"other loopback scheme":  {func(c *clients.Client) { c.RedirectURIs = []string{"ftp://localhost/x"} }, "must be https"},
		"fragment":               {func(c *clients.Client) { c.RedirectURIs = []string{"https://idp.example.org/#x"} }, "without a fragment"},
		"empty fragment":         {func(c *clients.Client) { c.RedirectURIs = []string{"https://idp.example.org/#"} }, "has a fragment"},
		"redirect with a code":   {func(c *clients.Client) { c.RedirectURIs = []string{"https://idp.example.org/?a=1;code=x"} }, "holds the parameter code"},
		"redirect, encoded":      {func(c *clients.Client) { c.RedirectURIs = []string{"https://idp.example.org/?a=1&%63o%64e=x"} }, "holds the parameter code"},
		"redirect with a state":  {func(c *clients.Client) { c.PostLogoutRedirectURIs = []string{"https://idp.example.org/?state"} }, "holds the parameter state"},
		"odd query":              {func(c *clients.Client) { c.RedirectURIs = []string{"https://idp.example.org/?a=1;b='(2)&codes=%zz"} }, ""},
		"user in redirect":       {func(c *clients.Client) { c.RedirectURIs = []string{"https://u:p@idp.example.org/"} }, "not an absolute https URI"},
		"logout redirect":        {func(c *clients.Client) { c.PostLogoutRedirectURIs = []string{"x"} }, "post_logout_redirect_uris"},
		"logout endpoint":        {func(c *clients.Client) { c.BackChannelLogoutURI = "http://idp.example.org/" }, "backchannel_logout_uri"},
		"unknown method":         {func(c *clients.Client) { c.AuthMethod = "none" }, `token_endpoint_auth_method "none"`},
		"no signature key":       {func(c *clients.Client) { c.Keys.Keys = c.Keys.Keys[1:] }, "no signature key"},
		"a short RSA key": {func(c *clients.Client) {
			c.Keys.Keys[0].Key = &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1023), E: 65537}
		}, "2048 bits"},
		"a giant RSA key":        {func(c *clients.Client) { c.Keys.Keys[0].Key = publickeytest.RSA(8193, 65537) }, "no signature key"},
		"no encryption key":      {func(c *clients.Client) { c.Keys.Keys = c.Keys.Keys[:1] }, `"use": "enc"`},
		"no secret":              {func(c *clients.Client) { c.AuthMethod = clients.ClientSecretBasic }, "secret is missing"},
		"no identity":            {func(c *clients.Client) { c.AuthMethod = clients.TLSClientAuth }, "exactly one"},
		"no certificate key":     {func(c *clients.Client) { c.AuthMethod, c.Keys.Keys = clients.SelfSignedTLSClientAuth, c.Keys.Keys[1:] }, "no signature key"},
		"unknown scope":          {func(c *clients.Client) { c.Scopes = []string{"openid", "admin"} }, `scope "admin"`},
		"no openid":              {func(c *clients.Client) { c.Scopes = []string{"recovery"} }, "lacks openid"},
		"pass on the screen":     {func(c *clients.Client) { c.ShowPass, c.Scopes = true, []string{"openid"} }, ""},
		"two ways for a pass":    {func(c *clients.Client) { c.ShowPass = true }, "delivered in one way"},
		"screen and sessions":    {func(c *clients.Client) { c.ShowPass, c.ReuseSession, c.Scopes = true, true, []string{"openid"} }, "deliver: screen excludes"},
		"a mapped claim":         {func(c *clients.Client) { c.Claims = map[string]string{"employee_id": "number"} }, ""},
		"sub, mapped":            {func(c *clients.Client) { c.Claims = map[string]string{"sub": "number"} }, "claims: sub"},
		"acr, mapped":            {func(c *clients.Client) { c.Claims = map[string]string{"acr": "number"} }, "claims: acr"},
		"mapped to nothing":      {func(c *clients.Client) { c.Claims = map[string]string{"x": ""} }, "neither may be empty"},
		"session and recovery":   {func(c *clients.Client) { c.ReuseSession = true }, "exclude each other"},
		"refresh and recovery":   {func(c *clients.Client) { c.Scopes = []string{"openid", "recovery", "offline_access"} }, "exclude each other"},
		"HS256":                  {func(c *clients.Client) { c.IDTokenAlgorithm = jose.HS256 }, "id_token_signed_response_alg"},
		"none for userinfo":      {func(c *clients.Client) { c.UserInfoAlgorithm = "none" }, "userinfo_signed_response_alg"},
		"none for requests":      {func(c *clients.Client) { c.RequestObjectAlgorithm = "none" }, "request_object_signing_alg"},
		"HS256 for assertions":   {func(c *clients.Client) { c.AssertionAlgorithm = jose.HS256 }, "token_endpoint_auth_signing_alg"},
		"required, no algorithm": {func(c *clients.Client) { c.RequireRequestObject = true }, "needs request_object_signing_alg"},
		"unknown subject":        {func(c *clients.Client) { c.SubjectFrom = "email" }, `subject "email" is unknown; use name or id`},
		"contract and subject": {func(c *clients.Client) {
			c.Contract, c.AuthMethod, c.SecretDigest, c.SubjectFrom = contract.OktaIDV, clients.ClientSecretPost, [32]byte{1}, clients.SubjectName
		}, "subject: the contract settles it"},
		"unknown profile":         {func(c *clients.Client) { c.Profile = "fapi1" }, `profile "fapi1"`},
		"fapi with a secret":      {func(c *clients.Client) { stock(c); c.ReuseSession = false; fapi(c) }, "does not allow client_secret_post"},
		"fapi, nothing bound":     {func(c *clients.Client) { c.Profile = clients.ProfileFAPI2 }, "dpop_bound_access_tokens"},
		"fapi without PAR":        {func(c *clients.Client) { fapi(c); c.AllowUnpushed = true }, "require_pushed_authorization_requests"},
		"fapi without PKCE":       {func(c *clients.Client) { fapi(c); c.AllowNoPKCE = true }, "require_pkce"},
		"fapi with RS256":         {func(c *clients.Client) { fapi(c); c.IDTokenAlgorithm = jose.RS256 }, "does not allow RS256"},
		"signing without objects": {func(c *clients.Client) { signing(c); c.RequireRequestObject = false }, "require_signed_request_object"},
	} {
		c := valid(t)
		row.change(c)
		err := c.Validate()
		if row.says == "" && err != nil || row.says != "" && (err == nil || !strings.Contains(err.Error(), row.says)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFixed(t *testing.T) {
	fixed, err := clients.NewFixed([]*clients.Client{valid(t)})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := fixed.Client(t.Context(), "main-idp"); err != nil || c.ID != "main-idp" {
		t.Error(err)
	}
	if _, err := fixed.Client(t.Context(), "another"); !errors.Is(err, clients.ErrUnknown) {
		t.Error(err)
	}
	if _, err := clients.NewFixed([]*clients.Client{valid(t), valid(t)}); err == nil {
		t.Error("two of one id")
	}
	if err := fixed.CheckSigning([]jose.SignatureAlgorithm{jose.ES256}); err != nil {
		t.Error(err)
	}
	if err := fixed.CheckSigning([]jose.SignatureAlgorithm{jose.RS256}); err == nil || !strings.Contains(err.Error(), "regain keys rotate") {
		t.Error(err)
	}
}

func TestSecrets(t *testing.T) {
	c := &clients.Client{AuthMethod: clients.ClientSecretPost, SecretDigest: sha256.Sum256([]byte("secret"))}
	if !c.CheckSecret("secret") || c.CheckSecret("Secret") || c.CheckSecret("") {
		t.Error("client_secret_post")
	}
	c.OtherSecrets = [][sha256.Size]byte{sha256.Sum256([]byte("older")), sha256.Sum256([]byte("oldest"))}
	if !c.CheckSecret("secret") || !c.CheckSecret("older") || !c.CheckSecret("oldest") || c.CheckSecret("Older") {
		t.Error("several secrets")
	}
	c.AuthMethod = clients.PrivateKeyJWT
	if c.CheckSecret("older") {
		t.Error("another secret where keys are registered")
	}
	if c.CheckSecret("secret") {
		t.Error("a secret where keys are registered")
	}
}

// A login with a secret costs one hash: bcrypt's 71 ms each would be an outage.
func BenchmarkCheckSecret(b *testing.B) {
	c := &clients.Client{AuthMethod: clients.ClientSecretBasic, SecretDigest: sha256.Sum256([]byte("secret"))}
	for b.Loop() {
		if !c.CheckSecret("secret") {
			b.Fatal("wrong")
		}
	}
}

// What a client knows an account by depends on the account and the client alone.
func TestSubject(t *testing.T) {
	account := recovery.Account{Name: "Ada@example.org", ID: "A1"}
	for _, row := range []struct {
		client clients.Client
		want   string
	}{
		{clients.Client{}, "Ada@example.org"}, {clients.Client{SubjectFrom: clients.SubjectName}, "Ada@example.org"}, {clients.Client{SubjectFrom: clients.SubjectID}, "A1"},
		{clients.Client{Contract: contract.OktaIDV}, "A1"},
	} {
		if got := row.client.Subject(account); got != row.want {
			t.Errorf("%+v: %q, want %q", row.client.SubjectFrom, got, row.want)
		}
	}
}
