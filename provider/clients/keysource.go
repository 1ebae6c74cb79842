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

// RemoteKeys fetches and caches JWK Sets; *remotekeys.Store in production.
type RemoteKeys interface {
	// Keys returns the set, fetched again if the cached one lacks kid.
	Keys(ctx context.Context, address, kid string) (jose.JSONWebKeySet, error)
	// Renew returns the set, fetched again unless that happened very recently.
	Renew(ctx context.Context, address string) (jose.JSONWebKeySet, error)
}

// KeySource returns the keys of clients: from the registration, or from the client's jwks_uri. An error of RemoteKeys
// means that the keys are unavailable now, not that the client has no such key.
type KeySource struct{ remote RemoteKeys }

// NewKeySource returns an error if remote is nil.
func NewKeySource(remote RemoteKeys) (*KeySource, error) {
	if remote == nil {
		return nil, errors.New("key source: RemoteKeys is required")
	}
	return &KeySource{remote: remote}, nil
}

// ErrNoKey means that the client has no suitable key.
var ErrNoKey = errors.New("the client has no such key")

// EncryptionKey returns the P-256 key that recovery tokens for a client are encrypted to.
func (s *KeySource) EncryptionKey(ctx context.Context, c *Client) (jose.JSONWebKey, error) {
	keys, err := s.keys(ctx, c, "")
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	return encryptionKey(keys)
}

// Try calls use with a client's public signature keys; with those of kid only, unless it is empty. If use fails and
// the client publishes its keys, Try fetches them once more, as often as RemoteKeys allows, and calls use again if
// they changed: a key may have been replaced under the same kid, or without one. The error is that of use or of
// RemoteKeys.
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

// maxTries is how many keys a signature is verified with. A client with more keys must name one by kid (OpenID
// Connect Core 1.0 §10.1); otherwise many 8192-bit keys would make each request expensive.
const maxTries = 8

// Verify verifies a token with the client's signature keys; with those of the token's kid only, if it has one. The
// error is ErrNoKey, or that of RemoteKeys.
func (s *KeySource) Verify(ctx context.Context, token *jwt.JSONWebToken, c *Client) error {
	header := token.Headers[0]
	return s.Try(ctx, c, header.KeyID, func(keys []jose.JSONWebKey) error {
		fits := slices.DeleteFunc(slices.Clone(keys), func(k jose.JSONWebKey) bool {
			return k.Algorithm != "" && k.Algorithm != header.Algorithm
		})
		for _, key := range fits[:min(len(fits), maxTries)] {
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

// encryptionKey chooses by use, key type and alg: a set may also contain encryption keys for other servers, such as
// RSA keys, and a recovery token must never fail to be encrypted after its pass was issued.
func encryptionKey(keys []jose.JSONWebKey) (jose.JSONWebKey, error) {
	for _, key := range keys {
		public, ok := key.Key.(*ecdsa.PublicKey)
		if key.Use == "enc" && ok && public.Curve == elliptic.P256() && (key.Algorithm == "" || key.Algorithm == string(jose.ECDH_ES)) {
			return key, nil
		}
	}
	return jose.JSONWebKey{}, fmt.Errorf(`%w: jwks has no key with "use": "enc": the recovery token is encrypted to an EC key on P-256`, ErrNoKey)
}

// signatureKeys returns the public keys that are neither too weak nor too large to verify with.
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

// HasExactly reports whether the audience is exactly the wanted value: a JWT that is valid at two servers is refused.
func HasExactly(audience []string, wanted string) bool {
	return slices.Equal(audience, []string{wanted})
}
