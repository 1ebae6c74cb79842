package plan

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"regain/internal/config"
	"regain/provider/keys"
	"regain/recovery/chain"
	"regain/storage"
)

// Secrets are the node's own.
type Secrets struct {
	Keyring     *storage.Keyring
	Token, Pass []byte
	Signing     []keys.Key
}

// ReadSecrets reads the secrets that the node works with. Its errors never quote one.
func ReadSecrets(cfg config.SecretsConfig) (s Secrets, err error) {
	var found config.Problems
	text, err := cfg.Encryption.Read("secrets.encryption_keys")
	if found.Add(err) {
		if s.Keyring, err = storage.ParseKeyring(text); err != nil {
			found.Add(fmt.Errorf("secrets.encryption_keys: %w (in %s)", err, cfg.Encryption.Source()))
		}
	}
	s.Token, err = readKey(cfg.Token, "secrets.token_secret")
	found.Add(err)
	s.Pass, err = readKey(cfg.Pass, "secrets.pass_key")
	found.Add(err)
	s.Signing, err = ReadSigning(cfg.SigningKey)
	found.Add(err)
	return s, found.Err()
}

// ReadSigning reads the signing keys.
func ReadSigning(secret config.Secret) ([]keys.Key, error) {
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

// ReadAuditKey reads the key of the audit log's chain. name is the configuration key, for errors.
func ReadAuditKey(secret config.Secret, name string) (chain.Key, error) {
	raw, err := readKey(secret, name)
	if err != nil {
		return chain.Key{}, err
	}
	return chain.NewKey(raw)
}

// ReadTokens returns the initial access tokens, or nil if registration is not configured.
func ReadTokens(r config.RegistrationConfig) ([]string, error) {
	if r.Tokens.IsZero() {
		return nil, nil
	}
	text, err := r.Tokens.Read("registration.initial_access_tokens")
	if err != nil {
		return nil, err
	}
	return append([]string{}, strings.Fields(text)...), nil
}
