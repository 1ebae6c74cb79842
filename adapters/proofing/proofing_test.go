package proofing_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/adapters/proofing"
)

// minter shows what it was asked to sign.
type minter struct{ err error }

func (m minter) Mint(typ string, claims any) (string, error) {
	data, err := json.Marshal(claims)
	return typ + "." + string(data), errors.Join(m.err, err)
}

func valid() proofing.Config {
	return proofing.Config{
		Name: "Example Proofing", StartURL: "https://proofing.example/start?tenant=7", Issuer: "https://regain.example", OrgID: "contoso",
		Minter: minter{}, Clock: func() time.Time { return time.Unix(1_790_000_000, 0) }, Random: rand.Reader,
	}
}

func TestURL(t *testing.T) {
	p, err := proofing.New(valid())
	if err != nil {
		t.Fatal(err)
	}
	if p.Name() != "Example Proofing" {
		t.Errorf("name %s", p.Name())
	}
	seen := map[string]bool{}
	for range 2 {
		raw, err := p.URL(t.Context(), "reference", "https://regain.example/recover/txn/proofed")
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if u.Query().Get("tenant") != "7" {
			t.Error("the start URL's own query was lost")
		}
		typ, body, _ := strings.Cut(u.Query().Get("token"), ".")
		var claims map[string]any
		if err := json.Unmarshal([]byte(body), &claims); err != nil || typ != "proofing-handoff+jwt" {
			t.Fatalf("token %s: %v", typ, err)
		}
		for name, want := range map[string]any{
			"iss": "https://regain.example", "aud": valid().StartURL, "iat": 1.79e9, "exp": 1.79e9 + 300,
			"OrgId": "contoso", "RequestId": "reference", "redirectUrl": "https://regain.example/recover/txn/proofed",
		} {
			if claims[name] != want {
				t.Errorf("%s is %v, want %v", name, claims[name], want)
			}
		}
		id, _ := claims["jti"].(string)
		if len(id) < 22 || seen[id] {
			t.Errorf("jti %q is short or was used before", id)
		}
		seen[id] = true
	}
}

func TestMistakes(t *testing.T) {
	for name, breakIt := range map[string]func(*proofing.Config){
		"no name":       func(c *proofing.Config) { c.Name = "" },
		"no minter":     func(c *proofing.Config) { c.Minter = nil },
		"no clock":      func(c *proofing.Config) { c.Clock = nil },
		"no randomness": func(c *proofing.Config) { c.Random = nil },
		"relative URL":  func(c *proofing.Config) { c.StartURL = "/start" },
		"script URL":    func(c *proofing.Config) { c.StartURL = "javascript://x/%0aalert(1)" },
		"fragment":      func(c *proofing.Config) { c.StartURL += "#x" },
	} {
		cfg := valid()
		breakIt(&cfg)
		if _, err := proofing.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	cfg := valid()
	cfg.Minter = minter{err: errors.New("no key")}
	p, err := proofing.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := p.URL(t.Context(), "r", "u"); err == nil || raw != "" {
		t.Errorf("unsigned hand-off %q, %v", raw, err)
	}
}
