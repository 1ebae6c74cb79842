// Package trust holds which issuers may issue which credential types. A rule names types, and the X.509 anchors, pinned
// signer certificates or DIDs that are trusted for them. A chain to an anchor of one type proves nothing for another
// type (SD-JWT VC §7.7).
package trust

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"regain/internal/publickey"
)

// Rule trusts issuers to issue credentials of Types. It needs at least one anchor, signer or DID.
type Rule struct {
	Types   []string // vct values, mdoc doctypes, W3C types
	Anchors []*x509.Certificate
	// Signers are pinned certificates. A leaf that equals one of them, byte for byte, is trusted without a chain, even
	// if it is self-signed or a CA. Only its validity period is checked.
	Signers []*x509.Certificate
	Issuers []string // allowed iss values; empty allows any. An mdoc has no iss, so a non-empty list refuses every mdoc
	// DIDs are issuers of JWT VCs that have a DID and no certificate.
	DIDs []string
	// LinkedDomain requires that the domain of such a DID vouches for it (DIF Well Known DID Configuration).
	LinkedDomain bool
	// StatusOptional accepts credentials without a status list entry, for types that are valid for minutes only.
	StatusOptional bool
}

// Errors of a chain.
var (
	ErrUntrusted = errors.New("issuer is not trusted for this type")
	ErrMalformed = errors.New("malformed certificate chain")
)

// maxCached bounds the cache of verified chains: issuers are few, their credentials many. x5chain is not signed, so a
// holder can make any number of valid chains by adding certificates to a trusted one. The LRU bound contains that.
const maxCached = 1024

// Rules holds all trust rules of a deployment. It is safe for concurrent use.
type Rules struct {
	byType map[string]rule
	chains *lru.Cache[[sha256.Size]byte, verified]
}

type rule struct {
	Rule
	pool    *x509.CertPool
	signers []signer
	id      string // the prefix of the rule's cache keys
}

// verified is a chain that leads to an anchor, or whose leaf is pinned: its validity period and its leaf.
type verified struct {
	notBefore, notAfter time.Time
	key                 *ecdsa.PublicKey
	leaf                *x509.Certificate
	pinned              bool
}

// New returns an error for a rule that trusts no issuer, and for two rules about one type.
func New(list []Rule) (*Rules, error) {
	chains, err := lru.New[[sha256.Size]byte, verified](maxCached)
	if err != nil {
		return nil, fmt.Errorf("trust: %w", err)
	}
	r := &Rules{byType: make(map[string]rule), chains: chains}
	for i, one := range list {
		if len(one.Types) == 0 || len(one.Anchors)+len(one.Signers)+len(one.DIDs) == 0 {
			return nil, fmt.Errorf("trust[%d]: types, and anchors, signers or dids, are required", i)
		}
		signers, err := pin(one.Signers)
		if err != nil {
			return nil, fmt.Errorf("trust[%d]: %w", i, err)
		}
		pool := x509.NewCertPool()
		for _, anchor := range one.Anchors {
			if anchor == nil || !anchor.IsCA {
				return nil, fmt.Errorf("trust[%d]: an anchor is not a CA certificate", i)
			}
			pool.AddCert(anchor)
		}
		for _, name := range one.Types {
			if _, twice := r.byType[name]; name == "" || twice {
				return nil, fmt.Errorf("trust[%d]: type %q is empty or has a rule already", i, name)
			}
			r.byType[name] = rule{Rule: one, pool: pool, signers: signers, id: fmt.Sprint(i)}
		}
	}
	return r, nil
}

// StatusOptional reports whether credentials of this type may have no status.
func (r *Rules) StatusOptional(name string) bool { return r.byType[name].StatusOptional }

// Leaf returns the public key of the chain's leaf without checking that the chain is trusted. Callers verify the
// signature first, so that a forgery (ErrRefused) is told apart from an untrusted issuer (a validation failure).
func Leaf(chain [][]byte) (*ecdsa.PublicKey, error) {
	if len(chain) == 0 {
		return nil, fmt.Errorf("%w: there is no certificate", ErrMalformed)
	}
	leaf, err := publickey.ParseCertificate(chain[0])
	if err != nil {
		return nil, fmt.Errorf("%w: leaf: %w", ErrMalformed, parseError(err))
	}
	key, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%w: the leaf's key is not on P-256", ErrMalformed)
	}
	return key, nil
}

// Leaf does the same as the function Leaf for a credential of a type, with the cache: it does not parse the certificate
// of a cached chain again.
func (r *Rules) Leaf(chain [][]byte, name string) (*ecdsa.PublicKey, error) {
	rule := r.byType[name]
	if signer := rule.pinned(chain); signer != nil {
		return signer.key, nil
	}
	known, _ := r.chains.Get(cacheKey(rule.id, chain))
	if known.key != nil && known.key.Curve == elliptic.P256() {
		return known.key, nil
	}
	return Leaf(chain)
}

// Check returns ErrUntrusted unless a chain (DER, leaf first, without the anchor) is trusted at now to issue
// credentials of type name with this iss. issuer is "" for a credential without iss.
func (r *Rules) Check(chain [][]byte, name, issuer string, now time.Time) error {
	_, err := r.check(chain, name, issuer, now)
	return err
}

func (r *Rules) check(chain [][]byte, name, issuer string, now time.Time) (verified, error) {
	rule, ok := r.byType[name]
	if !ok {
		return verified{}, fmt.Errorf("%w: no rule for the type", ErrUntrusted)
	}
	if len(rule.Issuers) > 0 && !slices.Contains(rule.Issuers, issuer) {
		return verified{}, fmt.Errorf("%w: iss is not on the list", ErrUntrusted)
	}
	if signer := rule.pinned(chain); signer != nil {
		return verifiedSigner(signer, now)
	}
	key := cacheKey(rule.id, chain)
	known, cached := r.chains.Get(key)
	// After the cached path has expired there may be another: a CA can renew its certificate with the same key.
	if !cached || now.Before(known.notBefore) || now.After(known.notAfter) {
		var err error
		if known, err = rule.verify(chain, now); err != nil {
			return verified{}, err
		}
		r.chains.Add(key, known) // trusted chains only, so that untrusted senders cannot fill the cache
	}
	return known, nil
}

func cacheKey(rule string, chain [][]byte) [sha256.Size]byte {
	h := sha256.New()
	// Length prefixes, so that two different lists of certificates never have the same bytes.
	h.Write(binary.BigEndian.AppendUint32([]byte(rule+"\n"), uint32(len(chain)))) //nolint:gosec // at most four certificates
	for _, der := range chain {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(der)))) //nolint:gosec // bounded by the size of a header
		h.Write(der)
	}
	return [sha256.Size]byte(h.Sum(nil))
}
