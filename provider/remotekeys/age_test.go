package remotekeys_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"regain/internal/fetch"
	"regain/provider/remotekeys"
)

const address = "https://idp.example/jwks"

// TestASetLivesAsLongAsItsServerSays holds the bounds: a set that is never stale keeps a key that was withdrawn, and one
// that is always stale lets a stranger make us fetch.
func TestASetLivesAsLongAsItsServerSays(t *testing.T) {
	for name, row := range map[string]struct{ said, lives time.Duration }{
		"says nothing": {0, 5 * time.Minute}, "an hour": {time.Hour, time.Hour}, "a second": {time.Second, 10 * time.Second},
		"a day": {24 * time.Hour, 24 * time.Hour}, "a year": {365 * 24 * time.Hour, 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Unix(1_800_000_000, 0)
			w := &web{body: set(t, "a"), age: row.said}
			s, err := remotekeys.New(w, func() time.Time { return now })
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range []struct {
				wait  time.Duration
				count int
			}{{0, 1}, {row.lives - time.Second, 1}, {time.Second, 2}} {
				now = now.Add(step.wait)
				if _, err := s.Keys(t.Context(), address, "a"); err != nil || w.count != step.count {
					t.Errorf("after %v: %d fetches, %v", step.wait, w.count, err)
				}
			}
		})
	}
}

// TestRenew holds that a set which did not suffice is fetched again, once in ten seconds, and that a server that is down
// is told, not a signature that is wrong.
func TestRenew(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	w := &web{body: set(t, "a"), age: time.Hour}
	s, err := remotekeys.New(w, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	renew := func(what string, count int, kid string) {
		t.Helper()
		found, err := s.Renew(t.Context(), address)
		if kid == "" {
			if !errors.Is(err, remotekeys.ErrUnavailable) || w.count != count {
				t.Errorf("%s: %d fetches, %v", what, w.count, err)
			}
		} else if err != nil || w.count != count || len(found.Key(kid)) != 1 {
			t.Errorf("%s: %d fetches, %v", what, w.count, err)
		}
	}
	renew("first", 1, "a")
	w.body = set(t, "b")
	renew("just now", 1, "a")
	now = now.Add(10 * time.Second)
	renew("later", 2, "b")
	fresh, err := remotekeys.New(&web{err: errors.New("down")}, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	s, w = fresh, &web{count: 1}
	renew("a server that is down", 1, "")
}

// TestASetIsFetchedAgainForItsKid holds that only a kid that is missing has the set fetched again.
func TestASetIsFetchedAgainForItsKid(t *testing.T) {
	for name, row := range map[string]struct {
		kid   string
		count int
	}{"a kid that is there": {"a", 1}, "no kid": {"", 1}, "another kid": {"b", 2}} {
		now := time.Unix(1_800_000_000, 0)
		w := &web{body: set(t, "a"), age: time.Hour}
		s, err := remotekeys.New(w, func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := s.Keys(t.Context(), address, row.kid); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			now = now.Add(11 * time.Second)
		}
		if w.count != row.count {
			t.Errorf("%s: %d fetches, want %d", name, w.count, row.count)
		}
	}
}

// pages answers each address with its own document.
type pages map[string]string

func (p pages) Get(_ context.Context, address, _ string) (fetch.Response, error) {
	if body, there := p[address]; there {
		return fetch.Response{Body: []byte(body)}, nil
	}
	return fetch.Response{}, errors.New("nothing at " + address)
}

// TestIssuerKeysAreTheIssuers breaks one thing of a discovery document (OpenID Connect Discovery 1.0 §4.3), and says why
// its keys are not taken.
func TestIssuerKeysAreTheIssuers(t *testing.T) {
	const issuer, discovery = "https://idp.example", "https://idp.example/.well-known/openid-configuration"
	for name, row := range map[string]struct {
		change func(pages)
		why    string
	}{
		"in order":         {func(pages) {}, ""},
		"another issuer's": {func(p pages) { p[discovery] = strings.Replace(p[discovery], issuer, "https://other.example", 1) }, "another issuer's"},
		"no issuer":        {func(p pages) { p[discovery] = `{"jwks_uri":"` + address + `"}` }, "another issuer's"},
		"a slash more":     {func(p pages) { p[discovery] = strings.Replace(p[discovery], issuer, issuer+"/", 1) }, "another issuer's"},
		"no jwks_uri":      {func(p pages) { p[discovery] = `{"issuer":"` + issuer + `"}` }, "has no jwks_uri"},
		"not JSON":         {func(p pages) { p[discovery] = "<html>" }, "discovery: invalid character"},
		"no document":      {func(p pages) { delete(p, discovery) }, "discovery: nothing at " + discovery},
		"no keys":          {func(p pages) { delete(p, address) }, "nothing at " + address},
	} {
		p := pages{discovery: `{"issuer":"` + issuer + `","jwks_uri":"` + address + `"}`, address: set(t, "a")}
		row.change(p)
		s, err := remotekeys.New(p, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		found, err := s.IssuerKeys(t.Context(), issuer, "a")
		switch {
		case row.why == "" && (err != nil || len(found.Key("a")) != 1):
			t.Errorf("%s: %v", name, err)
		case row.why != "" && (!errors.Is(err, remotekeys.ErrUnavailable) || !strings.Contains(err.Error(), row.why) || len(found.Keys) != 0):
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := remotekeys.New(pages{}, nil); err == nil || !strings.Contains(err.Error(), "a fetcher and a clock are required") {
		t.Errorf("without a clock: %v", err)
	}
}
