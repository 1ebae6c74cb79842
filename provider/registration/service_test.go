package registration

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/provider/clients"
	"regain/provider/problem"
	"regain/storage"
	"regain/storage/memory"
)

const invitation = "an-initial-access-token-of-32-characters-or-more"

func policy() Policy {
	return Policy{
		InitialTokens: []string{"another-token-that-is-long-enough-to-be-one", invitation}, Scopes: []string{"openid", "profile", "email"},
		DefaultAlgorithm: jose.ES256, Algorithms: []jose.SignatureAlgorithm{jose.ES256},
	}
}

// desk is a service whose parts can fail.
type desk struct {
	*Service
	t    *testing.T
	keys jose.JSONWebKeySet
}

func open(t *testing.T, p Policy, change func(*Deps)) *desk {
	t.Helper()
	store, err := memory.New(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	deps := Deps{Store: store, Clock: time.Now, Random: rand.Reader}
	if change != nil {
		change(&deps)
	}
	service, err := New("https://recover.example.org", p, deps)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{Service: service, t: t}
	for _, use := range []string{"sig", "enc"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		d.keys.Keys = append(d.keys.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: use, Use: use})
	}
	return d
}

// body is good metadata with changes; nil members are left out.
func (d *desk) body(change map[string]any) []byte {
	d.t.Helper()
	m := map[string]any{"redirect_uris": []string{"https://broker.example.org/callback"}, "client_name": "Broker", "token_endpoint_auth_method": "client_secret_post", "jwks": d.keys}
	maps.Copy(m, change)
	maps.DeleteFunc(m, func(_ string, v any) bool { return v == nil })
	text, err := json.Marshal(m)
	if err != nil {
		d.t.Fatal(err)
	}
	return text
}

func (d *desk) register(change map[string]any) Information {
	d.t.Helper()
	info, err := d.Register(d.t.Context(), invitation, d.body(change))
	if err != nil {
		d.t.Fatalf("%v: %v", change, err)
	}
	return info
}

func refused(t *testing.T, name string, err error, code, why string) {
	t.Helper()
	var shown *problem.Error
	if !errors.As(err, &shown) || shown.Code != code || !strings.Contains(err.Error(), why) {
		t.Errorf("%s: got %v, want %s: … %s", name, err, code, why)
	}
}

// Only an initial access token registers, the first and the last of them alike, and no part of one.
func TestInitialTokens(t *testing.T) {
	d := open(t, policy(), nil)
	for _, token := range d.policy.InitialTokens {
		if _, err := d.Register(t.Context(), token, d.body(nil)); err != nil {
			t.Errorf("%s: %v", token, err)
		}
	}
	for _, token := range []string{"", "guess", invitation[:32], invitation + "x", strings.Join(d.policy.InitialTokens, "\n")} {
		_, err := d.Register(t.Context(), token, d.body(nil))
		refused(t, token, err, "invalid_token", "is not one for this")
	}
	nobody := policy()
	nobody.InitialTokens = nil
	closed := open(t, nobody, nil)
	_, err := closed.Register(t.Context(), "", closed.body(nil))
	refused(t, "without tokens", err, "invalid_token", "is not one for this")
}

