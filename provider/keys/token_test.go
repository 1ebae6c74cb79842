package keys

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const goodURI = "pkcs11:token=regain;object=signing-2026?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/regain/token.pin"

// modelToken is a token in memory: it fails when it is told to, and counts how often it was opened. It models no sessions
// and no PIN; the test against SoftHSM has these.
type modelToken struct {
	key    crypto.Signer
	opened int
	closed int
	away   error // when it is opened
	broken int   // signatures that fail
}

func (m *modelToken) open(tokenURI) (openedToken, error) {
	if m.away != nil {
		return nil, m.away
	}
	m.opened++
	return m, nil
}

func (m *modelToken) Public() crypto.PublicKey { return m.key.Public() }

func (m *modelToken) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if m.broken > 0 {
		m.broken--
		return nil, errors.New("session is gone")
	}
	return m.key.Sign(random, digest, opts)
}

func (m *modelToken) Close() error {
	m.closed++
	return nil
}

func tokenOf(t *testing.T, m *modelToken, uri string) *TokenKey {
	t.Helper()
	key, err := NewTokenKey(uri)
	if err != nil {
		t.Fatal(err)
	}
	key.open = m.open
	return key
}

// A key of a token signs as any other, in each of its algorithms, and its dates and its certificate are those of a ring.
func TestKeysOfTokensSign(t *testing.T) {
	ec, err := Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	wide, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	first, second := &modelToken{key: ec}, &modelToken{key: wide}
	list := []Key{{Private: tokenOf(t, first, goodURI)}, {Private: tokenOf(t, second, strings.Replace(goodURI, "2026", "rsa", 1))}}
	if list, err = Certify(list, "recover.example.org", time.Now()); err != nil {
		t.Fatal(err)
	}
	ring, err := NewRing(list, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, alg := range []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.PS256} {
		token, err := ring.MintWith(alg, "JWT", map[string]any{"iss": "me"})
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{alg})
		if err != nil {
			t.Fatal(err)
		}
		var claims map[string]any
		if err := parsed.Claims(ring.Public(parsed.Headers[0].KeyID)[0].Key, &claims); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
	text, err := EncodeRing(list)
	if err != nil || bytes.Contains(text, []byte("PRIVATE")) || bytes.Count(text, []byte("BEGIN PKCS11 URI")) != 2 {
		t.Errorf("%s, %v", text, err)
	}
	read, err := ParseRing(text)
	if err != nil || len(read) != 2 || read[0].Private.(*TokenKey).String() != goodURI || len(read[1].Certificates) != 1 {
		t.Errorf("read again: %v, %v", read, err)
	}
	if read[0].Private.(*TokenKey).PINFile() != "/etc/regain/token.pin" || first.opened != 1 {
		t.Errorf("the PIN is in %q; opened %d times", read[0].Private.(*TokenKey).PINFile(), first.opened)
	}
	// A ring that is read again goes on with the sessions that it has.
	if err := ring.Replace(read); err != nil || first.opened != 1 {
		t.Errorf("read again: opened %d times, %v", first.opened, err)
	}
}

