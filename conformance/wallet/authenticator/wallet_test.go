package authenticator_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"

	"regain/conformance/did"
	"regain/conformance/jose"
	"regain/conformance/wallet/authenticator"
	"regain/conformance/wallet/authenticator/authenticatortest"
	"regain/conformance/wallet/wallettest"
)

func TestNewRefusesWhatIsMissing(t *testing.T) {
	for name, spoil := range map[string]func(*authenticator.Config){
		"HTTPClient":   func(c *authenticator.Config) { c.HTTPClient = nil },
		"Clock":        func(c *authenticator.Config) { c.Clock = nil },
		"Random":       func(c *authenticator.Config) { c.Random = nil },
		"Logger":       func(c *authenticator.Config) { c.Logger = nil },
		"Camera":       func(c *authenticator.Config) { c.Camera = nil },
		"no DID":       func(c *authenticator.Config) { c.Method = "did:web" },
		"making a key": func(c *authenticator.Config) { c.Algorithm = "RS256" },
	} {
		cfg := authenticatortest.New(t).Config
		spoil(&cfg)
		if _, err := authenticator.New(cfg); err == nil || name[0] < 'a' && !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestProof(t *testing.T) {
	for alg := range map[string]bool{jose.ES256K: true, jose.EdDSA: true} {
		w := authenticatortest.New(t)
		w.Config.Algorithm, w.Config.Method = alg, did.JWK
		w.Remake(t)
		compact, err := w.Wallet.Proof("https://issuer.example", "n")
		if err != nil {
			t.Fatal(err)
		}
		proof := authenticatortest.Read(t, compact)
		holder, name := proof.KID("")
		if holder != w.Wallet.DID() || proof.Header["typ"] != "openid4vci-proof+jwt" || names(proof.Header) != "alg kid typ" {
			t.Errorf("the header is %v", proof.Header)
		}
		if names(proof.Claims) != "aud iat nonce" || proof.Claims["aud"] != "https://issuer.example" || proof.Claims["nonce"] != "n" {
			t.Errorf("it claims %v", proof.Claims)
		}
		if !jose.IsSignedBy(compact, authenticatortest.HolderKey(t, holder, name)) {
			t.Error("it is not signed by the holder")
		}
		if compact, err = w.Wallet.Proof("x", ""); err != nil || names(authenticatortest.Read(t, compact).Claims) != "aud iat" {
			t.Errorf("without a nonce: %v", err)
		}
	}
}

// Nothing that prints, in whatever way, says anything about the person.
func TestNothingPersonalPrints(t *testing.T) {
	w := authenticatortest.New(t)
	log := &bytes.Buffer{}
	w.Config.Logger = slog.New(slog.NewJSONHandler(log, nil))
	w.Remake(t)
	c := w.Import(t)
	r := w.Ready(t)
	if _, err := w.Wallet.Share(t.Context(), r, authenticator.ShareOptions{}); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(map[string]any{"c": c, "r": r})
	if err != nil {
		t.Fatal(err)
	}
	w.Config.Logger.Info("x", "c", c, "r", r)
	secrets := []string{"Lovelace", "1990-12-10", "Passport", c.Claim("portrait"), w.Wallet.DID(), c.JWT(), w.Verifier.Nonce, w.Verifier.State}
	for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), fmt.Sprint(r), fmt.Sprintf("%+v", r), fmt.Sprintf("%#v", r), string(raw), log.String()} {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%.30s… prints %.20s", text, secret)
			}
		}
	}
	if !strings.Contains(fmt.Sprint(c), c.ID) || fmt.Sprint(r) != "request of Contoso Recovery" {
		t.Errorf("they print as %v and %v", c, r)
	}
}

// One wallet may be used by many at once.
func TestConcurrentUse(t *testing.T) {
	w := authenticatortest.New(t)
	credentials := make([]string, 8)
	for i := range credentials {
		credentials[i] = w.Issuer.Identity(w.Wallet.DID())
	}
	var all sync.WaitGroup
	for _, vc := range credentials {
		all.Go(func() {
			c, err := w.Wallet.Import(t.Context(), vc, authenticator.Source{})
			if err != nil {
				t.Error(err)
			}
			w.Wallet.Credentials()
			w.Wallet.Forget(c.ID)
		})
	}
	all.Wait()
	if len(w.Wallet.Credentials()) != 0 {
		t.Error("something was kept")
	}
}

// FuzzLink holds that a link of a stranger's is turned down or leads to an address that the wallet
// may call, and to nothing else.
func FuzzLink(f *testing.F) {
	w := authenticatortest.New(f)
	for _, seed := range []string{
		w.Verifier.Address(), "openid://vc?request_uri=https://a.example", "https://w.example/authorize?request_uri=https%3A%2F%2Fa.example%2F%23", "openid-vc:x", "?",
		"openid-vc://?request_uri=https://a@b.example/", "openid-vc://?request_uri=http://127.0.0.1:1/&client_id=x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, link string) {
		address, err := authenticator.ParseLink(link)
		if err != nil {
			return
		}
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.User != nil || strings.Contains(address, "#") || u.Scheme != "https" && !isLocal(u.Hostname()) {
			t.Errorf("%q leads to %q", link, address)
		}
	})
}

func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback() || strings.HasSuffix(strings.ToLower(strings.TrimSuffix(host, ".")), "localhost")
}

// FuzzRequestObject holds that whatever a verifier signs is turned down or understood, never both
// nor neither.
func FuzzRequestObject(f *testing.F) {
	w := authenticatortest.WithCredential(f)
	f.Add([]byte(wallettest.ToJSON(f, w.Verifier.Object())))
	w.Verifier.Tokens = append(w.Verifier.Tokens, authenticatortest.Token("x", authenticatortest.Descriptor("y", "Z", issuedBy("^a"))))
	f.Add([]byte(wallettest.ToJSON(f, w.Verifier.Object())))
	f.Add([]byte(`{"claims":{"vp_token":[]},"registration":null}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		shares, missing, err := w.Wallet.Understand(payload)
		if err == nil && shares+missing == 0 {
			t.Errorf("%q asks for nothing", payload)
		}
	})
}
