package dpop_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/publickey/publickeytest"
	"regain/provider/dpop"
	"regain/storage"
	"regain/storage/memory"
)

const endpoint = "https://recover.example.org/token"

type bench struct {
	*dpop.Checker
	store storage.Store
	t     *testing.T
	now   time.Time
	key   *ecdsa.PrivateKey
	n     int
}

func setUp(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Now().Truncate(time.Second)}
	clock := func() time.Time { return b.now }
	var err error
	b.store, err = memory.New(clock)
	b.must(err)
	b.Checker, err = dpop.New(dpop.Config{Store: b.store, Clock: clock, Key: bytes.Repeat([]byte{3}, 32)})
	b.must(err)
	b.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	b.must(err)
	return b
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// header and claims of a good proof.
func (b *bench) header() map[string]any {
	return map[string]any{"typ": "dpop+jwt", "alg": "ES256", "jwk": jose.JSONWebKey{Key: b.key.Public()}}
}

func (b *bench) claims() map[string]any {
	b.n++
	return map[string]any{"jti": fmt.Sprint("proof-", b.n), "htm": "POST", "htu": endpoint, "iat": b.now.Unix()}
}

// sign makes a JWS by hand: some headers here are ones that no library would write.
func (b *bench) sign(header, claims map[string]any) string {
	b.t.Helper()
	h, err := json.Marshal(header)
	b.must(err)
	c, err := json.Marshal(claims)
	b.must(err)
	return b.signText(string(h), string(c))
}

func (b *bench) signText(header, claims string) string {
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	sum := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, b.key, sum[:])
	b.must(err)
	var signature [64]byte
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return input + "." + base64.RawURLEncoding.EncodeToString(signature[:])
}

func (b *bench) check(text string, change func(*dpop.Expect)) (string, error) {
	e := dpop.Expect{Method: http.MethodPost, URLs: []string{endpoint}}
	if change != nil {
		change(&e)
	}
	return b.Check(b.t.Context(), http.Header{"Dpop": {text}}, e)
}

func with(object map[string]any, name string, value any) map[string]any {
	changed := maps.Clone(object)
	if changed[name] = value; value == nil {
		delete(changed, name)
	}
	return changed
}

