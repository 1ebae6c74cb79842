package wallettest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"strings"
	"testing"
	"time"

	"regain/conformance/jose"
)

// Noon is the time in every test.
func Noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// Authority is a certificate authority of a test.
type Authority struct {
	Certificate *x509.Certificate
	Key         *ecdsa.PrivateKey
}

// Party is a signer under an authority.
type Party struct {
	DER [][]byte // leaf first
	Key *ecdsa.PrivateKey
}

func NewKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func NewAuthority(t testing.TB, name string) Authority {
	t.Helper()
	key := NewKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: Noon().Add(-time.Hour), NotAfter: Noon().Add(time.Hour * 24 * 365),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, SubjectKeyId: []byte(name),
	}
	return Authority{Certificate: issueCertificate(t, template, template, &key.PublicKey, key), Key: key}
}

func (a Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.Certificate)
	return pool
}

func (a Authority) Party(t testing.TB, name string) Party {
	t.Helper()
	return a.PartyFor(t, name)
}

// PartyFor is Party with DNS names in its certificate.
func (a Authority) PartyFor(t testing.TB, name string, dns ...string) Party {
	t.Helper()
	key := NewKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: dns,
		NotBefore: Noon().Add(-time.Hour), NotAfter: Noon().Add(time.Hour * 24 * 90),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: usage(dns),
	}
	leaf := issueCertificate(t, template, a.Certificate, &key.PublicKey, a.Key)
	return Party{DER: [][]byte{leaf.Raw}, Key: key}
}

// usage lets a certificate with names serve TLS too.
func usage(dns []string) []x509.ExtKeyUsage {
	if dns == nil {
		return nil
	}
	return []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
}

// SelfSigned is a party that vouches for itself.
func SelfSigned(t testing.TB, name string) Party {
	t.Helper()
	key := NewKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: name},
		NotBefore: Noon().Add(-time.Hour), NotAfter: Noon().Add(time.Hour * 24 * 90),
	}
	return Party{DER: [][]byte{issueCertificate(t, template, template, &key.PublicKey, key).Raw}, Key: key}
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

func (p Party) X5C() []string {
	var entries []string
	for _, der := range p.DER {
		entries = append(entries, base64.StdEncoding.EncodeToString(der))
	}
	return entries
}

// ClientID is the x509_hash: identifier of OpenID4VP 1.0 §5.9.3.
func (p Party) ClientID() string {
	sum := sha256.Sum256(p.DER[0])
	return "x509_hash:" + Encode(sum[:])
}

// Sign writes a compact JWS with x5c.
func (p Party) Sign(t testing.TB, typ string, claims any) string {
	t.Helper()
	return SignAs(t, p.Key, typ, map[string]any{"x5c": p.X5C()}, claims)
}

// SignAs writes a compact JWS with the header members given.
func SignAs(t testing.TB, key *ecdsa.PrivateKey, typ string, header map[string]any, claims any) string {
	t.Helper()
	members := map[string]any{"typ": typ}
	maps.Copy(members, header)
	compact, err := jose.Sign(key, members, claims)
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// ReadJWT decodes a JWS without verifying it.
func ReadJWT(t testing.TB, compact string) (header, claims map[string]any) {
	t.Helper()
	segments := strings.Split(compact, ".")
	if len(segments) != 3 {
		t.Fatalf("a JWS has %d segments", len(segments))
	}
	FromJSON(t, Decode(t, segments[0]), &header)
	FromJSON(t, Decode(t, segments[1]), &claims)
	return header, claims
}

func Encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func Decode(t testing.TB, text string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func ToJSON(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func FromJSON(t testing.TB, raw []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%v in %q", err, raw)
	}
}

func Random(t testing.TB) string {
	t.Helper()
	raw := make([]byte, 16)
	if _, err := rand.Read(raw); err != nil {
		t.Fatal(err)
	}
	return Encode(raw)
}

func Digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return Encode(sum[:])
}

// Unsigned writes a JWT without a signature (RFC 7519 §6.1); without a typ when that is empty.
func Unsigned(t testing.TB, typ string, claims any) string {
	t.Helper()
	header := map[string]any{"alg": "none"}
	if typ != "" {
		header["typ"] = typ
	}
	return Encode([]byte(ToJSON(t, header))) + "." + Encode([]byte(ToJSON(t, claims))) + "."
}
