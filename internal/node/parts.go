package node

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"regain/adapters/proofing"
	"regain/internal/config"
	"regain/internal/fetch"
	"regain/internal/publickey"
	"regain/provider/journey"
	"regain/provider/keys"
	"regain/storage"
	"regain/storage/bolt"
	"regain/storage/memory"
	"regain/verifier"
	"regain/verifier/trust"
)

type secrets struct {
	keyring     *storage.Keyring
	token, pass []byte
	signing     []keys.Key
}

func readSecrets(cfg SecretsConfig) (secrets, error) {
	var s secrets
	text, err := cfg.Encryption.Read("secrets.encryption_keys")
	if err != nil {
		return s, err
	}
	if s.keyring, err = storage.ParseKeyring(text); err != nil {
		return s, fmt.Errorf("secrets.encryption_keys: %w", err)
	}
	if s.token, err = readKey(cfg.Token, "secrets.token_secret"); err != nil {
		return s, err
	}
	if s.pass, err = readKey(cfg.Pass, "secrets.pass_key"); err != nil {
		return s, err
	}
	s.signing, err = readSigning(cfg.SigningKey)
	return s, err
}

func readSigning(secret config.Secret) ([]keys.Key, error) {
	text, err := secret.Read("secrets.signing_key")
	if err != nil {
		return nil, err
	}
	list, err := keys.ParseRing([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("secrets.signing_key: %w", err)
	}
	return list, nil
}

// readKey reads 32 bytes in base64url. Its errors never quote the secret.
func readKey(secret config.Secret, key string) ([]byte, error) {
	text, err := secret.Read(key)
	if err != nil {
		return nil, err
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) != sha256.Size {
		return nil, fmt.Errorf("%s: 32 bytes in base64url without padding are required; make them with `openssl rand 32 | basenc --base64url | tr -d =`", key)
	}
	return raw, nil
}

func (n *Node) openStore(cfg StorageConfig, ring *storage.Keyring, deps Deps) (storage.Store, error) {
	var backend storage.Store
	var err error
	switch cfg.Backend {
	case "memory":
		backend, err = memory.New(deps.Clock)
	case "file":
		if cfg.Path == "" {
			return nil, errors.New("storage.path: name a file, or set storage.backend to memory")
		}
		backend, err = bolt.Open(cfg.Path, deps.Clock)
	default:
		return nil, fmt.Errorf("storage.backend %q: use memory or file", cfg.Backend)
	}
	if err != nil {
		return nil, fmt.Errorf("storage: %w", err)
	}
	n.closers = append(n.closers, backend)
	if deps.Wrap != nil {
		backend = deps.Wrap(backend)
	}
	sealed, err := storage.NewSealed(backend, ring)
	n.store = &watchedStore{Store: sealed, logger: deps.Logger, clock: deps.Clock}
	return n.store, err
}

// read returns the request signing key and its certificate chain, leaf first.
func (c CertificateConfig) read() (*ecdsa.PrivateKey, []*x509.Certificate, error) {
	text, err := c.Key.Read("request_signing.key")
	if err != nil {
		return nil, nil, err
	}
	key, err := keys.ParsePEM([]byte(text))
	if err != nil {
		return nil, nil, fmt.Errorf("request_signing.key: %w", err)
	}
	chain, err := readCertificates(c.CertificateFile)
	if err != nil {
		return nil, nil, fmt.Errorf("request_signing.certificate_file: %w", err)
	}
	return key, chain, nil
}

func readCertificates(path string) ([]*x509.Certificate, error) {
	rest, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var found []*x509.Certificate
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := publickey.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		found = append(found, certificate)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s holds no PEM certificate", path)
	}
	return found, nil
}

// rule converts a trust entry, including the certificates that it names.
func (t TrustConfig) rule() (trust.Rule, error) {
	rule := trust.Rule{Types: t.Types, Issuers: t.Issuers, DIDs: t.DIDs, LinkedDomain: t.LinkedDomain, StatusOptional: t.StatusOptional}
	var err error
	if t.AnchorsFile != "" || t.SignersFile == "" && len(t.DIDs) == 0 {
		if rule.Anchors, err = readCertificates(t.AnchorsFile); err != nil {
			return rule, fmt.Errorf("anchors_file: %w", err)
		}
	}
	if t.SignersFile != "" {
		if rule.Signers, err = readCertificates(t.SignersFile); err != nil {
			return rule, fmt.Errorf("signers_file: %w", err)
		}
	}
	return rule, nil
}

func newVerifier(cfg Config, fetcher *fetch.Fetcher, deps Deps) (*verifier.Verifier, error) {
	var rules []trust.Rule
	for i, t := range cfg.Trust {
		rule, err := t.rule()
		if err != nil {
			return nil, fmt.Errorf("trust[%d].%w", i, err)
		}
		rules = append(rules, rule)
	}
	v, err := verifier.New(verifier.Config{Trust: rules, MinStatusTTL: cfg.StatusList.MinTTL, MaxStatusTTL: cfg.StatusList.MaxTTL},
		verifier.Deps{Fetch: fetcher, Clock: deps.Clock, Logger: deps.Logger})
	if err != nil {
		return nil, fmt.Errorf("trust: %w", err)
	}
	return v, nil
}

func newFetcher(cfg FetchConfig) (*fetch.Fetcher, error) {
	roots, err := rootsOf(cfg)
	if err != nil {
		return nil, err
	}
	fetcher, err := fetch.New(fetch.Config{
		AllowHTTPHosts: cfg.AllowHTTPHosts, AllowPrivateHosts: cfg.AllowPrivateHosts, RootCAs: roots, Timeout: cfg.Timeout,
	})
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	return fetcher, nil
}

func rootsOf(cfg FetchConfig) (*x509.CertPool, error) {
	if cfg.CAFile == "" {
		return nil, nil //nolint:nilnil // nil means the system's roots
	}
	certificates, err := readCertificates(cfg.CAFile)
	if err != nil {
		return nil, fmt.Errorf("fetch.ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	for _, c := range certificates {
		pool.AddCert(c)
	}
	return pool, nil
}

func newProofing(cfg Config, signer *keys.Ring, deps Deps) (map[string]journey.Proofing, error) {
	providers := make(map[string]journey.Proofing, len(cfg.Proofing))
	for i, p := range cfg.Proofing {
		adapter, err := proofing.New(proofing.Config{
			Name: p.DisplayName, StartURL: p.StartURL, Issuer: cfg.Issuer, OrgID: cfg.Organisation,
			Minter: signer, Clock: deps.Clock, Random: deps.Random,
		})
		if err != nil {
			return nil, fmt.Errorf("proofing[%d]: %w", i, err)
		}
		providers[p.Name] = adapter
	}
	return providers, nil
}
