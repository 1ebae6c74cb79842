//go:build pkcs11 && cgo

package keys

import (
	"crypto/elliptic"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ThalesGroup/crypto11"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const softHSM, pin = "/usr/lib/softhsm/libsofthsm2.so", "hunter2"

// TestSoftHSM is one test since a process has one token store, and a token one state of login: that of the first session.
func TestSoftHSM(t *testing.T) {
	uri := softToken(t)
	t.Run("tokens that cannot be opened", func(t *testing.T) { testRefusedTokens(t, uri) })
	t.Run("a ring", func(t *testing.T) { testTokenRing(t, uri) })
}

// softToken makes a token of SoftHSM 2 with keys, in a directory of this test's own. scripts/pkcs11 installs it, and runs this
// with `-tags pkcs11`.
func softToken(t *testing.T) (uri func(object string) string) {
	t.Helper()
	directory := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	conf, secret := filepath.Join(directory, "softhsm2.conf"), filepath.Join(directory, "pin")
	must(os.WriteFile(conf, []byte("directories.tokendir = "+directory+"\nlog.level = ERROR\n"), 0o600))
	must(os.WriteFile(secret, []byte(pin+"\n"), 0o600))
	t.Setenv("SOFTHSM2_CONF", conf)
	if said, err := exec.CommandContext(t.Context(), "softhsm2-util", "--init-token", "--free", "--label", "regain", "--so-pin", "123456", "--pin", pin).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	token, err := crypto11.Configure(&crypto11.Config{Path: softHSM, TokenLabel: "regain", Pin: pin})
	must(err)
	for i, label := range []string{"ec one", "ec two", "twice", "twice"} {
		_, err := token.GenerateECDSAKeyPairWithLabel([]byte{1, byte(i)}, []byte(label), elliptic.P256())
		must(err)
	}
	_, err = token.GenerateECDSAKeyPairWithLabel([]byte{2}, []byte("p384"), elliptic.P384())
	must(err)
	_, err = token.GenerateRSAKeyPairWithLabel([]byte{3}, []byte("rsa"), 2048)
	must(err)
	must(token.Close())
	return func(object string) string {
		return fmt.Sprintf("pkcs11:token=regain;object=%s?module-path=%s&pin-source=file:%s", url.PathEscape(object), softHSM, secret)
	}
}

// A ring of keys in a token signs each algorithm, is certified, rotates in its file, and is read again; the file holds no
// private key.
func testTokenRing(t *testing.T, uri func(object string) string) {
	t.Helper()
	path, now := filepath.Join(t.TempDir(), "signing.pem"), time.Now()
	rotate := func(object string, alg jose.SignatureAlgorithm) error {
		key, err := NewTokenKey(uri(object))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = key.Close() })
		return RotateFile(path, Rotation{Algorithm: alg, New: key, Now: now, Announce: time.Hour, Overlap: time.Hour})
	}
	if err := errors.Join(rotate("ec one", jose.ES256), rotate("rsa", jose.RS256), CertifyFile(path, "recover.example.org", now)); err != nil {
		t.Fatal(err)
	}
	list, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	clock := now
	ring, err := NewRing(list, func() time.Time { return clock })
	if err != nil {
		t.Fatal(err)
	}
	verified := func(alg jose.SignatureAlgorithm) string {
		t.Helper()
		token, err := ring.MintWith(alg, "recovery+jwt", map[string]any{"iss": "me"})
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{alg})
		if err != nil {
			t.Fatal(err)
		}
		var claims map[string]any
		if err := parsed.Claims(ring.Public(parsed.Headers[0].KeyID)[0].Key, &claims); err != nil || claims["iss"] != "me" {
			t.Errorf("%s: %v", alg, err)
		}
		return parsed.Headers[0].KeyID
	}
	first := verified(jose.ES256)
	if verified(jose.RS256) != verified(jose.PS256) {
		t.Error("RS256 and PS256 are not of one key")
	}
	if err := rotate("ec two", jose.ES256); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), "PRIVATE") || strings.Contains(string(text), pin) {
		t.Errorf("the ring holds a secret: %v", err)
	}
	if list, err = ReadFile(path); err != nil || len(list) != 3 {
		t.Fatalf("%d keys, %v", len(list), err)
	}
	if err := ring.Replace(list); err != nil {
		t.Fatal(err)
	}
	if verified(jose.ES256) != first {
		t.Error("the new key signs before it was announced for an hour")
	}
	clock = now.Add(2*time.Hour - time.Second)
	if second := verified(jose.ES256); second == first {
		t.Error("the new key does not sign")
	}
	for _, k := range ring.state.Load().keys { // the token's sessions end, as when its server is restarted
		if err := k.Private.(*TokenKey).Close(); err != nil {
			t.Fatal(err)
		}
	}
	verified(jose.ES256)
	verified(jose.PS256)
	t.Cleanup(func() {
		for _, k := range ring.state.Load().keys {
			_ = k.Private.(*TokenKey).Close()
		}
	})
}

// Each row breaks one thing of an URI whose key signs, and is told why.
func testRefusedTokens(t *testing.T, uri func(object string) string) {
	t.Helper()
	wrong := filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(wrong, []byte("654321"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct{ uri, why string }{
		"as it is":      {uri("ec one"), ""},
		"by its id":     {strings.Replace(uri("ec one"), "object=ec%20one", "id=%01%00", 1), ""},
		"one of two":    {strings.Replace(uri("twice"), "object=", "id=%01%02;object=", 1), ""},
		"two of a name": {uri("twice"), "the token has 2 keys of that name: name one by its id too"},
		"no such key":   {uri("other"), "the token has no pair of a private and a public key of that name"},
		"another id":    {strings.Replace(uri("ec one"), "object=", "id=%09;object=", 1), "the token has no pair of"},
		"another token": {strings.Replace(uri("ec one"), "token=regain", "token=other", 1), "could not find PKCS#11 token"},
		"no module":     {strings.Replace(uri("ec one"), softHSM, "/nowhere.so", 1), "open the token: "},
		"a wrong PIN":   {uri("ec one")[:strings.Index(uri("ec one"), "file:")] + "file:" + wrong, "CKR_PIN_INCORRECT"},
		"no PIN":        {uri("ec one")[:strings.Index(uri("ec one"), "file:")] + "file:" + wrong + "x", "pin-source: open "},
		"another curve": {uri("p384"), "EC keys must be on P-256"},
	} {
		key, err := NewTokenKey(row.uri)
		if err != nil {
			t.Fatal(err)
		}
		_, err = NewRing([]Key{{Private: key}}, time.Now)
		if (err == nil) != (row.why == "") || err != nil && !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: got %v, want %q", name, err, row.why)
		}
		if err != nil && (strings.Contains(err.Error(), pin) || strings.Contains(err.Error(), "654321")) {
			t.Errorf("%s: quotes the PIN: %v", name, err)
		}
		if err := key.Close(); err != nil {
			t.Error(err)
		}
	}
}
