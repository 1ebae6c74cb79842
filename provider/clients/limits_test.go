package clients_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/mtls"
)

// Each row is a valid client with one change.
func TestValidateMore(t *testing.T) {
	yes, no := true, false
	published := func(c *clients.Client) { c.Keys, c.JWKSURI = jose.JSONWebKeySet{}, "https://idp.example.org/jwks" }
	certified := func(c *clients.Client) { c.AuthMethod, c.TLSIdentity = clients.TLSClientAuth, mtls.Identity{DNS: "x"} }
	const settles = "leave their settings out"
	for name, row := range map[string]struct {
		change func(c *clients.Client)
		says   string // "" for one that is fine
	}{
		"published keys":             {published, ""},
		"published, self-signed":     {func(c *clients.Client) { published(c); c.AuthMethod = clients.SelfSignedTLSClientAuth }, ""},
		"self-signed":                {func(c *clients.Client) { c.AuthMethod = clients.SelfSignedTLSClientAuth }, ""},
		"published, request objects": {func(c *clients.Client) { published(c); c.RequestObjectAlgorithm = jose.ES256 }, ""},
		"objects without a key": {func(c *clients.Client) {
			certified(c)
			c.Keys.Keys = c.Keys.Keys[1:]
			c.RequestObjectAlgorithm = jose.ES256
		}, "which request_object_signing_alg needs"},
		"objects with a key":          {func(c *clients.Client) { certified(c); c.RequestObjectAlgorithm = jose.ES256 }, ""},
		"a sign-out that is there":    {func(c *clients.Client) { c.PostLogoutRedirectURIs = []string{"https://idp.example.org/out"} }, ""},
		"a back channel":              {func(c *clients.Client) { c.BackChannelLogoutURI = "https://idp.example.org/out" }, ""},
		"a redirect without a host":   {func(c *clients.Client) { c.RedirectURIs = []string{"https:///x"} }, "not an absolute https URI"},
		"a relative redirect":         {func(c *clients.Client) { c.RedirectURIs = []string{"//idp.example.org/x"} }, "not an absolute https URI"},
		"a redirect that is none":     {func(c *clients.Client) { c.RedirectURIs = []string{"https://%zz/"} }, "not an absolute https URI"},
		"a code after &":              {func(c *clients.Client) { c.RedirectURIs = []string{"https://idp.example.org/?a=1&code=x"} }, "holds the parameter code"},
		"localhost":                   {func(c *clients.Client) { c.RedirectURIs = []string{"http://localhost:8080/x"} }, ""},
		"a name below localhost":      {func(c *clients.Client) { c.RedirectURIs = []string{"http://idp.localhost/x"} }, ""},
		"IPv6 loopback":               {func(c *clients.Client) { c.RedirectURIs = []string{"http://[::1]:8080/x"} }, ""},
		"a name that ends like it":    {func(c *clients.Client) { c.RedirectURIs = []string{"http://evil-localhost/x"} }, "must be https"},
		"another loopback address":    {func(c *clients.Client) { c.RedirectURIs = []string{"http://127.0.0.2/x"} }, "must be https"},
		"fapi by certificate":         {func(c *clients.Client) { c.Profile, c.CertificateBound = clients.ProfileFAPI2, true }, ""},
		"fapi with the issuer":        {func(c *clients.Client) { fapi(c); c.TokenEndpointAudience = &no }, ""},
		"fapi with an endpoint":       {func(c *clients.Client) { fapi(c); c.TokenEndpointAudience = &yes }, "does not allow token_endpoint_audience"},
		"entra with RS256":            {func(c *clients.Client) { followEntra(c); c.IDTokenAlgorithm = jose.RS256 }, ""},
		"a subject":                   {func(c *clients.Client) { c.SubjectFrom = clients.SubjectID }, ""},
		"okta without a subject":      {followOkta, ""},
		"none with a contract's name": {func(c *clients.Client) { followOkta(c); c.AuthMethod = clients.NoAuth }, `token_endpoint_auth_method "none"`},
		"a claim without a name":      {func(c *clients.Client) { c.Claims = map[string]string{"": "number"} }, "neither may be empty"},
		"screen and refresh":          {func(c *clients.Client) { c.ShowPass, c.Scopes = true, []string{"openid", "offline_access"} }, "deliver: screen excludes"},

		"okta, in FAPI":             {func(c *clients.Client) { followEntra(c); fapi(c) }, settles},
		"okta, on the screen":       {func(c *clients.Client) { followOkta(c); c.ShowPass = true }, settles},
		"okta, with claims":         {func(c *clients.Client) { followOkta(c); c.Claims = map[string]string{"x": "y"} }, settles},
		"okta, asking":              {func(c *clients.Client) { followOkta(c); c.AskAccount = true }, settles},
		"okta, without PKCE":        {func(c *clients.Client) { followOkta(c); c.AllowNoPKCE = true }, settles},
		"okta, with objects":        {func(c *clients.Client) { followOkta(c); c.Keys = valid(t).Keys; c.RequestObjectAlgorithm = jose.ES256 }, settles},
		"okta, with signed answers": {func(c *clients.Client) { followOkta(c); c.UserInfoAlgorithm = jose.ES256 }, settles},
	} {
		c := valid(t)
		row.change(c)
		err := c.Validate()
		if row.says == "" && err != nil || row.says != "" && (err == nil || !strings.Contains(err.Error(), row.says)) {
			t.Errorf("%s: %v, want %q", name, err, row.says)
		}
	}
	c := valid(t)
	c.Name = ""
	if _, err := clients.NewFixed([]*clients.Client{c}); err == nil || !strings.Contains(err.Error(), "name is missing") {
		t.Errorf("an invalid client is registered: %v", err)
	}
	// Nothing beside one of these makes a request, an audience or a token of another kind.
	for name, row := range map[string]struct {
		client clients.Client
		alg    jose.SignatureAlgorithm
		issuer bool
	}{
		"by default": {clients.Client{}, jose.ES256, false}, "chosen": {clients.Client{IDTokenAlgorithm: jose.PS256}, jose.PS256, false}, "a contract": {clients.Client{Contract: contract.OktaIDV}, jose.RS256, false},
		"fapi": {clients.Client{Profile: clients.ProfileFAPI2}, jose.ES256, true}, "fapi signing": {clients.Client{Profile: clients.ProfileFAPI2Signing}, jose.ES256, true},
		"the issuer alone": {clients.Client{TokenEndpointAudience: &no}, jose.ES256, true}, "endpoints": {clients.Client{TokenEndpointAudience: &yes}, jose.ES256, false},
	} {
		if row.client.Algorithm() != row.alg || row.client.IssuerAudience() != row.issuer {
			t.Errorf("%s: %s, %t", name, row.client.Algorithm(), row.client.IssuerAudience())
		}
	}
}

