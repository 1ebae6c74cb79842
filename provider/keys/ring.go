package keys

import (
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/provider/jwa"
)

// Ring signs JWTs and returns the JWK Set for verifiers. Its keys can be replaced while it is in use: each method call
// uses one consistent set of keys.
type Ring struct {
	clock func() time.Time
	state atomic.Pointer[state]
}

// state holds a ring's keys and the JWK Sets encoded from them.
type state struct {
	keys []Key
	sets []published // ordered by until
}

// published is an encoded JWK Set, valid until one of its keys is retired.
type published struct {
	until time.Time // zero: always
	jwks  []byte
}

// NewRing returns an error for unusable and duplicate keys, and for a ring without a P-256 key that signs now:
// recovery tokens and hand-offs are signed with ES256.
func NewRing(list []Key, clock func() time.Time) (*Ring, error) {
	if clock == nil {
		return nil, errors.New("signing keys: a clock is required")
	}
	s, err := newState(list, clock())
	if err != nil {
		return nil, err
	}
	r := &Ring{clock: clock}
	r.state.Store(s)
	return r, nil
}

func newState(list []Key, now time.Time) (*state, error) {
	s := &state{keys: slices.Clone(list)}
	for i := range s.keys {
		if err := s.keys[i].prepare(); err != nil {
			return nil, err
		}
		for _, other := range s.keys[:i] {
			if other.public.KeyID == s.keys[i].public.KeyID {
				return nil, fmt.Errorf("signing key %s is there twice", other.public.KeyID)
			}
		}
	}
	if s.signing(jose.ES256, now) == nil {
		return nil, errors.New("signing keys: an EC key on P-256 that signs now is required, e.g. of `regain keys rotate`")
	}
	return s, s.encodeSets()
}

// Replace replaces the keys, for example after `regain keys rotate`. Clients rely on what the ring offered at the
// start: the same algorithms, and certificates if every key had one. Otherwise Replace returns an error and changes
// nothing.
func (r *Ring) Replace(list []Key) error {
	now, before := r.clock(), r.state.Load()
	list = slices.Clone(list)
	for i, k := range list {
		if token, ok := k.Private.(*TokenKey); ok {
			if same := sameToken(before.keys, token.String()); same != nil {
				list[i].Private = same
			}
		}
	}
	next, err := newState(list, now)
	if err != nil {
		return err
	}
	if was, is := before.algorithms(now), next.algorithms(now); !slices.Equal(was, is) {
		return fmt.Errorf("signing keys: can sign with %v, and the ring in use with %v: restart to change the algorithms", is, was)
	}
	if before.checkCertificates() == nil {
		if err := next.checkCertificates(); err != nil {
			return err
		}
	}
	r.state.Store(next)
	return nil
}

// encodeSets encodes the JWK Set once for each time at which a key is retired, so that serving it costs nothing and
// its bytes do not vary in between.
func (s *state) encodeSets() error {
	ends := []time.Time{{}}
	for _, k := range s.keys {
		ends = append(ends, k.PublishedUntil)
	}
	slices.SortFunc(ends, later)
	for _, end := range slices.CompactFunc(ends, time.Time.Equal) {
		var set jose.JSONWebKeySet
		for _, k := range s.keys {
			if later(k.PublishedUntil, end) >= 0 {
				set.Keys = append(set.Keys, k.public)
			}
		}
		jwks, err := json.Marshal(set)
		if err != nil {
			return fmt.Errorf("signing keys: encode JWK set: %w", err)
		}
		s.sets = append(s.sets, published{until: end, jwks: jwks})
	}
	return nil
}

// later compares two expiries; the zero time is after every other one.
func later(a, b time.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b)
}

// JWKS returns the published JWK Set (RFC 7517 §5).
func (r *Ring) JWKS() []byte {
	now, sets := r.clock(), r.state.Load().sets
	for _, set := range sets {
		if now.Before(set.until) {
			return set.jwks
		}
	}
	return sets[len(sets)-1].jwks // which has no end
}

