package remotekeys_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/fetch"
	"regain/internal/publickey/publickeytest"
	"regain/provider/remotekeys"
)

// web answers every address with one document, or an error, and counts.
type web struct {
	mu    sync.Mutex
	count int
	body  string
	age   time.Duration
	err   error
}

func (w *web) Get(context.Context, string, string) (fetch.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count++
	return fetch.Response{Body: []byte(w.body), MaxAge: w.age}, w.err
}

func set(t *testing.T, kids ...string) string {
	t.Helper()
	var s jose.JSONWebKeySet
	for _, kid := range kids {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		s.Keys = append(s.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: kid})
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestKeysAreFetchedAsOftenAsNeeded(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	w := &web{body: set(t, "a"), age: time.Hour}
	s, err := remotekeys.New(w, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	look := func(what, kid string, count int, ok bool) {
		t.Helper()
		_, err := s.Keys(t.Context(), "https://idp.example/jwks", kid)
		if w.count != count || (err == nil) != ok || err != nil && !errors.Is(err, remotekeys.ErrUnavailable) {
			t.Errorf("%s: %d fetches, %v", what, w.count, err)
		}
	}
	look("first", "a", 1, true)
	look("kept", "a", 1, true)
	look("an unknown kid, just now", "b", 1, true)
	now = now.Add(11 * time.Second)
	w.body = set(t, "b")
	look("an unknown kid, later", "b", 2, true)
	look("and kept", "b", 2, true)
	now, w.err = now.Add(11*time.Second), errors.New("down")
	look("an unknown kid, while the server is down", "c", 3, false) // whether there is such a key is not known
	look("a kid that is kept, meanwhile", "b", 3, true)
	w.err, w.count = nil, 2
	now = now.Add(time.Hour)
	w.err = errors.New("down")
	look("stale, and the server is down", "b", 3, false)
	look("which stands for a while", "b", 3, false)
	now = now.Add(11 * time.Second)
	w.err, w.body = nil, "{"
	look("nonsense", "b", 4, false)
	now = now.Add(11 * time.Second)
	w.body = set(t, strings.Split(strings.Repeat("k ", 65), " ")...)
	look("too many", "", 5, false)
}

// One key that is not understood takes none of the others along (RFC 7517 §5); a giant one is not understood.
func TestSetsWithKeysOfOthers(t *testing.T) {
	var good struct {
		Keys []any `json:"keys"`
	}
	if err := json.Unmarshal([]byte(set(t, "a")), &good); err != nil {
		t.Fatal(err)
	}
	giant := publickeytest.JWK(publickeytest.RSA(65_536, 65537))
	type row struct {
		keys []any
		says string // "" for a set in which a is found
	}
	rows := map[string]row{
		"a kind of tomorrow": {append([]any{map[string]any{"kty": "LWE", "kid": "a"}}, good.Keys...), ""},
		"a giant":            {append([]any{giant}, good.Keys...), ""},
		"a giant alone":      {[]any{giant}, "key 0: outside the accepted bounds: n has 10923 characters"},
	}
	for name, foreign := range publickeytest.Foreign() {
		rows[name] = row{append([]any{foreign}, good.Keys...), ""}
		rows[name+" alone"] = row{[]any{foreign}, "key 0: "}
	}
	for name, row := range rows {
		body, err := json.Marshal(map[string]any{"keys": row.keys})
		if err != nil {
			t.Fatal(err)
		}
		s, err := remotekeys.New(&web{body: string(body)}, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		found, err := s.Keys(t.Context(), "https://idp.example/jwks", "a")
		switch {
		case row.says == "" && (err != nil || len(found.Keys) != 1 || found.Keys[0].KeyID != "a"):
			t.Errorf("%s: got %d keys, %v", name, len(found.Keys), err)
		case row.says != "" && (!errors.Is(err, remotekeys.ErrUnavailable) || !strings.Contains(err.Error(), row.says)):
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestIssuerKeys(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		document string
		ok       bool
	}{
		"another issuer's": {`{"issuer":"https://other.example","jwks_uri":"https://idp.example/jwks","keys":[]}`, false},
		"no jwks_uri":      {`{"issuer":"https://idp.example"}`, false},
		"not JSON":         {`<html>`, false},
		"as it must be":    {`{"issuer":"https://idp.example","jwks_uri":"https://idp.example/jwks","keys":[]}`, true},
	} {
		s, err := remotekeys.New(&web{body: c.document}, func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.IssuerKeys(t.Context(), "https://idp.example", ""); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestManyWaitForOneFetch(t *testing.T) {
	w := &web{body: set(t, "a"), age: time.Hour}
	s, err := remotekeys.New(w, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			if _, err := s.Keys(t.Context(), "https://idp.example/jwks", "a"); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if w.count > 32 || w.count == 0 {
		t.Errorf("%d fetches", w.count)
	}
	if _, err := remotekeys.New(nil, time.Now); err == nil {
		t.Error("made without a fetcher")
	}
}
