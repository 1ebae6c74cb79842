package clientauth_test

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/costtest"
	"regain/internal/publickey"
	"regain/internal/publickey/publickeytest"
)

// The worst assertions: signed by nobody, in the name of a client that published the worst of sets.
func TestWorstAssertions(t *testing.T) {
	var keys []any
	for len(keys) < 64 {
		keys = append(keys, publickeytest.JWK(publickeytest.RSA(8192, math.MaxInt32)))
	}
	text, err := json.Marshal(map[string]any{"keys": keys})
	must(t, err)
	set, err := publickey.ParseSet(text)
	must(t, err)
	remote := &jwkSets{set: set.JSONWebKeySet}
	a, _ := setUp(t, remote)
	encode := base64.RawURLEncoding.EncodeToString
	claims, err := json.Marshal(map[string]any{"iss": "signs", "sub": "signs", "aud": issuer, "jti": "x", "exp": time.Now().Add(time.Minute).Unix()})
	must(t, err)
	check := func(name, assertion string) {
		t.Helper()
		costtest.Check(t, name, func() {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, issuer+"/token", http.NoBody)
			_, _ = a.Authenticate(r, url.Values{
				"client_id": {"signs"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {assertion},
			})
		})
	}
	for _, alg := range []jose.SignatureAlgorithm{jose.PS256, jose.RS256, jose.ES256, jose.EdDSA} {
		signature := encode(append(make([]byte, 1023), 2))
		check("64 giant keys, "+string(alg), encode([]byte(`{"alg":"`+string(alg)+`"}`))+"."+encode(claims)+"."+signature)
		check("64 giant keys, a kid, "+string(alg), encode([]byte(`{"alg":"`+string(alg)+`","kid":"x"}`))+"."+encode(claims)+"."+signature)
	}
	for name, value := range costtest.JSON(40<<10, 4000) {
		check("header: "+name, encode([]byte(value))+"."+encode(claims)+".AAAA")
		check("claims: "+name, encode([]byte(`{"alg":"PS256"}`))+"."+encode([]byte(value))+".AAAA")
		check("a claim: "+name, encode([]byte(`{"alg":"PS256"}`))+"."+encode([]byte(`{"iss":"signs","sub":"signs","aud":`+value+"}"))+".AAAA")
	}
	check("points", strings.Repeat(".", 64<<10))
}
