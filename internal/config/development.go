package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// verifiedIdentity is the credential type that a development instance requests.
const verifiedIdentity = "urn:regain:verified-identity:1"

// Development completes an empty configuration: a safe instance on loopback, in memory, with newly generated keys in
// a temporary directory, an empty directory of accounts, one profile in evaluation, and no client. No account can be
// recovered with it; it shows the metadata and an example of a configuration.
func Development(cfg Config) (Config, error) {
	directory, err := os.MkdirTemp("", "regain-development-")
	if err != nil {
		return cfg, fmt.Errorf("make a directory for the development instance: %w", err)
	}
	w := &writer{directory: directory}
	_, port, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return cfg, fmt.Errorf("listen %q: use host:port", cfg.Listen)
	}
	cfg.Issuer = "http://regain.localhost:" + port
	cfg.Organisation = "development"
	cfg.Secrets = SecretsConfig{
		Encryption: w.key("encryption.key"), Token: w.key("token.key"), Pass: w.key("pass.key"), SigningKey: w.private("signing.pem", w.newKey()),
	}
	cfg.Audit.Key = w.key("audit.key")
	ca, leaf, key := w.certificates()
	cfg.RequestSigning = CertificateConfig{Key: w.private("request.pem", key), CertificateFile: w.file("request.crt", "CERTIFICATE", leaf)}
	cfg.Directory.File = w.write("directory.yaml", []byte("accounts: []\n"))
	cfg.Trust = []TrustConfig{{Types: append([]string{verifiedIdentity}, cfg.FaceCheck.ReceiptTypes...), AnchorsFile: w.file("ca.crt", "CERTIFICATE", ca)}}
	cfg.Profiles = []ProfileConfig{{
		Name: "development", Mode: "evaluation", AllUsers: true,
		Credential: CredentialConfig{Types: []string{verifiedIdentity}, Bindings: []BindingConfig{
			{Attribute: "given_name", Claim: "given_name"}, {Attribute: "family_name", Claim: "family_name"},
		}},
	}}
	return cfg, w.err
}

// writer writes files and keeps the first error.
type writer struct {
	directory string
	err       error
}

func (w *writer) note(err error) {
	if w.err == nil && err != nil {
		w.err = fmt.Errorf("make a development instance: %w", err)
	}
}

func (w *writer) write(name string, data []byte) string {
	const private = 0o600
	path := filepath.Join(w.directory, name)
	w.note(os.WriteFile(path, data, private))
	return path
}

func (w *writer) file(name, kind string, der []byte) string {
	return w.write(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func (w *writer) key(name string) Secret {
	var key [32]byte
	_, err := rand.Read(key[:])
	w.note(err)
	return Secret{File: w.write(name, []byte(base64.RawURLEncoding.EncodeToString(key[:])))}
}

func (w *writer) newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.note(err)
	return key
}

func (w *writer) private(name string, key *ecdsa.PrivateKey) Secret {
	if key == nil {
		return Secret{}
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	w.note(err)
	return Secret{File: w.file(name, "PRIVATE KEY", der)}
}

// certificates returns a CA and a request signing certificate issued by it: wallets refuse a self-signed one (HAIP
// 1.0 §5).
func (w *writer) certificates() (ca, leaf []byte, key *ecdsa.PrivateKey) {
	above := w.newKey()
	key = w.newKey()
	if w.err != nil {
		return nil, nil, nil
	}
	const year = 365 * 24 * time.Hour
	now := time.Now()
	root := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "Regain Development CA"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(year),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	var err error
	ca, err = x509.CreateCertificate(rand.Reader, root, root, above.Public(), above)
	w.note(err)
	signing := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano() + 1), Subject: pkix.Name{CommonName: "Regain Development"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(year),
		KeyUsage: x509.KeyUsageDigitalSignature, DNSNames: []string{"regain.localhost"},
	}
	leaf, err = x509.CreateCertificate(rand.Reader, signing, root, key.Public(), above)
	w.note(err)
	return ca, leaf, key
}
