package dpop_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"regain/provider/dpop"
	"regain/storage"
	"regain/storage/memory"
)

// The last second on each side of a limit is good, and the one after it is not (RFC 9449 §11.1).
func TestTimesOfProofs(t *testing.T) {
	b := setUp(t)
	for _, row := range []struct {
		claim string
		from  time.Duration // from now
		why   string        // it is refused; "" where it is not
	}{
		{"iat", -time.Minute, ""}, {"iat", -time.Minute - time.Second, "iat is more than 1m0s away"},
		{"iat", time.Minute, ""}, {"iat", time.Minute + time.Second, "iat is more than 1m0s away"},
		{"nbf", time.Minute, ""}, {"nbf", time.Minute + time.Second, "nbf is in the future"}, {"nbf", -time.Hour, ""},
		{"exp", time.Second, ""}, {"exp", 0, "exp is past"}, {"exp", -time.Second, "exp is past"},
	} {
		_, err := b.check(b.sign(b.header(), with(b.claims(), row.claim, b.now.Add(row.from).Unix())), nil)
		if row.why == "" && err != nil || row.why != "" && (!errors.Is(err, dpop.ErrInvalid) || !strings.Contains(err.Error(), row.why)) {
			t.Errorf("%s %s from now: %v, want %q", row.claim, row.from, err, row.why)
		}
	}
}

// A used proof is remembered for as long as its iat is good, also where the sender's clock is ahead by all that is allowed.
func TestAProofIsRememberedToItsEnd(t *testing.T) {
	b := setUp(t)
	made := b.now.Add(time.Minute)
	proof := b.sign(b.header(), with(b.claims(), "iat", made.Unix()))
	if _, err := b.check(proof, nil); err != nil {
		t.Fatal(err)
	}
	for _, at := range []time.Time{b.now, made, made.Add(time.Minute)} {
		b.now = at
		if _, err := b.check(proof, nil); !errors.Is(err, dpop.ErrInvalid) || !strings.Contains(err.Error(), "jti was used before") {
			t.Errorf("%s after its iat: %v", at.Sub(made), err)
		}
	}
	if until := b.recorded(made); !until.Equal(made.Add(2 * time.Minute)) {
		t.Errorf("remembered until %s after its iat", until.Sub(made))
	}
	b.now = made.Add(time.Minute + time.Second)
	if _, err := b.check(proof, nil); err == nil || !strings.Contains(err.Error(), "iat is more than") {
		t.Errorf("when it is over: %v", err)
	}
}

// recorded returns until when a proof made then is remembered.
func (b *bench) recorded(made time.Time) time.Time {
	b.t.Helper()
	var store expiries
	checker, err := dpop.New(dpop.Config{Store: &store, Clock: func() time.Time { return made }, Key: make([]byte, 32)})
	b.must(err)
	_, err = checker.Check(b.t.Context(), http.Header{"Dpop": {b.sign(b.header(), with(b.claims(), "iat", made.Unix()))}}, dpop.Expect{Method: http.MethodPost, URLs: []string{endpoint}})
	b.must(err)
	return store.last
}

// expiries is a store that keeps nothing but the end of what was created last.
type expiries struct {
	storage.Store
	last time.Time
}

func (e *expiries) Create(_ context.Context, r storage.Record) error {
	e.last = r.ExpiresAt
	return nil
}