// A client gets the scopes of the policy and no others, also when everything else about it would do: it has keys to
// encrypt a recovery token to, and a grant to refresh.
func TestScopesOfThePolicy(t *testing.T) {
	d := open(t, policy(), nil)
	for _, scope := range clients.Scopes() {
		_, err := d.Register(t.Context(), invitation, d.body(map[string]any{"scope": "openid " + scope, "grant_types": []string{"authorization_code", "refresh_token"}}))
		if slices.Contains(d.policy.Scopes, scope) {
			if err != nil {
				t.Errorf("%s: %v", scope, err)
			}
			continue
		}
		refused(t, scope, err, "invalid_client_metadata", "The scope "+scope+" is not for clients that register themselves")
	}
	for scope, want := range map[string]string{
		"": "openid profile email", "openid": "openid", "email openid": "email openid", "openid groups User.Read": "openid", "groups": "openid profile email",
	} {
		if info := d.register(map[string]any{"scope": scope}); info.Scope != want {
			t.Errorf("%q is registered as %q, want %q", scope, info.Scope, want)
		}
	}
	_, err := d.Register(t.Context(), invitation, d.body(map[string]any{"scope": "profile"}))
	refused(t, "no openid", err, "invalid_client_metadata", "scope lacks openid")
	// Where the policy has them, what recovers or outlives the session still has to be asked for.
	wide := policy()
	wide.Scopes, wide.ReuseSession = clients.Scopes(), true
	d = open(t, wide, nil)
	for change, want := range map[string]string{"authorization_code": "openid profile email address phone", "refresh_token": "openid profile email address phone offline_access"} {
		if info := d.register(map[string]any{"grant_types": []string{"authorization_code", change}}); info.Scope != want {
			t.Errorf("by default with %s: %q", change, info.Scope)
		}
	}
	for scope, reuses := range map[string]bool{"openid": true, "openid recovery": false} {
		c, err := d.Client(t.Context(), d.register(map[string]any{"scope": scope}).ClientID)
		if err != nil || c.ReuseSession != reuses || c.Recovers() == reuses {
			t.Errorf("%s: reuses sessions %t, recovers %t, %v", scope, c.ReuseSession, c.Recovers(), err)
		}
	}
}

// What the policy says holds for clients that registered before it said so.
func TestThePolicyOfToday(t *testing.T) {
	d := open(t, policy(), nil)
	info := d.register(map[string]any{"scope": "openid email", "require_pushed_authorization_requests": false})
	c, err := d.Client(t.Context(), info.ClientID)
	if err != nil || c.AllowUnpushed || c.AllowNoPKCE || c.AskAccount || c.IssuerAudience() || !info.RequirePAR {
		t.Fatalf("%+v, %v", c, err)
	}
	yes := true
	d.policy.AllowUnpushed, d.policy.AllowNoPKCE, d.policy.AskAccount, d.policy.TokenEndpointAudience = true, true, true, new(bool)
	if c, err = d.Client(t.Context(), info.ClientID); err != nil || c.AllowUnpushed || !c.AllowNoPKCE || !c.AskAccount || !c.IssuerAudience() { // what was registered stays registered
		t.Errorf("a looser policy: %+v, %v", c, err)
	}
	d.policy.TokenEndpointAudience = &yes
	if info := d.register(map[string]any{"require_pushed_authorization_requests": false}); info.RequirePAR {
		t.Error("PAR is required of a client that may do without")
	}
	d.policy.Scopes = []string{"openid"}
	if _, err := d.Client(t.Context(), info.ClientID); !errors.Is(err, clients.ErrUnknown) || !strings.Contains(err.Error(), "scope email is not for clients") {
		t.Errorf("a scope that is no longer allowed: %v", err)
	}
	d.policy = policy()
	d.policy.Algorithms = nil
	if _, err := d.Client(t.Context(), info.ClientID); !errors.Is(err, clients.ErrUnknown) || !strings.Contains(err.Error(), "no key for ES256") {
		t.Errorf("an algorithm that is no longer there: %v", err)
	}
	if _, err := d.Client(t.Context(), "nobody"); !errors.Is(err, clients.ErrUnknown) {
		t.Errorf("nobody: %v", err)
	}
}