// What needs a certificate is offered where certificates can be shown, and what needs a CA where there are any (RFC 8705 §2).
func TestMutualTLS(t *testing.T) {
	client := func(id string, change func(c *clients.Client)) *clients.Client {
		c := valid(t)
		c.ID = id
		change(c)
		return c
	}
	for name, row := range map[string]struct {
		client     *clients.Client
		tls, roots string // why it cannot be used without
	}{
		"keys":        {client("a", func(*clients.Client) {}), "", ""},
		"none":        {client("e", followEntra), "", ""},
		"a CA's":      {client("b", func(c *clients.Client) { c.AuthMethod, c.TLSIdentity = clients.TLSClientAuth, mtls.Identity{DNS: "x"} }), "client b: token_endpoint_auth_method tls_client_auth needs mutual_tls.base_url and mutual_tls.roots_file", "client b: token_endpoint_auth_method tls_client_auth needs mutual_tls.base_url and mutual_tls.roots_file"},
		"self-signed": {client("c", func(c *clients.Client) { c.AuthMethod = clients.SelfSignedTLSClientAuth }), "client c: token_endpoint_auth_method self_signed_tls_client_auth needs mutual_tls.base_url", ""},
		"bound":       {client("d", func(c *clients.Client) { c.CertificateBound = true }), "client d: tls_client_certificate_bound_access_tokens needs mutual_tls.base_url", ""},
	} {
		fixed, err := clients.NewFixed([]*clients.Client{row.client})
		if err != nil {
			t.Fatal(err)
		}
		for _, try := range []struct {
			tls, roots bool
			why        string
		}{{true, true, ""}, {true, false, row.roots}, {false, false, row.tls}, {false, true, row.tls}} {
			err := fixed.CheckMutualTLS(try.tls, try.roots)
			if try.why == "" && err != nil || try.why != "" && (err == nil || err.Error() != try.why) {
				t.Errorf("%s, mutual TLS %t, roots %t: %v", name, try.tls, try.roots, err)
			}
		}
	}
	secrets := []clients.AuthMethod{clients.PrivateKeyJWT, clients.ClientSecretBasic, clients.ClientSecretPost}
	for _, row := range []struct {
		tls, roots bool
		want       []clients.AuthMethod
	}{{false, false, secrets}, {false, true, secrets}, {true, false, append(slices.Clone(secrets), clients.SelfSignedTLSClientAuth)}, {true, true, clients.AuthMethods()}} {
		if got := clients.UsableMethods(row.tls, row.roots); !slices.Equal(got, row.want) {
			t.Errorf("mutual TLS %t, roots %t: %v", row.tls, row.roots, got)
		}
	}
}