func TestAGoodProof(t *testing.T) {
	b := setUp(t)
	sum, err := (&jose.JSONWebKey{Key: b.key.Public()}).Thumbprint(crypto.SHA256)
	b.must(err)
	want := base64.RawURLEncoding.EncodeToString(sum)
	for name, claims := range map[string]map[string]any{
		"plain":                 b.claims(),
		"iat 10 s ago":          with(b.claims(), "iat", b.now.Add(-10*time.Second).Unix()),
		"iat 10 s ahead":        with(b.claims(), "iat", b.now.Add(10*time.Second).Unix()),
		"with exp and nbf":      with(with(b.claims(), "exp", b.now.Add(time.Minute).Unix()), "nbf", b.now.Unix()),
		"with our nonce":        with(b.claims(), "nonce", b.Nonce()),
		"host in capitals":      with(b.claims(), "htu", "HTTPS://RECOVER.example.org:443/token"),
		"with query, fragment":  with(b.claims(), "htu", endpoint+"?a=b#c"),
		"of a long, allowed id": with(b.claims(), "jti", strings.Repeat("j", 256)),
	} {
		if got, err := b.check(b.sign(b.header(), claims), nil); err != nil || got != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := b.check(b.sign(b.header(), b.claims()), func(e *dpop.Expect) { e.Thumbprint = want }); err != nil {
		t.Errorf("the bound key: %v", err)
	}
}

func TestOtherKeys(t *testing.T) {
	b := setUp(t)
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	b.must(err)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	b.must(err)
	for alg, key := range map[jose.SignatureAlgorithm]crypto.Signer{jose.EdDSA: edwards, jose.PS256: rsaKey} {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"))
		b.must(err)
		claims, err := json.Marshal(b.claims())
		b.must(err)
		signed, err := signer.Sign(claims)
		b.must(err)
		text, err := signed.CompactSerialize()
		b.must(err)
		if _, err := b.check(text, nil); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
}

// A key is looked at before anything is calculated with it.
func TestKeysThatAreRefused(t *testing.T) {
	b := setUp(t)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	b.must(err)
	for name, row := range map[string]struct {
		jwk  any
		says string
	}{
		"16,384 bits": {publickeytest.JWK(publickeytest.RSA(16_384, 65537)), "n has 2731 characters; 1367 are the most"},
		"8193 bits":   {publickeytest.JWK(publickeytest.RSA(8193, 65537)), "an RSA modulus of 8193 bits"},
		"1024 bits":   {publickeytest.JWK(publickeytest.RSA(1024, 65537)), "an RSA modulus of 1024 bits; 2048 are the least"},
		"exponent 1":  {publickeytest.JWK(publickeytest.RSA(2048, 1)), "an RSA exponent"},
		"P-384":       {jose.JSONWebKey{Key: p384.Public()}, "a kind of key that is not used here"},
	} {
		proof := b.sign(with(with(b.header(), "alg", "PS256"), "jwk", row.jwk), b.claims())
		if _, err := b.check(proof, nil); !errors.Is(err, dpop.ErrInvalid) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: got %v, want it to say %q", name, err, row.says)
		}
	}
}

// One key is all that a proof has: a kind that is not understood is refused, and there is nothing to pass over.
func TestKeysOfOthersAreRefused(t *testing.T) {
	b := setUp(t)
	for name, jwk := range publickeytest.Foreign() {
		if _, certified := jwk["x5c"]; certified || name == "use no text" {
			continue // members that RFC 9449 §4.2 gives no meaning here
		}
		for _, alg := range []string{"ES256", "EdDSA", "PS256"} {
			proof := b.sign(with(with(b.header(), "alg", alg), "jwk", jwk), b.claims())
			if _, err := b.check(proof, nil); !errors.Is(err, dpop.ErrInvalid) || !strings.Contains(err.Error(), "jwk: ") {
				t.Errorf("%s as %s: %v", name, alg, err)
			}
		}
	}
}

// BenchmarkWorstProof is the most that a stranger's proof costs: go-jose takes moduli of 4096 bits at most in a header.
func BenchmarkWorstProof(b *testing.B) {
	store, err := memory.New(time.Now)
	if err != nil {
		b.Fatal(err)
	}
	checker, err := dpop.New(dpop.Config{Store: store, Clock: time.Now, Key: bytes.Repeat([]byte{3}, 32)})
	if err != nil {
		b.Fatal(err)
	}
	header, err := json.Marshal(map[string]any{"typ": "dpop+jwt", "alg": "PS256", "jwk": publickeytest.JWK(publickeytest.RSA(4096, math.MaxInt32))})
	if err != nil {
		b.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	proof := encode(header) + "." + encode([]byte(`{}`)) + "." + encode(append(make([]byte, 511), 2))
	for b.Loop() {
		if _, err := checker.Check(b.Context(), http.Header{"Dpop": {proof}}, dpop.Expect{Method: http.MethodPost, URLs: []string{endpoint}}); err == nil {
			b.Fatal("it is good")
		}
	}
}

func TestRefused(t *testing.T) {
	b := setUp(t)
	private := map[string]any{}
	text, err := json.Marshal(jose.JSONWebKey{Key: b.key})
	b.must(err)
	b.must(json.Unmarshal(text, &private))
	other := setUp(t)
	twice := func(member string) string {
		c, err := json.Marshal(b.claims())
		b.must(err)
		h, err := json.Marshal(b.header())
		b.must(err)
		return b.signText(string(h), strings.TrimSuffix(string(c), "}")+","+member+"}")
	}
	good := b.sign(b.header(), b.claims())
	for name, row := range map[string]struct{ proof, why string }{
		"empty":                 {"", "not a compact JWS"},
		"no JWS":                {"x", "not a compact JWS"},
		"two parts":             {"e30.e30", "not a compact JWS"},
		"too long":              {strings.Repeat("a", 9<<10), "is too long"},
		"signature":             {good[:len(good)-4] + "AAAA", "error in cryptographic primitive"},
		"typ":                   {b.sign(with(b.header(), "typ", "JWT"), b.claims()), "typ is \"JWT\""},
		"no typ":                {b.sign(with(b.header(), "typ", nil), b.claims()), "typ is \"\""},
		"alg none":              {b.sign(with(b.header(), "alg", "none"), b.claims()), "unexpected signature algorithm \"none\""},
		"alg HS256":             {b.sign(with(b.header(), "alg", "HS256"), b.claims()), "unexpected signature algorithm \"HS256\""},
		"alg of another key":    {b.sign(with(b.header(), "alg", "PS256"), b.claims()), "jwk does not fit PS256"},
		"no jwk":                {b.sign(with(b.header(), "jwk", nil), b.claims()), "header has no jwk"},
		"private jwk":           {b.sign(with(b.header(), "jwk", private), b.claims()), "a private key: it has the member d"},
		"another's jwk":         {b.sign(with(b.header(), "jwk", other.header()["jwk"]), b.claims()), "error in cryptographic primitive"},
		"symmetric jwk":         {b.sign(with(b.header(), "jwk", map[string]any{"kty": "oct", "k": "AAAA"}), b.claims()), "a private key: it has the member k"},
		"no jti":                {b.sign(b.header(), with(b.claims(), "jti", nil)), "jti is missing, or longer than 256"},
		"jti too long":          {b.sign(b.header(), with(b.claims(), "jti", strings.Repeat("j", 257))), "jti is missing, or longer than 256"},
		"jti a number":          {b.sign(b.header(), with(b.claims(), "jti", 1)), "cannot unmarshal number into Go value of type string"},
		"no htm":                {b.sign(b.header(), with(b.claims(), "htm", nil)), "htm is another method"},
		"htm":                   {b.sign(b.header(), with(b.claims(), "htm", "GET")), "htm is another method"},
		"htm in small letters":  {b.sign(b.header(), with(b.claims(), "htm", "post")), "htm is another method"},
		"no htu":                {b.sign(b.header(), with(b.claims(), "htu", nil)), "htu is not "},
		"htu of another path":   {b.sign(b.header(), with(b.claims(), "htu", endpoint+"/")), "htu is not "},
		"htu of another host":   {b.sign(b.header(), with(b.claims(), "htu", "https://evil.example/token")), "htu is not "},
		"htu of another scheme": {b.sign(b.header(), with(b.claims(), "htu", "http://recover.example.org/token")), "htu is not "},
		"htu with a user":       {b.sign(b.header(), with(b.claims(), "htu", "https://u@recover.example.org/token")), "htu is not "},
		"no iat":                {b.sign(b.header(), with(b.claims(), "iat", nil)), "iat is missing"},
		"iat a text":            {b.sign(b.header(), with(b.claims(), "iat", "now")), "expected number value"},
		"iat long ago":          {b.sign(b.header(), with(b.claims(), "iat", b.now.Add(-61*time.Second).Unix())), "iat is more than 1m0s away"},
		"iat far ahead":         {b.sign(b.header(), with(b.claims(), "iat", b.now.Add(61*time.Second).Unix())), "iat is more than 1m0s away"},
		"exp past":              {b.sign(b.header(), with(b.claims(), "exp", b.now.Unix())), "exp is past"},
		"nbf far ahead":         {b.sign(b.header(), with(b.claims(), "nbf", b.now.Add(time.Hour).Unix())), "nbf is in the future"},
		"a member twice":        {twice(`"htm":"POST"`), "a name stands twice"},
	} {
		if _, err := b.check(row.proof, nil); !errors.Is(err, dpop.ErrInvalid) || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, row := range map[string]struct {
		change func(*dpop.Expect)
		why    string
	}{
		"bound to another key": {func(e *dpop.Expect) { e.Thumbprint = "x" }, "another key is bound"},
		"no ath":               {func(e *dpop.Expect) { e.AccessToken = "token" }, "ath is not the access token's"},
	} {
		if _, err := b.check(b.sign(b.header(), b.claims()), row.change); !errors.Is(err, dpop.ErrInvalid) || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.Check(t.Context(), http.Header{"Dpop": {good, good}}, dpop.Expect{Method: "POST", URLs: []string{endpoint}}); !errors.Is(err, dpop.ErrInvalid) || !strings.Contains(err.Error(), "one proof, not 2") {
		t.Errorf("two headers: %v", err)
	}
	if _, err := b.check(good, nil); err != nil {
		t.Errorf("what was refused used up the good proof: %v", err)
	}
}

func TestNonces(t *testing.T) {
	b := setUp(t)
	nonce := b.Nonce()
	try := func(nonce any, required bool) error {
		_, err := b.check(b.sign(b.header(), with(b.claims(), "nonce", nonce)), func(e *dpop.Expect) { e.Nonce = required })
		return err
	}
	for name, err := range map[string]error{"none": try(nil, true), "another": try("x", true), "another, where none is required": try("x", false)} {
		if !errors.Is(err, dpop.ErrNonce) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.now = b.now.Add(2 * time.Minute)
	if err := try(nonce, true); err != nil {
		t.Errorf("the last nonce but one: %v", err)
	}
	b.now = b.now.Add(2 * time.Minute)
	if err := try(nonce, true); !errors.Is(err, dpop.ErrNonce) {
		t.Errorf("an old nonce: %v", err)
	}
}

// Of many uses of one proof at once, one passes.
func TestAProofWorksOnce(t *testing.T) {
	b := setUp(t)
	token := "an-access-token"
	sum := sha256.Sum256([]byte(token))
	text := b.sign(b.header(), with(b.claims(), "ath", base64.RawURLEncoding.EncodeToString(sum[:])))
	var passed atomic.Int32
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			_, err := b.check(text, func(e *dpop.Expect) { e.AccessToken = token })
			if err == nil {
				passed.Add(1)
			} else if !errors.Is(err, dpop.ErrInvalid) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if passed.Load() != 1 {
		t.Errorf("%d of 64 passed", passed.Load())
	}
}

type brokenStore struct{ storage.Store }

var errOut = errors.New("out of order")

func (brokenStore) Create(context.Context, storage.Record) error { return errOut }

// A store that does not answer lets nothing pass, and is no fault of the proof.
func TestOutage(t *testing.T) {
	b := setUp(t)
	var err error
	b.Checker, err = dpop.New(dpop.Config{Store: brokenStore{}, Clock: func() time.Time { return b.now }, Key: make([]byte, 32)})
	b.must(err)
	if _, err := b.check(b.sign(b.header(), b.claims()), nil); !errors.Is(err, errOut) || errors.Is(err, dpop.ErrInvalid) {
		t.Error(err)
	}
	if _, err := dpop.New(dpop.Config{}); err == nil {
		t.Error("made of nothing")
	}
}

// FuzzProof fuzzes header and claims of proofs whose signature is good, so that all checks are reached: what is accepted is
// a proof for this request, with the key whose thumbprint comes back, and works once.
func FuzzProof(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	now := time.Unix(1_900_000_000, 0)
	b := &bench{now: now, key: key}
	encode := func(object map[string]any) string {
		text, err := json.Marshal(object)
		if err != nil {
			f.Fatal(err)
		}
		return string(text)
	}
	sum, err := (&jose.JSONWebKey{Key: key.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		f.Fatal(err)
	}
	header, claims := encode(b.header()), encode(b.claims())
	f.Add(header, claims)
	f.Add(header, encode(with(b.claims(), "htu", "HTTPS://recover.example.org:443/token?x#y")))
	f.Add(header, encode(with(b.claims(), "iat", now.Add(time.Hour).Unix())))
	f.Add(encode(with(b.header(), "alg", "PS256")), claims)
	f.Add(encode(with(b.header(), "typ", "JWT")), claims)
	f.Add(`{"typ":"dpop+jwt","alg":"ES256","jwk":{}}`, `{}`)
	f.Fuzz(func(t *testing.T, header, claims string) {
		store, err := memory.New(func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		c, err := dpop.New(dpop.Config{Store: store, Clock: func() time.Time { return now }, Key: make([]byte, 32)})
		if err != nil {
			t.Fatal(err)
		}
		b := &bench{t: t, now: now, key: key}
		proof := http.Header{"Dpop": {b.signText(header, claims)}}
		expect := dpop.Expect{Method: http.MethodPost, URLs: []string{endpoint}}
		thumbprint, err := c.Check(t.Context(), proof, expect)
		if err != nil {
			if !errors.Is(err, dpop.ErrInvalid) && !errors.Is(err, dpop.ErrNonce) {
				t.Errorf("%s %s: %v", header, claims, err)
			}
			return
		}
		var said map[string]any
		if json.Unmarshal([]byte(claims), &said) != nil || said["htm"] != http.MethodPost || said["jti"] == "" || !strings.HasPrefix(strings.ToLower(fmt.Sprint(said["htu"])), "https://recover.example.org") {
			t.Errorf("%s %s is accepted", header, claims)
		}
		if thumbprint != base64.RawURLEncoding.EncodeToString(sum) {
			t.Errorf("%s: thumbprint %s", header, thumbprint)
		}
		if _, err := c.Check(t.Context(), proof, expect); !errors.Is(err, dpop.ErrInvalid) {
			t.Errorf("%s %s works twice: %v", header, claims, err)
		}
	})
}
