package openid

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/go-jose/go-jose/v4"

	"regain/provider/clients"
	"regain/provider/facetest"
	"regain/provider/keys"
	"regain/provider/oauth"
	"regain/recovery"
)

// brokenEncrypter fails when there is something to encrypt.
type brokenEncrypter struct{ jose.Encrypter }

func (brokenEncrypter) Encrypt([]byte) (*jose.JSONWebEncryption, error) {
	return nil, errors.New("no randomness")
}

// A pass whose recovery token cannot be made is revoked, and the audit log says so.
func TestAPassThatCannotBeHandedOutIsRevoked(t *testing.T) {
	for name, broken := range map[string]bool{"made": false, "not made": true} {
		e := facetest.New(t, nil)
		s := e.Start(t).Ask(t).Decide(t, nil)
		returned, err := e.Recovery.MarkReturned(t.Context(), s.Transaction, "code")
		if err != nil {
			t.Fatal(err)
		}
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		ring, err := keys.NewRing([]keys.Key{{Private: key}}, e.Clock)
		if err != nil {
			t.Fatal(err)
		}
		encrypter, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.ECDH_ES, Key: key.Public()}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if broken {
			encrypter = brokenEncrypter{encrypter}
		}
		c, _ := gin.CreateTestContext(httptest.NewRecorder())
		c.Request = httptest.NewRequest(http.MethodPost, "/token", nil)
		all := &tokens{issuer: facetest.Issuer, recovery: e.Recovery, ring: ring, clock: e.Clock}
		token, err := all.redeemRecovery(c, oauth.Redemption{Client: &clients.Client{ID: "idp"}, Transaction: string(returned.ID), CodeID: "code"}, encrypter)
		if (err != nil) != broken || (token == "") != broken {
			t.Errorf("%s: token %q, %v", name, token, err)
		}
		if (len(e.Passes.Revoked) == 1) != broken || e.Events.Has(recovery.EventPassRevoked) != broken || !e.Events.Has(recovery.EventPassIssued) {
			t.Errorf("%s: revoked %v, recorded %t", name, e.Passes.Revoked, e.Events.Has(recovery.EventPassRevoked))
		}
	}
}