// A contract is followed if any client does.
func TestFollow(t *testing.T) {
	okta := valid(t)
	okta.ID = "okta"
	followOkta(okta)
	fixed, err := clients.NewFixed([]*clients.Client{valid(t), okta})
	if err != nil {
		t.Fatal(err)
	}
	if !fixed.Follow(contract.OktaIDV) || fixed.Follow(contract.EntraExternalMethod) {
		t.Error("okta's contract alone is followed")
	}
	signed := valid(t)
	signed.UserInfoAlgorithm = jose.EdDSA
	fixed, err = clients.NewFixed([]*clients.Client{signed})
	if err != nil {
		t.Fatal(err)
	}
	if err := fixed.CheckSigning([]jose.SignatureAlgorithm{jose.ES256}); err == nil || !strings.Contains(err.Error(), "userinfo_signed_response_alg EdDSA") {
		t.Errorf("signed userinfo without a key: %v", err)
	}
}

// down is a registry that does not answer.
type down struct{ err error }

func (d down) Client(context.Context, string) (*clients.Client, error) { return nil, d.err }

// The first registry that has the client wins; one that does not answer is not passed over: the client may be its.
func TestLayered(t *testing.T) {
	broken := errors.New("down")
	one, other := clients.Fixed{"a": {ID: "a", Name: "first"}}, clients.Fixed{"a": {ID: "a", Name: "second"}, "b": {ID: "b", Name: "second"}}
	for name, row := range map[string]struct {
		layers clients.Layered
		id     string
		want   string
		err    error
	}{
		"in the first": {clients.Layered{one, other}, "a", "first", nil}, "in the second": {clients.Layered{one, other}, "b", "second", nil}, "in none": {clients.Layered{one, other}, "c", "", clients.ErrUnknown},
		"no layers": {nil, "a", "", clients.ErrUnknown}, "before one that is down": {clients.Layered{one, down{broken}}, "a", "first", nil},
		"behind one that is down": {clients.Layered{down{broken}, other}, "b", "", broken}, "in none, and one is down": {clients.Layered{one, down{broken}}, "b", "", broken},
	} {
		c, err := row.layers.Client(t.Context(), row.id)
		if !errors.Is(err, row.err) || (c != nil) != (row.want != "") || c != nil && c.Name != row.want {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
}

// A key that is named is the one that is used, and a set that did not change is not tried again.
func TestTry(t *testing.T) {
	_, one := fresh(t)
	_, two := fresh(t)
	private, _ := fresh(t)
	one.KeyID, two.KeyID = "one", "two"
	refused := errors.New("refused")
	set := func(keys ...jose.JSONWebKey) jose.JSONWebKeySet { return jose.JSONWebKeySet{Keys: keys} }
	for name, row := range map[string]struct {
		client clients.Client
		remote served
		kid    string
		seen   []string // the names of the keys, at each time of asking
		want   error
	}{
		"by name":               {clients.Client{Keys: set(one, two)}, served{}, "two", []string{"two"}, refused},
		"by no name":            {clients.Client{Keys: set(one, two)}, served{}, "", []string{"one two"}, refused},
		"by another name":       {clients.Client{Keys: set(one, two)}, served{}, "three", []string{""}, refused},
		"to encrypt with":       {clients.Client{Keys: set(jose.JSONWebKey{Key: one.Key, KeyID: "e", Use: "enc"}, two)}, served{}, "", []string{"two"}, refused},
		"a private key":         {clients.Client{Keys: set(jose.JSONWebKey{Key: private, KeyID: "p"}, two)}, served{}, "", []string{"two"}, refused},
		"published, unchanged":  {clients.Client{ID: "c", JWKSURI: "x"}, served{set: set(one), next: set(one)}, "", []string{"one"}, refused},
		"published, and more":   {clients.Client{ID: "c", JWKSURI: "x"}, served{set: set(one), next: set(one, two)}, "", []string{"one", "one two"}, refused},
		"published, by a name":  {clients.Client{ID: "c", JWKSURI: "x"}, served{set: set(one), next: set(one, two)}, "two", []string{"", "two"}, refused},
		"published, of another": {clients.Client{ID: "c", JWKSURI: "x"}, served{set: set(one), next: set(one, two)}, "one", []string{"one"}, refused},
	} {
		source, err := clients.NewKeySource(&row.remote)
		if err != nil {
			t.Fatal(err)
		}
		var seen []string
		err = source.Try(t.Context(), &row.client, row.kid, func(keys []jose.JSONWebKey) error {
			var names []string
			for _, key := range keys {
				names = append(names, key.KeyID)
			}
			seen = append(seen, strings.Join(names, " "))
			return refused
		})
		if !errors.Is(err, row.want) || !slices.Equal(seen, row.seen) {
			t.Errorf("%s: %q, %v", name, seen, err)
		}
	}
	remote := &lost{served: served{set: set(one)}, err: errors.New("down")}
	source, err := clients.NewKeySource(remote)
	if err != nil {
		t.Fatal(err)
	}
	client := &clients.Client{ID: "c", JWKSURI: "x"}
	if err := source.Try(t.Context(), client, "", func([]jose.JSONWebKey) error { return refused }); !errors.Is(err, remote.err) || errors.Is(err, refused) || !strings.Contains(err.Error(), "keys of client c") {
		t.Errorf("a renewal that fails: %v", err) // whether a new key would do is not known
	}
	remote.served.err = remote.err
	if _, err := source.EncryptionKey(t.Context(), client); !errors.Is(err, remote.err) || errors.Is(err, clients.ErrNoKey) {
		t.Errorf("an encryption key that cannot be had: %v", err)
	}
}

// lost is a set that can be had once.
type lost struct {
	served
	err error
}

func (l *lost) Renew(context.Context, string) (jose.JSONWebKeySet, error) {
	return jose.JSONWebKeySet{}, l.err
}

// A key for one algorithm verifies no other, and one for none verifies what it can.
func TestAlgorithmsOfKeys(t *testing.T) {
	key, public := fresh(t)
	source, err := clients.NewKeySource(&served{})
	if err != nil {
		t.Fatal(err)
	}
	for alg, want := range map[string]error{"": nil, "ES256": nil, "ES384": clients.ErrNoKey, "RS256": clients.ErrNoKey} {
		client := &clients.Client{Keys: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: public.Key, Algorithm: alg}}}}
		if err := source.Verify(t.Context(), signed(t, key), client); !errors.Is(err, want) {
			t.Errorf("alg %q: %v", alg, err)
		}
	}
}