// Algorithms returns the algorithms that the ring can sign with now, in the order of jwa.All.
func (r *Ring) Algorithms() []jose.SignatureAlgorithm { return r.state.Load().algorithms(r.clock()) }

func (s *state) algorithms(now time.Time) []jose.SignatureAlgorithm {
	var can []jose.SignatureAlgorithm
	for _, alg := range jwa.All() {
		if s.signing(alg, now) != nil {
			can = append(can, alg)
		}
	}
	return can
}

// CheckCertificates returns an error if a key has no certificate, for verifiers that require x5c in every JWK.
func (r *Ring) CheckCertificates() error { return r.state.Load().checkCertificates() }

func (s *state) checkCertificates() error {
	for _, k := range s.keys {
		if len(k.Certificates) == 0 {
			return fmt.Errorf("signing key %s has no certificate after it, and its JWK no x5c: `regain keys certify FILE --name HOST` puts one there", k.public.KeyID)
		}
	}
	return nil
}

// KeyID returns the `kid` of the key that signs ES256 now: its RFC 7638 thumbprint.
func (r *Ring) KeyID() string { return r.signing(jose.ES256).public.KeyID }

// Key returns the key that signs ES256 now.
func (r *Ring) Key() *ecdsa.PrivateKey {
	key, _ := r.signing(jose.ES256).Private.(*ecdsa.PrivateKey)
	return key
}

// Public returns the public keys with this `kid`, or all for the empty kid. It includes retired keys that are still
// in the ring, because an id_token_hint may be old (OpenID Connect Core 1.0 §3.1.2.2).
func (r *Ring) Public(kid string) []jose.JSONWebKey {
	var found []jose.JSONWebKey
	for _, k := range r.state.Load().keys {
		if kid == "" || k.public.KeyID == kid {
			found = append(found, k.public)
		}
	}
	return found
}

// signing returns the published key for alg with the latest SignsFrom that has passed, or nil.
func (r *Ring) signing(alg jose.SignatureAlgorithm) *Key {
	return r.state.Load().signing(alg, r.clock())
}

func (s *state) signing(alg jose.SignatureAlgorithm, now time.Time) *Key {
	var best *Key
	for i := range s.keys {
		k := &s.keys[i]
		if !k.canSign(alg) || now.Before(k.SignsFrom) || (!k.PublishedUntil.IsZero() && !now.Before(k.PublishedUntil)) {
			continue
		}
		if best == nil || k.SignsFrom.After(best.SignsFrom) {
			best = k
		}
	}
	return best
}

// Mint signs claims, which must marshal to a JSON object, with ES256 and returns a compact JWT of kind typ.
func (r *Ring) Mint(typ string, claims any) (string, error) {
	return r.MintWith(jose.ES256, typ, claims)
}

// MintWith is Mint with another algorithm. It returns an error if no key signs with alg.
func (r *Ring) MintWith(alg jose.SignatureAlgorithm, typ string, claims any) (string, error) {
	key := r.signing(alg)
	if key == nil {
		return "", fmt.Errorf("sign %s: no signing key for %s", typ, alg)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode %s claims: %w", typ, err)
	}
	header, err := json.Marshal(header{Algorithm: alg, KeyID: key.public.KeyID, Type: typ})
	if err != nil {
		return "", fmt.Errorf("encode %s header: %w", typ, err)
	}
	// Compact serialization (RFC 7515 §7.1) done here: a new jose.Signer for each token would cost half as much as
	// the signature.
	token := base64.RawURLEncoding.AppendEncode(nil, header)
	token = base64.RawURLEncoding.AppendEncode(append(token, '.'), payload)
	signature, err := key.signer.SignPayload(token, alg)
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", typ, err)
	}
	return string(base64.RawURLEncoding.AppendEncode(append(token, '.'), signature)), nil
}

// header is the JOSE header of the JWTs that this server signs.
type header struct {
	Algorithm jose.SignatureAlgorithm `json:"alg"`
	KeyID     string                  `json:"kid"`
	Type      string                  `json:"typ"`
}
