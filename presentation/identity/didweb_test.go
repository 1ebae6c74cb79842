package identity_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"regain/presentation/identity"
)

// A did:web is ours if its document is fetched from below the issuer: from the host alone, or from the path.
func TestWhoseDIDWeb(t *testing.T) {
	for _, row := range []struct {
		did, issuer string
		ours        bool
	}{
		{"did:web:host.example", "https://host.example", true},
		{"did:web:host.example%3A8443", "https://host.example:8443", true},
		{"did:web:host.example:regain", "https://host.example/regain", true},
		{"did:web:host.example%3A8443:id:regain", "https://host.example:8443/id/regain", true},
		{"did:web:host.example", "https://host.example/regain", false}, // somebody else's: its document is at the origin
		{"did:web:host.example:regain", "https://host.example", false},
		{"did:web:host.example:regain:x", "https://host.example/regain", false},
		{"did:web:other.example:regain", "https://host.example/regain", false},
		{"did:web:", "", false},
	} {
		if got := (identity.Web{DID: row.did, Origin: row.issuer}).IsOurs(); got != row.ours {
			t.Errorf("%s at %s: %t", row.did, row.issuer, got)
		}
	}
}

// The linked domain of an issuer with a path is its origin: domains have no paths (DIF Well Known DID Configuration).
func TestLinkedDomainOfAPath(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	web := identity.Web{DID: "did:web:host.example:regain", KeyID: "1", Origin: "https://host.example/regain", Key: key}
	document, err := web.Document()
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		ID      string `json:"id"`
		Service []struct {
			Endpoint struct {
				Origins []string `json:"origins"`
			} `json:"serviceEndpoint"`
		} `json:"service"`
	}
	if err := json.Unmarshal(document, &read); err != nil || read.ID != web.DID || len(read.Service) != 1 || len(read.Service[0].Endpoint.Origins) != 1 || read.Service[0].Endpoint.Origins[0] != "https://host.example/" {
		t.Errorf("%s, %v", document, err)
	}
	if linked, err := web.Configuration(time.Now()); err != nil || !strings.Contains(string(linked), "linked_dids") {
		t.Errorf("%s, %v", linked, err)
	}
	web.Origin = "https://host.example"
	if _, err := web.Document(); err == nil || !strings.Contains(err.Error(), "its document would be fetched from another address than below https://host.example") {
		t.Errorf("another's: %v", err)
	}
}