// A registration is read, changed and deleted with its own token, and with no other.
func TestManage(t *testing.T) {
	d := open(t, policy(), nil)
	mine, others := d.register(nil), d.register(map[string]any{"client_name": "Other"})
	for _, token := range []string{"", invitation, others.Token, mine.Token + "x", mine.ClientSecret} {
		_, err := d.Read(t.Context(), mine.ClientID, token)
		refused(t, "read", err, "invalid_token", "is not one for this")
		_, err = d.Update(t.Context(), mine.ClientID, token, d.body(map[string]any{"client_id": mine.ClientID}))
		refused(t, "update", err, "invalid_token", "is not one for this")
		refused(t, "delete", d.Delete(t.Context(), mine.ClientID, token), "invalid_token", "is not one for this")
	}
	_, err := d.Read(t.Context(), "nobody", "")
	refused(t, "nobody", err, "invalid_token", "is not one for this")
	read, err := d.Read(t.Context(), mine.ClientID, mine.Token)
	if err != nil || read.Name != "Broker" || read.ClientSecret != "" || read.Token != "" || read.URI != mine.URI || read.IssuedAt != mine.IssuedAt {
		t.Errorf("read: %+v, %v", read, err)
	}
	for name, row := range map[string]struct {
		change map[string]any
		why    string
	}{
		"another's id":  {map[string]any{"client_id": others.ClientID}, "client_id is missing, or is another client's"},
		"no id":         {nil, "client_id is missing, or is another client's"},
		"a guess":       {map[string]any{"client_id": mine.ClientID, "client_secret": others.ClientSecret}, "client_secret is not the one that was issued"},
		"no text":       {map[string]any{"client_id": mine.ClientID, "client_secret": 7}, "client_secret is not the one that was issued"},
		"its token":     {map[string]any{"client_id": mine.ClientID, "registration_access_token": mine.Token}, "must not contain registration_access_token"},
		"its URI":       {map[string]any{"client_id": mine.ClientID, "registration_client_uri": mine.URI}, "must not contain registration_client_uri"},
		"its date":      {map[string]any{"client_id": mine.ClientID, "client_id_issued_at": 1}, "must not contain client_id_issued_at"},
		"its end":       {map[string]any{"client_id": mine.ClientID, "client_secret_expires_at": 0}, "must not contain client_secret_expires_at"},
		"more scope":    {map[string]any{"client_id": mine.ClientID, "scope": "openid recovery"}, "scope recovery is not for clients"},
		"a long name":   {map[string]any{"client_id": mine.ClientID, "client_name": strings.Repeat("x", 201)}, "client_name is too long"},
		"encrypted IDs": {map[string]any{"client_id": mine.ClientID, "id_token_encrypted_response_alg": "RSA-OAEP"}, "does not support id_token_encrypted_response_alg"},
	} {
		_, err := d.Update(t.Context(), mine.ClientID, mine.Token, d.body(row.change))
		refused(t, name, err, "invalid_client_metadata", row.why)
	}
	if again, err := d.Read(t.Context(), mine.ClientID, mine.Token); err != nil || again.Name != "Broker" || again.Scope != mine.Scope {
		t.Errorf("after what was refused: %+v, %v", again, err)
	}
	changed, err := d.Update(t.Context(), mine.ClientID, mine.Token, d.body(map[string]any{"client_id": mine.ClientID, "client_secret": mine.ClientSecret, "client_name": "Renamed"}))
	if err != nil || changed.Name != "Renamed" || changed.ClientSecret != "" {
		t.Errorf("update: %+v, %v", changed, err)
	}
	if c, err := d.Client(t.Context(), mine.ClientID); err != nil || c.Name != "Renamed" || !c.CheckSecret(mine.ClientSecret) || c.CheckSecret(others.ClientSecret) {
		t.Errorf("the client: %v, %v", c, err)
	}
	if err := d.Delete(t.Context(), mine.ClientID, mine.Token); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Client(t.Context(), mine.ClientID); !errors.Is(err, clients.ErrUnknown) {
		t.Errorf("deleted: %v", err)
	}
	_, err = d.Read(t.Context(), mine.ClientID, mine.Token)
	refused(t, "deleted", err, "invalid_token", "is not one for this")
}

// A secret is there for the methods that use one: it goes when the client changes to keys, and a new one comes back.
func TestSecrets(t *testing.T) {
	d := open(t, policy(), nil)
	info := d.register(map[string]any{"token_endpoint_auth_method": nil})
	if info.AuthMethod != clients.ClientSecretBasic || len(info.ClientSecret) < 43 || info.SecretExpires == nil || *info.SecretExpires != 0 {
		t.Errorf("%+v", info)
	}
	update := func(method string) Information {
		changed, err := d.Update(t.Context(), info.ClientID, info.Token, d.body(map[string]any{"client_id": info.ClientID, "token_endpoint_auth_method": method}))
		if err != nil {
			t.Fatal(err)
		}
		return changed
	}
	if changed := update("private_key_jwt"); changed.ClientSecret != "" || changed.SecretExpires != nil {
		t.Errorf("with keys: %+v", changed)
	}
	if c, err := d.Client(t.Context(), info.ClientID); err != nil || c.CheckSecret(info.ClientSecret) {
		t.Errorf("the old secret is good: %v", err)
	}
	if changed := update("client_secret_post"); changed.ClientSecret == "" || changed.ClientSecret == info.ClientSecret {
		t.Error("no new secret")
	}
}

