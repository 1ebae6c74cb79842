package dpop_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"testing"
	"time"

	"regain/conformance/jose"
	"regain/conformance/proofing/dpop"
)

const endpoint = "https://proofing.example/credential"

// bench is a checker, and a wallet with a key.
type bench struct {
	*dpop.Checker
	t   testing.TB
	now time.Time
	key *ecdsa.PrivateKey
}

func setUp(t testing.TB) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC), key: newKey(t)}
	var err error
	if b.Checker, err = dpop.New(rand.Reader, func() time.Time { return b.now }); err != nil {
		t.Fatal(err)
	}
	return b
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// proof is a good proof with some claims changed; nil leaves a claim out.
func (b *bench) proof(change map[string]any) string {
	b.t.Helper()
	return b.sign(map[string]any{"typ": "dpop+jwt", "jwk": jose.JWK{Key: b.key.Public()}}, change)
}

func (b *bench) sign(options map[string]any, change map[string]any) string {
	b.t.Helper()
	nonce, err := b.Nonce()
	if err != nil {
		b.t.Fatal(err)
	}
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	claims := map[string]any{
		"jti": base64.RawURLEncoding.EncodeToString(id), "htm": "POST", "htu": endpoint, "iat": b.now.Unix(), "nonce": nonce, "ath": digest("token"),
	}
	maps.Copy(claims, change)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	compact, err := jose.Sign(b.key, options, claims)
	if err != nil {
		b.t.Fatal(err)
	}
	return compact
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func show(proofs ...string) http.Header { return http.Header{"Dpop": proofs} }

func request() dpop.Request {
	return dpop.Request{Method: "POST", URL: endpoint, AccessToken: "token"}
}

func TestAProofWorksOnce(t *testing.T) {
	b := setUp(t)
	want, err := dpop.Thumbprint(jose.JWK{Key: b.key.Public()})
	if err != nil {
		t.Fatal(err)
	}
	proof := b.proof(nil)
	if got, err := b.Check(show(proof), request()); err != nil || got != want {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := b.Check(show(proof), request()); !errors.Is(err, dpop.ErrProof) {
		t.Errorf("the second time: %v", err)
	}
	if _, err := b.Check(show(b.proof(map[string]any{"htu": endpoint + "?a=b#c"})), request()); err != nil {
		t.Errorf("htu with a query and a fragment: %v", err)
	}
	if _, err := b.Check(show(b.proof(map[string]any{"ath": nil})), dpop.Request{Method: "POST", URL: endpoint}); err != nil {
		t.Errorf("without a token: %v", err)
	}
}

// Each row starts from a good proof and breaks one thing.
func TestProofsThatAreRefused(t *testing.T) {
	b := setUp(t)
	other, err := setUp(t).Nonce()
	if err != nil {
		t.Fatal(err)
	}
	public := jose.JWK{Key: b.key.Public()}
	for name, row := range map[string]struct {
		header http.Header
		err    error
	}{
		"none":            {show(), dpop.ErrProof},
		"two":             {show(b.proof(nil), b.proof(nil)), dpop.ErrProof},
		"not a JWT":       {show("x"), dpop.ErrProof},
		"another typ":     {show(b.sign(map[string]any{"typ": "JWT", "jwk": public}, nil)), dpop.ErrProof},
		"no key":          {show(b.sign(map[string]any{"typ": "dpop+jwt"}, nil)), dpop.ErrProof},
		"another's key":   {show(b.sign(map[string]any{"typ": "dpop+jwt", "jwk": jose.JWK{Key: newKey(t).Public()}}, nil)), dpop.ErrProof},
		"a private key":   {show(b.sign(map[string]any{"typ": "dpop+jwt", "jwk": jose.JWK{Key: b.key}}, nil)), dpop.ErrProof},
		"no jti":          {show(b.proof(map[string]any{"jti": nil})), dpop.ErrProof},
		"another method":  {show(b.proof(map[string]any{"htm": "GET"})), dpop.ErrProof},
		"another URL":     {show(b.proof(map[string]any{"htu": "https://other.example/credential"})), dpop.ErrProof},
		"no URL":          {show(b.proof(map[string]any{"htu": nil})), dpop.ErrProof},
		"a broken URL":    {show(b.proof(map[string]any{"htu": "%"})), dpop.ErrProof},
		"no iat":          {show(b.proof(map[string]any{"iat": nil})), dpop.ErrProof},
		"iat as text":     {show(b.proof(map[string]any{"iat": "now"})), dpop.ErrProof},
		"long ago":        {show(b.proof(map[string]any{"iat": b.now.Add(-2 * time.Minute).Unix()})), dpop.ErrProof},
		"ahead":           {show(b.proof(map[string]any{"iat": b.now.Add(2 * time.Minute).Unix()})), dpop.ErrProof},
		"no token":        {show(b.proof(map[string]any{"ath": nil})), dpop.ErrProof},
		"another token":   {show(b.proof(map[string]any{"ath": digest("other")})), dpop.ErrProof},
		"no nonce":        {show(b.proof(map[string]any{"nonce": nil})), dpop.ErrNonce},
		"a made-up nonce": {show(b.proof(map[string]any{"nonce": "x"})), dpop.ErrNonce},
		"another's nonce": {show(b.proof(map[string]any{"nonce": other})), dpop.ErrNonce},
	} {
		if _, err := b.Check(row.header, request()); !errors.Is(err, row.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.Check(show(b.proof(nil)), dpop.Request{Method: "POST", URL: endpoint}); !errors.Is(err, dpop.ErrProof) {
		t.Errorf("ath where no token is: %v", err)
	}
}

// A refused proof uses nothing up, and another's key has jtis of its own.
func TestAStrangersProofUsesNothingUp(t *testing.T) {
	b := setUp(t)
	if _, err := b.Check(show(b.proof(map[string]any{"jti": "one", "htm": "GET"})), request()); err == nil {
		t.Fatal("accepted")
	}
	owner := b.key
	b.key = newKey(t)
	if _, err := b.Check(show(b.proof(map[string]any{"jti": "one"})), request()); err != nil {
		t.Fatal(err)
	}
	b.key = owner
	if _, err := b.Check(show(b.proof(map[string]any{"jti": "one"})), request()); err != nil {
		t.Errorf("the owner's own: %v", err)
	}
	b.now = b.now.Add(10 * time.Minute)
	if _, err := b.Check(show(b.proof(map[string]any{"jti": "one"})), request()); err != nil {
		t.Errorf("much later: %v", err)
	}
}

func TestPresent(t *testing.T) {
	if dpop.Present(http.Header{}) || !dpop.Present(show("")) {
		t.Error("a proof that is there has to be seen, even an empty one")
	}
}
