package presentation_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/presentation"
)

func TestRequestObject(t *testing.T) {
	c := newChain(t, nil)
	s := profileOf(t, c)
	r := requestOf(t, s)
	object, err := s.RequestObject(r, presentation.RequestObjectParams{Now: noon, WalletNonce: "wallet-nonce"})
	must(t, object, err)

	signed, err := jose.ParseSignedCompact(string(object), []jose.SignatureAlgorithm{jose.ES256})
	must(t, signed, err)
	if _, err := signed.Verify(c.leaf.PublicKey); err != nil {
		t.Errorf("go-jose does not verify it: %v", err)
	}
	header := signed.Signatures[0].Protected
	if header.ExtraHeaders[jose.HeaderType] != "oauth-authz-req+jwt" {
		t.Errorf("typ is %v", header.ExtraHeaders[jose.HeaderType])
	}
	pool := x509.NewCertPool()
	pool.AddCert(c.ca)
	chains, err := header.Certificates(x509.VerifyOptions{Roots: pool, CurrentTime: noon, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil || len(chains) == 0 {
		t.Errorf("x5c does not lead to the CA: %v", err)
	}
	hash := sha256.Sum256(c.leaf.Raw)
	claims := payload(t, object)
	for name, want := range map[string]any{
		"aud": "https://self-issued.me/v2", "response_type": "vp_token", "response_mode": "direct_post.jwt", "response_uri": responseURI,
		"client_id": "x509_hash:" + base64.RawURLEncoding.EncodeToString(hash[:]), "nonce": r.Nonce, "state": r.State, "wallet_nonce": "wallet-nonce",
		"iat": float64(noon.Unix()), "exp": float64(noon.Add(5 * time.Minute).Unix()),
	} {
		if claims[name] != want {
			t.Errorf("%s is %v, want %v", name, claims[name], want)
		}
	}
	// What belongs to other modes has no place here (OpenID4VP 1.0 §5), and iss is for nobody.
	for _, name := range []string{"redirect_uri", "iss", "expected_origins", "scope", "request_uri"} {
		if _, there := claims[name]; there {
			t.Errorf("the request has %s", name)
		}
	}
	if len(r.Nonce) < 43 || len(r.State) < 43 || r.Nonce == r.State {
		t.Error("nonce or state is short, or they are one")
	}
}

func TestTheQueryAsksForBothAndNotForThePortrait(t *testing.T) {
	p := newProfile(t)
	object, err := p.RequestObject(requestOf(t, p), presentation.RequestObjectParams{Now: noon})
	must(t, object, err)
	query, err := json.Marshal(payload(t, object)["dcql_query"])
	must(t, query, err)
	for _, part := range []string{`"verified_id"`, `"face_check"`, `"dc+sd-jwt"`, `"given_name"`} {
		if !strings.Contains(string(query), part) {
			t.Errorf("the query lacks %s: %s", part, query)
		}
	}
	if strings.Contains(string(query), "portrait") {
		t.Errorf("the query asks for the portrait: %s", query)
	}
}

// However often a request is fetched, it asks the same; only the wallet's own nonce differs.
func TestEveryFetchAsksTheSame(t *testing.T) {
	s := newProfile(t)
	r := requestOf(t, s)
	first, err := s.RequestObject(r, presentation.RequestObjectParams{Now: noon})
	must(t, first, err)
	second, err := s.RequestObject(r, presentation.RequestObjectParams{Now: noon.Add(time.Minute)})
	must(t, second, err)
	if strings.Split(string(first), ".")[1] != strings.Split(string(second), ".")[1] {
		t.Error("the second fetch asks for something else")
	}
	if _, there := payload(t, first)["wallet_nonce"]; there {
		t.Error("a wallet nonce that no wallet sent")
	}
}

func TestEveryRequestHasItsOwnSecrets(t *testing.T) {
	a, b := newRequest(t), newRequest(t)
	if a.Nonce == b.Nonce || a.State == b.State || a.Key.ID == b.Key.ID || key(t, a).KeyID == key(t, b).KeyID {
		t.Error("two requests share a secret")
	}
}

func TestNoRequestObjectWhen(t *testing.T) {
	s := newProfile(t)
	r := requestOf(t, s)
	for name, row := range map[string]struct {
		request presentation.Request
		params  presentation.RequestObjectParams
		err     error
	}{
		"it has expired":               {r, presentation.RequestObjectParams{Now: noon.Add(5 * time.Minute)}, presentation.ErrExpired},
		"nobody made it":               {presentation.Request{}, presentation.RequestObjectParams{Now: noon}, nil},
		"the certificate has expired":  {r, presentation.RequestObjectParams{Now: noon.Add(2 * time.Hour)}, nil},
		"the wallet's nonce is broken": {r, presentation.RequestObjectParams{Now: noon, WalletNonce: "a\nb"}, presentation.ErrMalformed},
	} {
		object, err := s.RequestObject(row.request, row.params)
		if err == nil || row.err != nil && !errors.Is(err, row.err) {
			t.Errorf("%s: %d bytes, %v", name, len(object), err)
		}
	}
}

// A wallet that offers a key gets the request encrypted to it.
func TestEncryptedRequestObject(t *testing.T) {
	wallet := newChain(t, nil).key
	jwk, err := json.Marshal(jose.JSONWebKey{Key: wallet.Public(), KeyID: "w", Use: "enc", Algorithm: "ECDH-ES"})
	must(t, jwk, err)
	asked, err := presentation.ParseRequestURIPost(map[string][]string{
		"wallet_nonce": {"n"}, "wallet_metadata": {`{"jwks":{"keys":[` + string(jwk) + `]},"request_object_encryption_alg_values_supported":["ECDH-ES"]}`},
	})
	must(t, asked, err)
	if asked.Key == nil {
		t.Fatal("the wallet's key was not found")
	}
	p := newProfile(t)
	object, err := p.RequestObject(requestOf(t, p), presentation.RequestObjectParams{Now: noon, WalletNonce: asked.Nonce, WalletKey: asked.Key})
	must(t, object, err)
	sealed, err := jose.ParseEncryptedCompact(string(object), []jose.KeyAlgorithm{jose.ECDH_ES}, []jose.ContentEncryption{jose.A128GCM, jose.A256GCM})
	must(t, sealed, err)
	plain, err := sealed.Decrypt(wallet)
	must(t, plain, err)
	if payload(t, plain)["wallet_nonce"] != "n" {
		t.Error("what was encrypted is not the request")
	}
}