// A token that fails is opened again, and asked once more; while it is away nothing is signed, and it is said why.
func TestATokenThatFails(t *testing.T) {
	ec, err := Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	m := &modelToken{key: ec}
	key := tokenOf(t, m, goodURI)
	ring, err := NewRing([]Key{{Private: key}}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	mint := func() error {
		_, err := ring.Mint("JWT", map[string]any{})
		return err
	}
	m.broken = 1
	if err := mint(); err != nil || m.opened != 2 || m.closed != 1 {
		t.Errorf("after a session ended: %v, opened %d times, closed %d", err, m.opened, m.closed)
	}
	m.broken, m.away = 1, errors.New("no such module")
	if err := mint(); err == nil || !strings.Contains(err.Error(), `sign JWT: token of the signing key "signing-2026": no such module`) {
		t.Errorf("while it is away: %v", err)
	}
	m.away = nil
	if err := mint(); err != nil {
		t.Errorf("when it is back: %v", err)
	}
	m.broken = 2
	if err := mint(); err == nil || !strings.Contains(err.Error(), "session is gone") {
		t.Errorf("one that never signs: %v", err)
	}
	if m.key, err = Generate(rand.Reader); err != nil {
		t.Fatal(err)
	}
	if err := mint(); err == nil || !strings.Contains(err.Error(), "holds another key of that name now") {
		t.Errorf("another key under its name: %v", err)
	}
	m.key = ec
	if err := errors.Join(mint(), key.Close(), key.Close(), mint()); err != nil {
		t.Errorf("closed and used again: %v", err)
	}
}

// Keys of a token that nothing signs with are refused as others are.
func TestKeysOfTokensThatAreRefused(t *testing.T) {
	good, err := Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		token modelToken
		why   string
	}{
		"P-256":     {modelToken{key: good}, ""},
		"P-384":     {modelToken{key: p384}, "EC keys must be on P-256"},
		"1024 bits": {modelToken{key: weak}, "RSA keys must have 2048 bits at least"},
		"Ed25519":   {modelToken{key: edwards}, "a token's ed25519.PublicKey cannot be used"},
		"away":      {modelToken{key: good, away: errors.New("wrong PIN")}, `token of the signing key "signing-2026": wrong PIN`},
	} {
		_, err := NewRing([]Key{{Private: tokenOf(t, &row.token, goodURI)}}, time.Now)
		if (err == nil) != (row.why == "") || err != nil && !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: got %v, want %q", name, err, row.why)
		}
	}
}

// Each row breaks one thing of an URI that is accepted; no message quotes a PIN.
func TestTokenURIs(t *testing.T) {
	const pin = "hunter2"
	with := func(old, fresh string) string { return strings.Replace(goodURI, old, fresh, 1) }
	for name, row := range map[string]struct{ uri, why string }{
		"as it is":             {goodURI, ""},
		"by serial and id":     {with("token=regain;object=signing-2026", "serial=0a1b;id=%01%ff"), ""},
		"by slot":              {with("token=regain", "slot-id=7;type=private"), ""},
		"a PIN in a variable":  {with("file:/etc/regain/token.pin", "env:TOKEN_PIN"), ""},
		"a whole file URI":     {with("file:/etc", "file:///etc"), ""},
		"another scheme":       {with("pkcs11:", "pkcs12:"), "is no pkcs11 URI (RFC 7512), such as"},
		"far too long":         {goodURI + strings.Repeat("x", 5000), "is no pkcs11 URI"},
		"the PIN itself":       {with("pin-source=file:/etc/regain/token.pin", "pin-value="+pin), "pin-value of the pkcs11 URI is the PIN itself"},
		"no PIN":               {with("&pin-source=file:/etc/regain/token.pin", ""), "say where the PIN is"},
		"a PIN of a command":   {with("file:/etc/regain/token.pin", "|"+pin), "say where the PIN is"},
		"a path from here":     {with("file:/etc", "file:etc"), "say where the PIN is"},
		"no module":            {with("module-path=/usr/lib/softhsm/libsofthsm2.so&", ""), "name the token's module by its whole path"},
		"a module from here":   {with("/usr/lib/softhsm/", ""), "name the token's module by its whole path"},
		"a module by name":     {with("module-path=/usr/lib/softhsm/libsofthsm2.so", "module-name=softhsm2"), `attribute "module-name" of the pkcs11 URI is not known`},
		"no token":             {with("token=regain;", ""), "name the token by one of token, serial and slot-id"},
		"two ways to name it":  {with("token=regain", "token=regain;serial=1"), "name the token by one of"},
		"no key":               {with(";object=signing-2026", ""), "name the key by object, its label, or by id"},
		"twice":                {with("token=regain", "token=regain;token=other"), `attribute "token" of the pkcs11 URI: is there twice`},
		"an empty attribute":   {with("regain;", ";"), `attribute "token" of the pkcs11 URI: has no value`},
		"half an escape":       {with("regain;", "regain%2;"), "has no value, or one that is not percent-encoded"},
		"a NUL":                {with("regain;", "regain%00;"), "has no value, or one that"},
		"an unknown attribute": {with("token=regain", "token=regain;"+pin+"=1"), "of the pkcs11 URI is not known"},
		"a public key":         {with("object", "type=public;object"), "a private key is needed"},
		"a slot of letters":    {with("token=regain", "slot-id="+pin), "slot-id of the pkcs11 URI: is no number"},
		"a slot below zero":    {with("token=regain", "slot-id=-1"), "slot-id of the pkcs11 URI: is no number"},
	} {
		_, err := NewTokenKey(row.uri)
		if (err == nil) != (row.why == "") || err != nil && !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: got %v, want %q", name, err, row.why)
		}
		if err != nil && strings.Contains(err.Error(), pin) && name != "an unknown attribute" {
			t.Errorf("%s: quotes the PIN: %v", name, err)
		}
	}
	if _, err := ParseRing([]byte("-----BEGIN PKCS11 URI-----\naGVsbG8=\n-----END PKCS11 URI-----\n")); err == nil || !strings.Contains(err.Error(), "key 1: is no pkcs11 URI") {
		t.Errorf("in a ring: %v", err)
	}
}

