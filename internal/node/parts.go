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
	"regain/verifier/trust"
)

type secrets struct {
	keyring     *storage.Keyring
	token, pass []byte
	signing     []keys.Key
}

func readSecrets(cfg SecretsConfig) (s secrets, err error) {
	var found problems
	text, err := cfg.Encryption.Read("secrets.encryption_keys")
	if found.add(err) {
		if s.keyring, err = storage.ParseKeyring(text); err != nil {
			found.add(fmt.Errorf("secrets.encryption_keys: %w (in %s)", err, cfg.Encryption.Source()))
		}
	}
	s.token, err = readKey(cfg.Token, "secrets.token_secret")
	found.add(err)
	s.pass, err = readKey(cfg.Pass, "secrets.pass_key")
	found.add(err)
	s.signing, err = readSigning(cfg.SigningKey)
	found.add(err)
	return s, found.err()
}

func readSigning(secret config.Secret) ([]keys.Key, error) {
	text, err := secret.Read("secrets.signing_key")
	if err != nil {
		return nil, err
	}
	list, err := keys.ParseRing([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("secrets.signing_key: %w (in %s); make one with `regain keys rotate`", err, secret.Source())
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
		return nil, fmt.Errorf("%s: 32 bytes in base64url without padding are required; make them with `openssl rand 32 | basenc --base64url | tr -d =` (in %s)", key, secret.Source())
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
		backend, err = openFile(cfg.Path, ring, deps)
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
	return storage.Guarded{Store: n.store}, err
}

// openFile opens the file store, or looks whether it could be opened.
func openFile(path string, ring *storage.Keyring, deps Deps) (storage.Store, error) {
	if !deps.ReadOnly {
		return bolt.Open(path, deps.Clock, ring)
	}
	if err := errors.Join(checkWritten(path), bolt.Inspect(path)); err != nil {
		return nil, err
	}
	return memory.New(deps.Clock)
}

// read returns the request signing key and its certificate chain, leaf first.
func (c CertificateConfig) read() (*ecdsa.PrivateKey, []*x509.Certificate, error) {
	var found problems
	var key *ecdsa.PrivateKey
	text, err := c.Key.Read("request_signing.key")
	if found.add(err) {
		if key, err = keys.ParsePEM([]byte(text)); err != nil {
			found.add(fmt.Errorf("request_signing.key: %w (in %s): an EC key on P-256 is needed, such as `openssl ecparam -genkey -name prime256v1` makes", err, c.Key.Source()))
		}
	}
	chain, err := readCertificates(c.CertificateFile)
	found.add(keyed("request_signing.certificate_file", err))
	if key != nil && len(chain) > 0 && !key.PublicKey.Equal(chain[0].PublicKey) {
		found.add(fmt.Errorf("request_signing.certificate_file: the first certificate of %s is not for the key of request_signing.key (in %s): put the certificate of that key first", c.CertificateFile, c.Key.Source()))
	}
	return key, chain, found.err()
}

func readCertificates(path string) ([]*x509.Certificate, error) {
	if path == "" {
		return nil, errors.New("name a file of PEM certificates")
	}
	rest, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: name a file of PEM certificates that the service can read", err)
	}
	var found []*x509.Certificate
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := publickey.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: certificate %d: %w: replace it", path, len(found), err)
		}
		found = append(found, certificate)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s holds no PEM certificate: it has to begin with -----BEGIN CERTIFICATE-----", path)
	}
	return found, nil
}

// rule converts a trust entry, including the certificates that it names. key is the entry's configuration key.
func (t TrustConfig) rule(key string) (trust.Rule, error) {
	rule := trust.Rule{Types: t.Types, Issuers: t.Issuers, DIDs: t.DIDs, LinkedDomain: t.LinkedDomain, StatusOptional: t.StatusOptional}
	if t.AnchorsFile == "" && t.SignersFile == "" && len(t.DIDs) == 0 {
		return rule, fmt.Errorf("%s.anchors_file: trusts nobody: name a file of the issuers' CAs, or signers_file or dids", key)
	}
	var found problems
	for name, file := range map[string]struct {
		path string
		into *[]*x509.Certificate
	}{"anchors_file": {t.AnchorsFile, &rule.Anchors}, "signers_file": {t.SignersFile, &rule.Signers}} {
		if file.path == "" {
			continue
		}
		certificates, err := readCertificates(file.path)
		found.add(keyed(key+"."+name, err))
		*file.into = certificates
	}
	return rule, found.err()
}

func newFetcher(cfg FetchConfig) (*fetch.Fetcher, error) {
	roots, err := readPool("fetch.ca_file", cfg.CAFile)
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

func newProofing(cfg Config, signer *keys.Ring, deps Deps) (map[string]journey.Proofing, error) {
	var found problems
	providers := make(map[string]journey.Proofing, len(cfg.Proofing))
	for i, p := range cfg.Proofing {
		adapter, err := proofing.New(proofing.Config{
			Name: p.DisplayName, StartURL: p.StartURL, Issuer: cfg.Issuer, OrgID: cfg.Organisation,
			Minter: signer, Clock: deps.Clock, Random: deps.Random,
		})
		found.add(keyed(fmt.Sprintf("proofing[%d]", i), err))
		providers[p.Name] = adapter
	}
	return providers, found.err()
}

// readable reports why a file cannot be read. key is its configuration key.
func readable(key, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return file.Close()
}
