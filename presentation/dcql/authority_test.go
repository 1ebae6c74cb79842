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
	chain := [][]byte{certificate([]byte{1, 2, 3}), certificate(nil), []byte("no certificate"), certificate([]byte{0xfb, 0xff})}
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
