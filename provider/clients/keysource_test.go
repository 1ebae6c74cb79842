package clients_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/internal/publickey/publickeytest"
	"regain/provider/clients"
)

// served is a set at every address, and what is there the next time.
type served struct {
	set, next jose.JSONWebKeySet
	renewed   int
	err       error
}

func (s *served) Keys(context.Context, string, string) (jose.JSONWebKeySet, error) {
	return s.set, s.err
}

func (s *served) Renew(context.Context, string) (jose.JSONWebKeySet, error) {
	s.renewed++
	s.set = s.next
	return s.set, s.err
}

func signed(t testing.TB, key *ecdsa.PrivateKey) *jwt.JSONWebToken {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(map[string]any{"sub": "x"}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func fresh(t testing.TB) (*ecdsa.PrivateKey, jose.JSONWebKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key, jose.JSONWebKey{Key: key.Public()}
}

func TestVerify(t *testing.T) {
	key, public := fresh(t)
	_, other := fresh(t)
	down := errors.New("down")
	others := func(n int) []jose.JSONWebKey { return slices.Repeat([]jose.JSONWebKey{other}, n) }
	set := func(keys ...jose.JSONWebKey) jose.JSONWebKeySet { return jose.JSONWebKeySet{Keys: keys} }
	for name, row := range map[string]struct {
		client  clients.Client
		remote  served
		want    error
		renewed int
	}{
		"registered":             {clients.Client{Keys: set(other, public)}, served{}, nil, 0},
		"registered, another's":  {clients.Client{Keys: set(other)}, served{next: set(public)}, clients.ErrNoKey, 0},
		"the eighth":             {clients.Client{Keys: set(append(others(7), public)...)}, served{}, nil, 0},
		"the ninth":              {clients.Client{Keys: set(append(others(8), public)...)}, served{}, clients.ErrNoKey, 0},
		"published":              {clients.Client{JWKSURI: "x"}, served{set: set(public)}, nil, 0},
		"published just now":     {clients.Client{JWKSURI: "x"}, served{set: set(other), next: set(public)}, nil, 1},
		"published, another's":   {clients.Client{JWKSURI: "x"}, served{set: set(other), next: set(other)}, clients.ErrNoKey, 1},
		"published, and down":    {clients.Client{JWKSURI: "x"}, served{err: down}, down, 0},
		"only to encrypt to":     {clients.Client{Keys: set(jose.JSONWebKey{Key: public.Key, Use: "enc"})}, served{}, clients.ErrNoKey, 0},
		"for another algorithm":  {clients.Client{Keys: set(jose.JSONWebKey{Key: public.Key, Algorithm: "ES384"})}, served{}, clients.ErrNoKey, 0},
		"nothing is there":       {clients.Client{}, served{}, clients.ErrNoKey, 0},
		"nothing is there, ever": {clients.Client{JWKSURI: "x"}, served{}, clients.ErrNoKey, 1},
	} {
		source, err := clients.NewKeySource(&row.remote)
		if err != nil {
			t.Fatal(err)
		}
		if err := source.Verify(t.Context(), signed(t, key), &row.client); !errors.Is(err, row.want) || row.remote.renewed != row.renewed {
			t.Errorf("%s: got %v after %d renewals, want %v after %d", name, err, row.remote.renewed, row.want, row.renewed)
		}
	}
	if _, err := clients.NewKeySource(nil); err == nil {
		t.Error("made without remote keys")
	}
}

// Of keys to encrypt to, the one is found that can be: wherever it stands.
func TestEncryptionKey(t *testing.T) {
	_, public := fresh(t)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := jose.JSONWebKey{Key: public.Key, KeyID: "good", Use: "enc"}
	named := jose.JSONWebKey{Key: public.Key, KeyID: "good", Use: "enc", Algorithm: "ECDH-ES"}
	source, err := clients.NewKeySource(&served{})
	if err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string]jose.JSONWebKey{
		"RSA":                   {Key: publickeytest.RSA(2048, 65537), Use: "enc"},
		"P-384":                 {Key: p384.Public(), Use: "enc"},
		"for another algorithm": {Key: public.Key, Use: "enc", Algorithm: "ECDH-ES+A256KW"},
		"to verify with":        {Key: public.Key, Use: "sig"},
		"of no use":             {Key: public.Key},
		"nothing":               {Use: "enc"},
	} {
		for _, wanted := range []jose.JSONWebKey{good, named} {
			client := &clients.Client{Keys: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{other, wanted}}}
			if key, err := source.EncryptionKey(t.Context(), client); err != nil || key.KeyID != "good" {
				t.Errorf("%s before it: got %q, %v", name, key.KeyID, err)
			}
		}
		client := &clients.Client{Keys: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{other}}}
		if _, err := source.EncryptionKey(t.Context(), client); !errors.Is(err, clients.ErrNoKey) {
			t.Errorf("%s alone: got %v", name, err)
		}
	}
}

// BenchmarkWorstSet is the most that a JWT costs which names no key, of a client with the worst keys there may be.
func BenchmarkWorstSet(b *testing.B) {
	worst := jose.JSONWebKey{Key: publickeytest.RSA(8192, math.MaxInt32)}
	client := &clients.Client{Keys: jose.JSONWebKeySet{Keys: slices.Repeat([]jose.JSONWebKey{worst}, 64)}}
	source, err := clients.NewKeySource(&served{})
	if err != nil {
		b.Fatal(err)
	}
	const header, payload = "eyJhbGciOiJQUzI1NiJ9", "e30"
	signature := make([]byte, 1024)
	signature[1023] = 2
	token, err := jwt.ParseSigned(header+"."+payload+"."+base64.RawURLEncoding.EncodeToString(signature), []jose.SignatureAlgorithm{jose.PS256})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := source.Verify(b.Context(), token, client); !errors.Is(err, clients.ErrNoKey) {
			b.Fatal(err)
		}
	}
}
