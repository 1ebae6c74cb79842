package presentation_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
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

const (
	responseURI = "https://recover.example.org/openid4vp/response/handle"
	origin      = "https://recover.example.org"
)

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

// browserRequestOf asks through the Digital Credentials API.
func browserRequestOf(t fatal, p presentation.Profile) presentation.Request {
	t.Helper()
	r, err := p.NewRequest(presentation.RequestParams{Origin: origin, Query: recoveryQuery(t), Lifetime: 5 * time.Minute}, rand.Reader, noon)
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

// plainProfile is a wallet as conformance suites have it: known by its redirect URI, by value, not encrypted.
func plainProfile() presentation.Profile {
	return presentation.Profile{Endpoint: "openid4vp://authorize", Identity: identity.RedirectURI(), ByValue: true, ResponseMode: presentation.DirectPost}
}

// inBrowser has the profile asked through the Digital Credentials API too.
func inBrowser(p presentation.Profile, protocols ...presentation.Protocol) presentation.Profile {
	p.Protocols = protocols
	return p
}

// known are identities that sign, each with the public key that a wallet finds for it.
type known struct {
	who    *identity.Identity
	public crypto.PublicKey
}

func byDID(t fatal) known {
	t.Helper()
	key := newChain(t, nil).key
	who, err := identity.DID("did:web:recover.example.org", "key-1", key)
	return known{must(t, who, err), key.Public()}
}

func bySAN(t fatal) known {
	t.Helper()
	c := newChain(t, func(c *x509.Certificate) { c.DNSNames = []string{"recover.example.org"} })
	who, err := identity.X509SANDNS("recover.example.org", c.key, []*x509.Certificate{c.leaf}, noon)
	return known{must(t, who, err), c.leaf.PublicKey}
}

func byRegistration(t fatal) known {
	t.Helper()
	key := newChain(t, nil).key
	who, err := identity.PreRegistered("regain", "key-1", key)
	return known{must(t, who, err), key.Public()}
}

// verified checks a signed request object as a wallet does, and returns its header and its payload.
func verified(t fatal, object string, public crypto.PublicKey) (header, claims map[string]any) {
	t.Helper()
	signed, err := jose.ParseSignedCompact(object, []jose.SignatureAlgorithm{jose.ES256})
	must(t, signed, err)
	raw, err := signed.Verify(public)
	must(t, raw, err)
	return objectOf(t, part(t, object, 0)), objectOf(t, raw)
}

// part is a part of a compact JWS or JWE, decoded.
func part(t fatal, compact string, n int) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(compact, ".")[n])
	return must(t, raw, err)
}

// objectOf reads a JSON object.
func objectOf[T ~string | ~[]byte](t fatal, raw T) (object map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(raw), &object); err != nil {
		t.Fatal(err)
	}
	return object
}

// payload is the payload of a request object, unverified.
func payload(t fatal, object []byte) map[string]any {
	t.Helper()
	return objectOf(t, part(t, string(object), 1))
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

// answer is a good answer, before it is sealed. Through a browser it has no state (OpenID4VP 1.0 Appendix A.2).
func answer(r presentation.Request) map[string]any {
	good := map[string]any{"vp_token": map[string]any{"verified_id": []any{"a~b"}, "face_check": []any{"c~"}}}
	if r.State != "" {
		good["state"] = r.State
	}
	return good
}

// answerTo is a good answer as a wallet sends it, see [sent].
func answerTo(t fatal, r presentation.Request) url.Values {
	t.Helper()
	return sent(t, r, answer(r))
}

// sent is the form of an answer, encrypted or not as the request wants it.
func sent(t fatal, r presentation.Request, a map[string]any) url.Values {
	t.Helper()
	if r.Mode.Encrypted() {
		return form(seal(t, key(t, r), jose.A128GCM, a))
	}
	return url.Values{"vp_token": {text(t, a["vp_token"])}, "state": {r.State}}
}

// open opens a form or, through a browser, the data that the page has instead of it.
func open(p presentation.Profile, r presentation.Request, form url.Values) (presentation.Answer, error) {
	if !r.Mode.Browser() {
		return r.Open(form, noon)
	}
	data := fmt.Sprintf(`{"response":%q}`, form.Get("response"))
	if form.Has("vp_token") {
		data = `{"vp_token":` + form.Get("vp_token") + `}`
	}
	return p.OpenBrowser(r, string(p.Protocols[0]), []byte(data), noon)
}

// text is the JSON of a value.
func text(t fatal, value any) string {
	t.Helper()
	raw, err := json.Marshal(value)
	return string(must(t, raw, err))
}

// seal encrypts with go-jose, as a foreign wallet would.
func seal(t fatal, k jose.JSONWebKey, enc jose.ContentEncryption, plain any) string {
	t.Helper()
	encrypter, err := jose.NewEncrypter(enc, jose.Recipient{Algorithm: jose.ECDH_ES, Key: k.Key, KeyID: k.KeyID}, nil)
	must(t, encrypter, err)
	data, isText := plain.(string)
	if !isText {
		data = text(t, plain)
	}
	sealed, err := encrypter.Encrypt([]byte(data))
	must(t, sealed, err)
	compact, err := sealed.CompactSerialize()
	return must(t, compact, err)
}

func form(response string) url.Values { return url.Values{"response": {response}} }

// shortLived is an identity that ends a minute after noon.
func shortLived(t fatal) *identity.Identity {
	t.Helper()
	c := newChain(t, func(c *x509.Certificate) { c.NotAfter = noon.Add(time.Minute) })
	who, err := identity.X509Hash(c.key, []*x509.Certificate{c.leaf}, noon)
	return must(t, who, err)
}
