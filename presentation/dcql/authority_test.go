package dcql_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"slices"
	"testing"
	"time"

	"regain/internal/publickey/publickeytest"
	"regain/presentation/dcql"
)

func TestAuthorityKeyIDs(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	certificate := func(authority []byte) []byte {
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), AuthorityKeyId: authority}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	giant := publickeytest.Certificate(t, publickeytest.RSA(65_536, 65537)) // of an authority that has an identifier
	chain := [][]byte{certificate([]byte{1, 2, 3}), certificate(nil), []byte("no certificate"), certificate([]byte{0xfb, 0xff}), giant}
	if got := dcql.AuthorityKeyIDs(chain); !slices.Equal(got, []string{"AQID", "-_8"}) {
		t.Errorf("AuthorityKeyIDs = %v", got)
	}
	if got := dcql.AuthorityKeyIDs(nil); got != nil {
		t.Errorf("of no chain: %v, want nil", got)
	}
	if got := dcql.AuthorityKeyIDs(chain[1:2]); got == nil || len(got) != 0 {
		t.Errorf("of a chain without identifiers: %v, want it known that there are none", got)
	}
}

// What cannot be looked at is not known, and is told so; one authority that fits is enough.
func TestAuthorityNotes(t *testing.T) {
	key := func(v string) dcql.TrustedAuthority {
		return dcql.TrustedAuthority{Type: dcql.AuthorityKey, Values: []string{v}}
	}
	list := dcql.TrustedAuthority{Type: dcql.AuthorityETSI, Values: []string{"https://list.example.org"}}
	federation := dcql.TrustedAuthority{Type: dcql.AuthorityFederation, Values: []string{"https://anchor.example.org"}}
	for _, row := range []struct {
		named []dcql.TrustedAuthority
		known []string
		found string // empty: there is no note
	}{
		{nil, nil, ""},
		{[]dcql.TrustedAuthority{key("AQID")}, []string{"AAAA", "AQID"}, ""},
		{[]dcql.TrustedAuthority{key("AQID")}, []string{"AAAA"}, "another"},
		{[]dcql.TrustedAuthority{key("AQID"), key("AAAA")}, []string{"AAAA"}, ""},
		{[]dcql.TrustedAuthority{key("AQID")}, nil, "not known"},
		{[]dcql.TrustedAuthority{list}, []string{"https://list.example.org"}, "not known"},
		{[]dcql.TrustedAuthority{federation}, []string{"AAAA"}, "not known"},
		{[]dcql.TrustedAuthority{key("AQID"), list}, []string{"AAAA"}, "not known"},
		{[]dcql.TrustedAuthority{list, key("AQID")}, []string{"AQID"}, ""},
	} {
		c := dcql.Credential{ID: "a", Format: dcql.FormatSDJWT, Meta: &dcql.Meta{VCTValues: []string{"urn:a"}}, TrustedAuthorities: row.named}
		p := dcql.Presentation{CredentialFormat: dcql.FormatSDJWT, Types: []string{"urn:a"}, HolderBound: true, AuthorityKeyIDs: row.known}
		e, err := dcql.Query{Credentials: []dcql.Credential{c}}.Evaluate(answer{"a": {p}})
		if err != nil {
			t.Fatal(err)
		}
		found := ""
		for _, note := range e.Credentials[0].Presentations[0].Notes {
			found += note.Found
		}
		if found != row.found {
			t.Errorf("%v of %v: %q, want %q", row.named, row.known, found, row.found)
		}
	}
}
