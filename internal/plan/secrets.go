package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"regain/internal/config"
	"regain/provider/keys"
	"regain/recovery/chain"
	"regain/storage"
)

// Secrets are the node's own.
type Secrets struct {
	Keyring     *storage.Keyring
	Token, Pass [][]byte // the first is used, the others are recognised
	Signing     []keys.Key
}

// ReadSecrets reads the secrets that the node works with. Its errors never quote one.
func ReadSecrets(cfg config.SecretsConfig) (s Secrets, err error) {
	var found config.Problems
	s.Keyring, err = ReadKeyring(cfg.Encryption)
	found.Add(err)
	s.Token, err = readKeys(cfg.Token, "secrets.token_secret", aKey)
	found.Add(err)
	s.Pass, err = readKeys(cfg.Pass, "secrets.pass_key", aKey)
	found.Add(err)
	s.Signing, err = ReadSigning(cfg.SigningKey)
	found.Add(err)
	return s, found.Err()
}

// aKey begins what is said of one that is none.
const aKey = "32 bytes in base64url are required for each key: key"

// ReadKeyring reads the encryption keys.
func ReadKeyring(secret config.Secret) (*storage.Keyring, error) {
	const key = "secrets.encryption_keys"
	list, err := readKeys(secret, key, "encryption key")
	if err != nil {
		return nil, err
	}
	ring, err := storage.NewKeyring(list...)
	return ring, config.Keyed(key, err)
}

// readKeys reads keys of 32 bytes, first the one that is used. what names one, for errors, which never quote any.
func readKeys(secret config.Secret, key, what string) (list [][]byte, err error) {
	values, err := secret.Ordered(key)
	if err != nil {
		return nil, err
	}
	for _, value := range values {
		read, err := storage.ParseKeys(value.Text, what)
		if err != nil {
			return nil, fmt.Errorf("%s: %w (in %s)", key, err, value.Source)
		}
		for _, k := range read {
			if slices.ContainsFunc(list, func(other []byte) bool { return bytes.Equal(other, k) }) {
				return nil, fmt.Errorf("%s: a key of %s is in another file too: leave one of them out", key, value.Source)
			}
		}
		list = append(list, read...)
	}
	return list, nil
}

// ReadSigning reads the signing keys.
func ReadSigning(secret config.Secret) (list []keys.Key, err error) {
	values, err := secret.All("secrets.signing_key")
	if err != nil {
		return nil, err
	}
	for _, value := range values {
		read, err := keys.ParseRing([]byte(value.Text))
		if err != nil {
			return nil, fmt.Errorf("secrets.signing_key: %w (in %s); make one with `regain keys rotate`", err, value.Source)
		}
		list = append(list, read...)
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
	values, err := r.Tokens.All("registration.initial_access_tokens")
	if err != nil {
		return nil, err
	}
	tokens := []string{}
	for _, value := range values {
		tokens = append(tokens, strings.Fields(value.Text)...)
	}
	return tokens, nil
}