// Whoever knows the jti of another's proof cannot use it up: it is recorded with the key.
func TestAJTIBelongsToItsKey(t *testing.T) {
	b, other := setUp(t), setUp(t)
	claims := b.claims()
	mine, theirs := b.sign(b.header(), claims), other.sign(other.header(), claims)
	if _, err := b.check(theirs, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := b.check(mine, nil); err != nil {
		t.Errorf("after another key's: %v", err)
	}
}

// A nonce is good in its window of two minutes and the next, and is this server's alone (RFC 9449 §8).
func TestWindowsOfNonces(t *testing.T) {
	b := setUp(t)
	var err error
	start := time.Unix(1_900_000_080, 0) // a window begins
	try := func(nonce string) error {
		_, err := b.check(b.sign(b.header(), with(b.claims(), "nonce", nonce)), func(e *dpop.Expect) { e.Nonce = true })
		return err
	}
	b.now = start
	nonce := b.Nonce()
	b.now = start.Add(2*time.Minute - time.Second)
	if b.Nonce() != nonce {
		t.Error("two nonces in one window")
	}
	for after, good := range map[time.Duration]bool{0: true, 2 * time.Minute: true, 4*time.Minute - time.Second: true, 4 * time.Minute: false, -time.Second: false} {
		b.now = start.Add(after)
		if err := try(nonce); (err == nil) != good || err != nil && !errors.Is(err, dpop.ErrNonce) {
			t.Errorf("%s after the window began: %v", after, err)
		}
	}
	b.now = start
	for _, key := range [][]byte{bytes.Repeat([]byte{4}, 32), make([]byte, 32)} {
		elsewhere, err := dpop.New(dpop.Config{Store: brokenStore{}, Clock: func() time.Time { return b.now }, Key: key})
		b.must(err)
		if err := try(elsewhere.Nonce()); !errors.Is(err, dpop.ErrNonce) {
			t.Errorf("the nonce of a server with another key: %v", err)
		}
	}
	// While keys rotate, nodes know each other's: the nonces of those that use another one first are good, and no others.
	for _, row := range []struct {
		key    byte
		others []byte
		good   bool
	}{{3, []byte{4}, true}, {4, []byte{3}, true}, {4, []byte{5, 3}, true}, {4, []byte{5}, false}} {
		cfg := dpop.Config{Store: b.store, Clock: func() time.Time { return b.now }, Key: bytes.Repeat([]byte{row.key}, 32)}
		for _, other := range row.others {
			cfg.Others = append(cfg.Others, bytes.Repeat([]byte{other}, 32))
		}
		ours := b.Checker
		b.Checker, err = dpop.New(cfg)
		b.must(err)
		if err := try(nonce); (err == nil) != row.good || err != nil && !errors.Is(err, dpop.ErrNonce) {
			t.Errorf("at a node that uses key %d and knows %v: %v", row.key, row.others, err)
		}
		b.Checker = ours
	}
	if _, err := dpop.New(dpop.Config{Store: b.store, Clock: time.Now, Key: make([]byte, 32), Others: [][]byte{make([]byte, 31)}}); err == nil || !strings.Contains(err.Error(), "every Key has 32 bytes") {
		t.Errorf("another key that is short: %v", err)
	}
	// The key makes other MACs too, of which a stranger may choose the text: none of them is a nonce.
	mac := hmac.New(sha256.New, bytes.Repeat([]byte{3}, 32))
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(start.Unix()/120))) //nolint:gosec // after 1970
	if err := try(base64.RawURLEncoding.EncodeToString(mac.Sum(nil))); !errors.Is(err, dpop.ErrNonce) {
		t.Errorf("a MAC of the window's number alone: %v", err)
	}
	b.now = start.Add(2 * time.Minute)
	if b.Nonce() == nonce {
		t.Error("one nonce in two windows")
	}
}

// Two URLs are one if scheme, host, port and path are (RFC 9449 §4.3, RFC 3986 §6.2.2 and §6.2.3).
func TestURLsOfProofs(t *testing.T) {
	b := setUp(t)
	for _, row := range []struct {
		published, htu string
		same           bool
	}{
		{endpoint, "https://recover.example.org:443/token", true},
		{endpoint, "https://recover.example.org:80/token", false},
		{endpoint, "https://recover.example.org:8443/token", false},
		{"http://127.0.0.1/token", "http://127.0.0.1:80/token", true},
		{"http://127.0.0.1/token", "http://127.0.0.1:443/token", false},
		{"https://recover.example.org", "https://recover.example.org/", true},
		{"https://recover.example.org", "https://recover.example.org//", false},
		{endpoint, "https:recover.example.org/token", false},
		{endpoint, "//recover.example.org/token", false},
		{endpoint, "/token", false},
		{endpoint, "https://recover.example.org/Token", false},
		{endpoint, "https://recover.example.org/%zz", false},
		{endpoint, "https://recover.example.org/a/../token", false},
		{endpoint, "https://recover.example.org/%2ftoken", false},
		{"/token", "/token", false}, // what names no server is nobody's
		{"https:token", "https:token", false},
		{"https://u@recover.example.org/token", "https://u@recover.example.org/token", false},
		{"https://u@recover.example.org/token", endpoint, false},
		{":", ":", false},
	} {
		_, err := b.check(b.sign(b.header(), with(b.claims(), "htu", row.htu)), func(e *dpop.Expect) { e.URLs = []string{row.published} })
		if (err == nil) != row.same || err != nil && !strings.Contains(err.Error(), "htu is not "+row.published) {
			t.Errorf("htu %s at %s: %v", row.htu, row.published, err)
		}
	}
}

