package wallet_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// noon is the time in every test.
func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// authority is a certificate authority of a test.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// party is a signer under an authority.
type party struct {
	der [][]byte // leaf first
	key *ecdsa.PrivateKey
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newAuthority(t testing.TB, name string) authority {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: noon().Add(-time.Hour), NotAfter: noon().Add(time.Hour * 24 * 365),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, SubjectKeyId: []byte(name),
	}
	return authority{certificate: issueCertificate(t, template, template, &key.PublicKey, key), key: key}
}

func (a authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

func (a authority) party(t testing.TB, name string) party {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name},
		NotBefore: noon().Add(-time.Hour), NotAfter: noon().Add(time.Hour * 24 * 90),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	leaf := issueCertificate(t, template, a.certificate, &key.PublicKey, a.key)
	return party{der: [][]byte{leaf.Raw}, key: key}
}

// selfSigned is a party that vouches for itself.
func selfSigned(t testing.TB, name string) party {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: name},
		NotBefore: noon().Add(-time.Hour), NotAfter: noon().Add(time.Hour * 24 * 90),
	}
	return party{der: [][]byte{issueCertificate(t, template, template, &key.PublicKey, key).Raw}, key: key}
}

func issueCertificate(t testing.TB, template, parent *x509.Certificate, public *ecdsa.PublicKey, signer *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func (p party) x5c() []string {
	var entries []string
	for _, der := range p.der {
		entries = append(entries, base64.StdEncoding.EncodeToString(der))
	}
	return entries
}

// clientID is the x509_hash: identifier of OpenID4VP 1.0 §5.9.3.
func (p party) clientID() string {
	sum := sha256.Sum256(p.der[0])
	return "x509_hash:" + b64(sum[:])
}

// sign writes a compact JWS with x5c.
func (p party) sign(t testing.TB, typ string, claims any) string {
	t.Helper()
	options := (&jose.SignerOptions{}).WithType(jose.ContentType(typ)).WithHeader("x5c", p.x5c())
	return signJWT(t, p.key, options, claims)
}

func signJWT(t testing.TB, key *ecdsa.PrivateKey, options *jose.SignerOptions, claims any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign([]byte(toJSON(t, claims)))
	if err != nil {
		t.Fatal(err)
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// readJWT decodes a JWS without verifying it.
func readJWT(t testing.TB, compact string) (header, claims map[string]any) {
	t.Helper()
	segments := strings.Split(compact, ".")
	if len(segments) != 3 {
		t.Fatalf("a JWS has %d segments", len(segments))
	}
	fromJSON(t, unb64(t, segments[0]), &header)
	fromJSON(t, unb64(t, segments[1]), &claims)
	return header, claims
}

// signedBy reports whether the JWS is signed by the key.
func isSignedBy(compact string, key *ecdsa.PublicKey) bool {
	jws, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return false
	}
	_, err = jws.Verify(key)
	return err == nil
}

func b64(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func unb64(t testing.TB, text string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func toJSON(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func fromJSON(t testing.TB, raw []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%v in %q", err, raw)
	}
}

func random(t testing.TB) string {
	t.Helper()
	raw := make([]byte, 16)
	if _, err := rand.Read(raw); err != nil {
		t.Fatal(err)
	}
	return b64(raw)
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return b64(sum[:])
}
