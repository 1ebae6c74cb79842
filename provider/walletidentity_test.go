package provider_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regain/conformance/jose"
	"regain/conformance/testenv"
	"regain/conformance/wallet"
	"regain/conformance/wallet/request"
	"regain/internal/config"
)

// A wallet that knows us by our did:web fetches its document from us, over TLS.
func TestKnownByADID(t *testing.T) {
	f := setUpEnv(t, testenv.Options{TLS: true, Change: func(cfg *config.Config) {
		w := config.WalletConfig{Endpoint: cfg.Wallets[0].Endpoint, ClientIDPrefix: "decentralized_identifier", KeyID: "request-1", DigitalCredentials: []string{"signed"}}
		w.ClientID = "did:web:" + strings.ReplaceAll(strings.TrimPrefix(cfg.Issuer, "https://"), ":", "%3A")
		cfg.Wallets = []config.WalletConfig{w}
	}})
	f.wallet = f.newWallet(t, request.Policy{Prefixes: []request.Prefix{request.DecentralizedIdentifier}})
	f.recovers(t, f.asked(t))
	f.asked(t)
	asked := f.requests(t)[0]
	f.recoversBy(t, asked, f.respond(t, asked, wallet.ShareOptions{}))
}

// A wallet that trusts somebody who attests verifiers knows us by the attestation.
func TestKnownByAnAttestation(t *testing.T) {
	attester, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const issuer = "https://attester.example.org"
	f := setUpWith(t, func(cfg *config.Config) {
		path := filepath.Join(t.TempDir(), "attestation.jwt")
		if err := os.WriteFile(path, []byte(attest(t, attester, issuer, requestKey(t, cfg))), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg.Wallets = []config.WalletConfig{{Endpoint: cfg.Wallets[0].Endpoint, ClientIDPrefix: "verifier_attestation", AttestationFile: path}}
	})
	f.wallet = f.newWallet(t, request.Policy{
		Prefixes:  []request.Prefix{request.VerifierAttestation},
		Attesters: map[string]jose.JWKSet{issuer: {Keys: []jose.JWK{{Key: attester.Public(), KeyID: "a"}}}},
	})
	f.recovers(t, f.asked(t))
}

// requestKey is the public part of the key that signs requests.
func requestKey(t *testing.T, cfg *config.Config) crypto.PublicKey {
	t.Helper()
	text, err := os.ReadFile(cfg.RequestSigning.CertificateFile)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return certificate.PublicKey
}

// attest writes a Verifier Attestation JWT (OpenID4VP 1.0 §12).
func attest(t *testing.T, key *ecdsa.PrivateKey, issuer string, about crypto.PublicKey) string {
	t.Helper()
	text, err := jose.Sign(key, map[string]any{"typ": "verifier-attestation+jwt", "kid": "a"}, map[string]any{
		"iss": issuer, "sub": "regain", "exp": time.Now().Add(time.Hour).Unix(), "cnf": map[string]any{"jwk": jose.JWK{Key: about}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}