// failing is a store of which one operation fails.
type failing struct {
	storage.Store
	on  string
	err error
}

func (f *failing) Get(ctx context.Context, kind storage.Kind, id string) (storage.Record, error) {
	if f.on == "get" {
		return storage.Record{}, f.err
	}
	return f.Store.Get(ctx, kind, id)
}

func (f *failing) Create(ctx context.Context, r storage.Record) error {
	if f.on == "create" {
		return f.err
	}
	return f.Store.Create(ctx, r)
}

func (f *failing) Update(ctx context.Context, r storage.Record) error {
	if f.on == "update" {
		return f.err
	}
	return f.Store.Update(ctx, r)
}

func (f *failing) Delete(ctx context.Context, kind storage.Kind, id string) error {
	if f.on == "delete" {
		return f.err
	}
	return f.Store.Delete(ctx, kind, id)
}

// A store that does not answer registers nobody and is no verdict on a token; two updates at once are one.
func TestOutages(t *testing.T) {
	var store *failing
	d := open(t, policy(), func(deps *Deps) {
		store = &failing{Store: deps.Store}
		deps.Store = store
	})
	info := d.register(nil)
	body := d.body(map[string]any{"client_id": info.ClientID})
	store.err = errors.New("down")
	calls := map[string]func() error{
		"create": func() error { _, err := d.Register(t.Context(), invitation, d.body(nil)); return err },
		"get":    func() error { _, err := d.Read(t.Context(), info.ClientID, info.Token); return err },
		"update": func() error { _, err := d.Update(t.Context(), info.ClientID, info.Token, body); return err },
		"delete": func() error { return d.Delete(t.Context(), info.ClientID, info.Token) },
	}
	for store.on = range calls {
		refused(t, store.on, calls[store.on](), "temporarily_unavailable", "down")
	}
	store.on = "get"
	if _, err := d.Client(t.Context(), info.ClientID); !errors.Is(err, store.err) || errors.Is(err, clients.ErrUnknown) {
		t.Errorf("a registry that does not answer: %v", err)
	}
	for _, store.err = range []error{storage.ErrConflict, storage.ErrNotFound} {
		store.on = "update"
		refused(t, "at once", calls["update"](), "invalid_request", "was changed in the meantime")
	}
	store.on = ""
	for octets := range 16 + 32 + 32 {
		d.deps.Random = io.MultiReader(bytes.NewReader(make([]byte, octets)))
		_, err := d.Register(t.Context(), invitation, d.body(nil))
		refused(t, "without randomness", err, "server_error", "read randomness")
	}
}

func TestNewRefuses(t *testing.T) {
	store, err := memory.New(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	deps := Deps{Store: store, Clock: time.Now, Random: rand.Reader}
	for why, change := range map[string]func(issuer *string, p *Policy, d *Deps){
		"the issuer, Store, Clock and Random are required": func(issuer *string, _ *Policy, _ *Deps) { *issuer = "" },
		"Store, Clock and Random are required":             func(_ *string, _ *Policy, d *Deps) { d.Store = nil },
		"Clock and Random are required":                    func(_ *string, _ *Policy, d *Deps) { d.Clock = nil },
		"Random are required":                              func(_ *string, _ *Policy, d *Deps) { d.Random = nil },
		`scope "admin" is unknown`:                         func(_ *string, p *Policy, _ *Deps) { p.Scopes = append(p.Scopes, "admin") },
		"scope lacks openid":                               func(_ *string, p *Policy, _ *Deps) { p.Scopes = []string{"email"} },
		"one has 31 characters":                            func(_ *string, p *Policy, _ *Deps) { p.InitialTokens = []string{invitation, strings.Repeat("x", 31)} },
	} {
		issuer, p, d := "https://recover.example.org", policy(), deps
		change(&issuer, &p, &d)
		if _, err := New(issuer, p, d); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("got %v, want %q", err, why)
		}
	}
}
