package presentation_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/presentation"
	"regain/presentation/dcql"
	"regain/presentation/identity"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

const responseURI = "https://recover.example.org/openid4vp/response/handle"

// fatal is what a test and a benchmark have in common.
type fatal interface {
	Helper()
	Fatal(args ...any)
}

func must[T any](t fatal, value T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// newRequest is a request of a profile of its own.
func newRequest(t fatal) presentation.Request {
	t.Helper()
	return requestOf(t, newProfile(t))
}

func requestOf(t fatal, p presentation.Profile) presentation.Request {
	t.Helper()
	r, err := p.NewRequest(presentation.RequestParams{ResponseURI: responseURI, Query: recoveryQuery(t), Lifetime: 5 * time.Minute}, rand.Reader, noon)
	return must(t, r, err)
}

func recoveryQuery(t fatal) dcql.Query {
	t.Helper()
	query, err := dcql.Recovery(dcql.RecoveryParams{
		VerifiedIDTypes: []string{"urn:id"}, FaceCheckTypes: []string{"urn:face"}, Claims: []dcql.Path{dcql.Names("given_name")},
	})
	return must(t, query, err)
}

// chain is a CA and a leaf under it; change edits the leaf's template.
type chain struct {
	ca, leaf *x509.Certificate
	key      *ecdsa.PrivateKey
}

func newChain(t fatal, change func(*x509.Certificate)) chain {
	t.Helper()
	above, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, above, err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, key, err)
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"}, NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	signing := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Verifier"}, NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	if change != nil {
		change(signing)
	}
	der, err := x509.CreateCertificate(rand.Reader, root, root, above.Public(), above)
	must(t, der, err)
	ca, err := x509.ParseCertificate(der)
	must(t, ca, err)
	der, err = x509.CreateCertificate(rand.Reader, signing, ca, key.Public(), above)
	must(t, der, err)
	leaf, err := x509.ParseCertificate(der)
	return chain{ca: ca, leaf: must(t, leaf, err), key: key}
}

// newProfile is a wallet as most are: x509_hash, by reference, encrypted.
func newProfile(t fatal) presentation.Profile {
	t.Helper()
	return profileOf(t, newChain(t, nil))
}

func profileOf(t fatal, c chain) presentation.Profile {
	t.Helper()
	who, err := identity.X509Hash(c.key, []*x509.Certificate{c.leaf}, noon)
	must(t, who, err)
	return presentation.Profile{Endpoint: "openid4vp://authorize", Identity: who, ResponseMode: presentation.DirectPostJWT}
}

// payload is the payload of a request object, unverified.
func payload(t fatal, object []byte) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(string(object), ".")[1])
	must(t, raw, err)
	var claims map[string]any
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// key is the public key that the request's answer is encrypted to.
func key(t fatal, r presentation.Request) jose.JSONWebKey {
	t.Helper()
	raw, err := json.Marshal(r.Key)
	must(t, raw, err)
	var private jose.JSONWebKey
	if err := json.Unmarshal(raw, &private); err != nil {
		t.Fatal(err)
	}
	return private.Public()
}

// answer is a good answer, before it is sealed.
func answer(r presentation.Request) map[string]any {
	return map[string]any{"vp_token": map[string]any{"verified_id": []any{"a~b"}, "face_check": []any{"c~"}}, "state": r.State}
}

// seal encrypts with go-jose, as a foreign wallet would.
func seal(t fatal, k jose.JSONWebKey, enc jose.ContentEncryption, plain any) string {
	t.Helper()
	encrypter, err := jose.NewEncrypter(enc, jose.Recipient{Algorithm: jose.ECDH_ES, Key: k.Key, KeyID: k.KeyID}, nil)
	must(t, encrypter, err)
	text, isText := plain.(string)
	data := []byte(text)
	if !isText {
		data, err = json.Marshal(plain)
		must(t, data, err)
	}
	sealed, err := encrypter.Encrypt(data)
	must(t, sealed, err)
	compact, err := sealed.CompactSerialize()
	return must(t, compact, err)
}

func form(response string) url.Values { return url.Values{"response": {response}} }
