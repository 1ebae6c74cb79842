package identity_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"regain/presentation/identity"
)

func web(t fatal) identity.Web {
	return identity.Web{DID: "did:web:recover.example.org", KeyID: "key-1", Origin: "https://recover.example.org", Key: hsm{newKey(t)}}
}

// TestWebIsOurs holds that we make documents of no DID but the one that wallets look up at our own host.
func TestWebIsOurs(t *testing.T) {
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	must(t, edwards, err)
	const other = "its document would be fetched from another address than below"
	for name, row := range map[string]struct {
		did, origin string
		key         crypto.Signer
		why         string
	}{
		"in order":       {"did:web:recover.example.org", "https://recover.example.org", newKey(t), ""},
		"with a port":    {"did:web:localhost%3A8400", "http://localhost:8400", newKey(t), ""},
		"another host":   {"did:web:other.example.org", "https://recover.example.org", newKey(t), other},
		"a path":         {"did:web:recover.example.org:verifier", "https://recover.example.org", newKey(t), other},
		"a port of ours": {"did:web:recover.example.org", "https://recover.example.org:8443", newKey(t), other},
		"another method": {"did:jwk:recover.example.org", "https://recover.example.org", newKey(t), other},
		"no origin":      {"did:web:", "", newKey(t), other},
		"no URL":         {"did:web:recover.example.org", "://recover.example.org", newKey(t), other},
		"no key":         {"did:web:recover.example.org", "https://recover.example.org", nil, "there is no key"},
		"another key":    {"did:web:recover.example.org", "https://recover.example.org", edwards, "its key is not on P-256"},
	} {
		w := identity.Web{DID: row.did, KeyID: "key-1", Origin: row.origin, Key: row.key}
		if ours := w.IsOurs(); ours != (row.why != other) {
			t.Errorf("%s: ours %t", name, ours)
		}
		for what, make := range map[string]func() ([]byte, error){"document": w.Document, "configuration": func() ([]byte, error) { return w.Configuration(noon) }} {
			made, err := make()
			if row.why == "" && (err != nil || len(made) == 0) || row.why != "" && (err == nil || !strings.Contains(err.Error(), row.why) || made != nil) {
				t.Errorf("%s, %s: %s, %v", name, what, made, err)
			}
		}
	}
}

// TestWebDocuments reads what wallets fetch as they do: the key under both purposes, and a Domain Linkage Credential that
// it signed, for our origin and thirty days.
func TestWebDocuments(t *testing.T) {
	w := web(t)
	raw, err := w.Document()
	must(t, raw, err)
	var document struct {
		ID                 string
		VerificationMethod []struct {
			ID, Type, Controller string
			PublicKeyJwk         jose.JSONWebKey
		}
		Authentication, AssertionMethod []string
		Service                         []struct {
			Type            string
			ServiceEndpoint struct{ Origins []string }
		}
	}
	must(t, document, json.Unmarshal(raw, &document))
	const method = "did:web:recover.example.org#key-1"
	if document.ID != w.DID || len(document.VerificationMethod) != 1 || document.VerificationMethod[0].ID != method || document.VerificationMethod[0].Controller != w.DID ||
		document.Authentication[0] != method || document.AssertionMethod[0] != method || document.Service[0].ServiceEndpoint.Origins[0] != w.Origin+"/" {
		t.Errorf("%s", raw)
	}
	raw, err = w.Configuration(noon)
	must(t, raw, err)
	var configuration struct {
		Linked []string `json:"linked_dids"`
	}
	must(t, configuration, json.Unmarshal(raw, &configuration))
	signed, err := jose.ParseSignedCompact(configuration.Linked[0], []jose.SignatureAlgorithm{jose.ES256})
	must(t, signed, err)
	payload, err := signed.Verify(document.VerificationMethod[0].PublicKeyJwk)
	must(t, payload, err)
	var claims struct {
		Iss, Sub string
		Nbf, Exp int64
		VC       struct {
			ExpirationDate, IssuanceDate string
			CredentialSubject            struct{ ID, Origin string }
		}
	}
	must(t, claims, json.Unmarshal(payload, &claims))
	const life = 30 * 24 * time.Hour
	if claims.Iss != w.DID || claims.Sub != w.DID || claims.Nbf != noon.Unix() || claims.Exp != noon.Add(life).Unix() || claims.VC.CredentialSubject.ID != w.DID ||
		claims.VC.CredentialSubject.Origin != w.Origin+"/" || claims.VC.ExpirationDate != noon.Add(life).UTC().Format(time.RFC3339) || claims.VC.IssuanceDate != noon.UTC().Format(time.RFC3339) {
		t.Errorf("%s", payload)
	}
	if signed.Signatures[0].Protected.KeyID != method {
		t.Errorf("kid %s", signed.Signatures[0].Protected.KeyID)
	}
}
