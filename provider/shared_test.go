package provider_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/conformance/people"
	"regain/internal/config"
	"regain/provider/keys"
)

// studio draws the people of all test environments of these tests, each picture once.
var studio = new(people.Studio)

// personOf returns a sample person, idOf the directory's id of that person's account.
func personOf(t *testing.T, id string) people.Person {
	t.Helper()
	person, ok := people.Find(id)
	if !ok {
		t.Fatalf("no sample person is called %s", id)
	}
	return person
}

func idOf(t *testing.T, id string) string {
	t.Helper()
	return personOf(t, id).AccountID
}

// camera takes the same selfie of a person each time, in the light that person takes selfies in.
type camera struct{ person people.Person }

func cameraOf(t *testing.T, id string) camera {
	t.Helper()
	return camera{personOf(t, id)}
}

func (c camera) Selfie(context.Context) ([]byte, error) {
	return studio.Selfie(c.person, people.Conditions{Light: c.person.Light, Seed: 1})
}

// ring is the text of a ring of an EC and an RSA key with certificates. Nothing changes it, so all test environments have the same.
var ring = sync.OnceValues(func() ([]byte, error) {
	list, err := keys.GenerateRing(rand.Reader, jose.ES256, jose.RS256)
	if err != nil {
		return nil, err
	}
	if list, err = keys.Certify(list, "regain.localhost", time.Now()); err != nil {
		return nil, err
	}
	return keys.EncodeRing(list)
})

// certifiedRing writes the ring for a test environment to read.
func certifiedRing(t *testing.T) config.Secret {
	t.Helper()
	text, err := ring()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ring.pem")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Secret{File: path}
}

// tenantKey signs the hints of every Entra tenant.
var tenantKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
