package clients

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/internal/publickey"
)

// RemoteKeys knows the JWK Sets at addresses; *remotekeys.Store in production.
type RemoteKeys interface {
	// Keys returns the set, fetched anew if the one that was kept lacks kid.
	Keys(ctx context.Context, address, kid string) (jose.JSONWebKeySet, error)
	// Renew returns the set, fetched anew unless that was done just now.
	Renew(ctx context.Context, address string) (jose.JSONWebKeySet, error)
}

// KeySource finds the keys of clients: in their registration, or where they publish them. That those cannot be had now is
// an error of RemoteKeys, and another thing than that a client has no such key.
type KeySource struct{ remote RemoteKeys }

// NewKeySource refuses a missing part.
func NewKeySource(remote RemoteKeys) (*KeySource, error) {
	if remote == nil {
		return nil, errors.New("key source: RemoteKeys is required")
	}
	return &KeySource{remote: remote}, nil
}

// ErrNoKey means that a client has no key for what it is needed for.
var ErrNoKey = errors.New("the client has no such key")

// EncryptionKey returns the P-256 key that recovery tokens for a client are encrypted to.
func (s *KeySource) EncryptionKey(ctx context.Context, c *Client) (jose.JSONWebKey, error) {
	keys, err := s.keys(ctx, c, "")
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	return encryptionKey(keys)
}

// Try has a client's public signature keys tried, those with kid only unless it is empty. When none does and the client
// publishes its keys, they are fetched once more, as often as the source allows, and those that changed are tried: a key
// may have been replaced under its old name, or under none. The error is that of use, or of RemoteKeys.
func (s *KeySource) Try(ctx context.Context, c *Client, kid string, use func(keys []jose.JSONWebKey) error) error {
	all, err := s.keys(ctx, c, kid)
	if err != nil {
		return err
	}
	keys := signatureKeys(all, kid)
	refused := use(keys)
	if refused == nil || c.JWKSURI == "" {
		return refused
	}
	set, err := s.remote.Renew(ctx, c.JWKSURI)
	if err != nil {
		return fmt.Errorf("keys of client %s: %w", c.ID, err)
	}
	renewed := signatureKeys(set.Keys, kid)
	if slices.EqualFunc(keys, renewed, func(a, b jose.JSONWebKey) bool { return publickey.Equal(a.Key, b.Key) }) {
		return refused
	}
	return use(renewed)
}

// maxTries is how many keys a signature is tried with. Whoever has more names the one (OpenID Connect Core 1.0 §10.1), and
// whoever has many of 8192 bits would have us calculate for each.
const maxTries = 8

// Verify tries a client's signature keys, those with the token's kid only when it names one. The error is ErrNoKey, or
// that of RemoteKeys.
func (s *KeySource) Verify(ctx context.Context, token *jwt.JSONWebToken, c *Client) error {
	header := token.Headers[0]
	return s.Try(ctx, c, header.KeyID, func(keys []jose.JSONWebKey) error {
		for _, key := range keys[:min(len(keys), maxTries)] {
			if key.Algorithm != "" && key.Algorithm != header.Algorithm {
				continue
			}
			if err := token.Claims(key.Key); err == nil {
				return nil
			}
		}
		return fmt.Errorf("%w: no registered key verifies the signature (kid %q, alg %s)", ErrNoKey, header.KeyID, header.Algorithm)
	})
}

func (s *KeySource) keys(ctx context.Context, c *Client, kid string) ([]jose.JSONWebKey, error) {
	if c.JWKSURI == "" {
		return c.Keys.Keys, nil
	}
	set, err := s.remote.Keys(ctx, c.JWKSURI, kid)
	if err != nil {
		return nil, fmt.Errorf("keys of client %s: %w", c.ID, err)
	}
	return set.Keys, nil
}

// encryptionKey chooses by use, kind and alg: a set may have keys to encrypt to that are for others, such as RSA ones
// before it, and a pass that was made cannot be encrypted to those.
func encryptionKey(keys []jose.JSONWebKey) (jose.JSONWebKey, error) {
	for _, key := range keys {
		public, ok := key.Key.(*ecdsa.PublicKey)
		if key.Use == "enc" && ok && public.Curve == elliptic.P256() && (key.Algorithm == "" || key.Algorithm == string(jose.ECDH_ES)) {
			return key, nil
		}
	}
	return jose.JSONWebKey{}, fmt.Errorf(`%w: jwks has no key with "use": "enc": the recovery token is encrypted to an EC key on P-256`, ErrNoKey)
}

// signatureKeys are public, and neither too weak nor too large to verify with.
func signatureKeys(keys []jose.JSONWebKey, kid string) []jose.JSONWebKey {
	var found []jose.JSONWebKey
	for _, key := range keys {
		usable := key.Use != "enc" && key.IsPublic() && publickey.Check(key.Key) == nil && publickey.Strong(key.Key)
		if usable && (kid == "" || key.KeyID == kid) {
			found = append(found, key)
		}
	}
	return found
}