// FuzzTokenURI: what is accepted names one module, one token, one key and one place of the PIN, and is kept as it was written.
func FuzzTokenURI(f *testing.F) {
	f.Add(goodURI)
	f.Add("pkcs11:slot-id=1;id=%00?module-path=/m&pin-source=env:P")
	f.Add("pkcs11:?&;=%")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := parseTokenURI(text)
		if err != nil {
			return
		}
		if !filepath.IsAbs(u.module) || u.object == "" && u.id == "" || (u.pinFile() == "") == (u.pinVariable() == "") || u.text != text {
			t.Fatalf("accepted: %+v", u)
		}
		ring, err := EncodeRing([]Key{{Private: &TokenKey{uri: u}}})
		if err != nil {
			t.Fatal(err)
		}
		read, err := ParseRing(ring)
		if err != nil || read[0].Private.(*TokenKey).String() != text {
			t.Fatalf("written and read: %v", err)
		}
	})
}

// The PIN is read when the token is opened; each row breaks one thing of a file that can be read.
func TestPINs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pin")
	read := func(source string) (string, error) { return tokenURI{pin: source}.readPIN() }
	write := func(text string, mode os.FileMode) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
	}
	write("1234\n", 0o600)
	t.Setenv("TOKEN_PIN", "5678")
	for source, want := range map[string]string{"file:" + path: "1234", "file://" + path: "1234", path: "1234", "env:TOKEN_PIN": "5678"} {
		if pin, err := read(source); err != nil || pin != want {
			t.Errorf("%s: %q, %v", source, pin, err)
		}
	}
	if _, err := read("env:TOKEN_PIN_UNSET"); err == nil || !strings.Contains(err.Error(), "the variable is empty or not set") {
		t.Errorf("no variable: %v", err)
	}
	if _, err := read("file:" + path + "x"); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "name a file that holds the PIN") {
		t.Errorf("no file: %v", err)
	}
	write("1234", 0o660)
	if _, err := read(path); err == nil || !strings.Contains(err.Error(), "others than its owner can write "+path) || strings.Contains(err.Error(), "1234") {
		t.Errorf("one that others can write: %v", err)
	}
	write(" ", 0o600)
	if _, err := read(path); err == nil || !strings.Contains(err.Error(), "is empty: put the PIN into it") {
		t.Errorf("an empty file: %v", err)
	}
}