// A proof ends at eight kilobytes and eight levels: more is not looked at.
func TestLimitsOfProofs(t *testing.T) {
	b := setUp(t)
	filled := func(length int) string {
		claims := b.claims()
		for fill := 0; ; fill++ {
			proof := b.sign(b.header(), with(claims, "fill", strings.Repeat("x", fill)))
			switch missing := length - len(proof); {
			case missing <= 0:
				return proof
			case missing > 4:
				fill += missing*3/4 - 3
			}
		}
	}
	if proof := filled(8 << 10); len(proof) != 8<<10 {
		t.Fatalf("%d octets", len(proof))
	} else if _, err := b.check(proof, nil); err != nil {
		t.Errorf("as long as may be: %v", err)
	}
	if _, err := b.check(filled(8<<10+1), nil); !errors.Is(err, dpop.ErrInvalid) || !strings.Contains(err.Error(), "is too long") {
		t.Errorf("longer: %v", err)
	}
	nested := func(levels int) map[string]any {
		object := map[string]any{}
		for range levels {
			object = map[string]any{"x": object}
		}
		return object
	}
	for _, part := range []string{"header", "claims"} {
		for levels, why := range map[int]string{6: "", 7: "nested too deep"} {
			header, claims := b.header(), b.claims()
			maps.Copy(map[string]map[string]any{"header": header, "claims": claims}[part], map[string]any{"deep": nested(levels)})
			_, err := b.check(b.sign(header, claims), nil)
			if why == "" && err != nil || why != "" && (!errors.Is(err, dpop.ErrInvalid) || !strings.Contains(err.Error(), why)) {
				t.Errorf("%s, %d levels: %v, want %q", part, levels, err, why)
			}
		}
	}
}

// What is not base64url, or no object, is refused before a key is looked at.
func TestMalformedProofs(t *testing.T) {
	b := setUp(t)
	good := strings.Split(b.sign(b.header(), b.claims()), ".")
	for name, row := range map[string]struct{ proof, why string }{
		"a header in base64":     {"e30=." + good[1] + "." + good[2], "is not base64url"},
		"claims in base64":       {good[0] + ".e30=." + good[2], "is not base64url"},
		"a header that is none":  {"W10." + good[1] + "." + good[2], "DPoP proof is invalid"},
		"claims that are none":   {good[0] + ".W10." + good[2], "DPoP proof is invalid"},
		"four parts":             {strings.Join(good, ".") + ".e30", "not a compact JWS"},
		"a jwk that is no key":   {b.sign(with(b.header(), "jwk", "x"), b.claims()), "header has no jwk"},
		"a typ that is no text":  {b.sign(with(b.header(), "typ", 7), b.claims()), "DPoP proof is invalid"},
		"no signature":           {good[0] + "." + good[1] + ".", "DPoP proof is invalid"},
		"a jwk without material": {b.sign(with(b.header(), "jwk", map[string]any{"kty": "EC", "crv": "P-256"}), b.claims()), "jwk: "},
	} {
		if _, err := b.check(row.proof, nil); !errors.Is(err, dpop.ErrInvalid) || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v, want %q", name, err, row.why)
		}
	}
	if _, err := b.Check(t.Context(), http.Header{}, dpop.Expect{Method: http.MethodPost, URLs: []string{endpoint}}); !errors.Is(err, dpop.ErrInvalid) || !strings.Contains(err.Error(), "one proof, not 0") {
		t.Errorf("no header: %v", err)
	}
	if dpop.Present(http.Header{}) || !dpop.Present(http.Header{"Dpop": {""}}) {
		t.Error("a proof is present where its header is, and nowhere else")
	}
}

// Nothing of a checker may be missing.
func TestNewNeedsEverything(t *testing.T) {
	store, err := memory.New(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	good := dpop.Config{Store: store, Clock: time.Now, Key: make([]byte, 32)}
	if _, err := dpop.New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*dpop.Config){
		"store": func(c *dpop.Config) { c.Store = nil }, "clock": func(c *dpop.Config) { c.Clock = nil }, "key": func(c *dpop.Config) { c.Key = nil },
		"a short key": func(c *dpop.Config) { c.Key = make([]byte, 31) }, "a long key": func(c *dpop.Config) { c.Key = make([]byte, 64) },
	} {
		cfg := good
		change(&cfg)
		if _, err := dpop.New(cfg); err == nil || !strings.Contains(err.Error(), "are required") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
